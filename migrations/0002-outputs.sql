-- What runs say of themselves: in a sidecar, on their consoles, by POST /ingest.

-- One output of a run. `taken` is the offset up to which it is in the tables below, `facts` what it has come to (the
-- OutputFacts as JSON), `attempts_before` how many attempts its earlier generations spoke of.
CREATE TABLE outputs (
  run TEXT NOT NULL REFERENCES runs (id),
  source TEXT NOT NULL,
  generation TEXT NOT NULL,
  attempts_before INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  written_at INTEGER,
  facts TEXT NOT NULL,
  PRIMARY KEY (run, source)
) WITHOUT ROWID;

CREATE TABLE steps (
  run TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  batches INTEGER,
  at INTEGER,
  loss TEXT NOT NULL,
  non_finite TEXT,
  loss_over INTEGER NOT NULL,
  data_s REAL,
  step_s REAL,
  reserved_mib REAL,
  PRIMARY KEY (run, attempt, epoch, batch)
) WITHOUT ROWID;

-- `final` is 1 for the metrics of the best checkpoint; `body` is the list of classes.
CREATE TABLE classes (
  number INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  final INTEGER NOT NULL,
  epoch INTEGER,
  source TEXT NOT NULL,
  at INTEGER,
  body TEXT NOT NULL
);
CREATE UNIQUE INDEX classes_by_epoch ON classes (run, attempt, final, coalesce(epoch, -1), source);

CREATE TABLE phases (
  number INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  phase TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX phases_by_time ON phases (run, at);

CREATE TABLE log_lines (
  number INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  source TEXT NOT NULL,
  at INTEGER,
  line TEXT NOT NULL,
  code TEXT
);
CREATE INDEX log_lines_by_run ON log_lines (run);

-- What the files of a run that has ended looked like when they were last read; null while it may go on. The index
-- holds all that a start reads of it, so that the rows with their long `derived` are not touched.
ALTER TABLE runs ADD COLUMN settled_files TEXT;
CREATE INDEX runs_settled ON runs (device, inode, number, path, settled_files) WHERE settled_files IS NOT NULL;
CREATE INDEX runs_by_state ON runs (state);
