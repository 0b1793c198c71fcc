-- History in tiers: hot rows (gpu_samples, …), sealed hours of raw samples, rollups of 60 s and of 1 h.

-- The names of a chunk's columns, in order, as a JSON array: many chunks share one.
CREATE TABLE layouts (
  id INTEGER PRIMARY KEY,
  names TEXT NOT NULL UNIQUE
);

-- One subject's samples of one hour (`start` is a multiple of it), a column a metric: see src/store/chunks/.
-- `sealed_at` is what ages: an old log that was imported today is as young as today.
CREATE TABLE raw_chunks (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  start INTEGER NOT NULL,
  sealed_at INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  layout INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (subject, start)
);
CREATE INDEX raw_chunks_by_age ON raw_chunks (sealed_at);

-- The 60 s rollups of the same hour: columns METRIC.count, METRIC.min, …
CREATE TABLE minute_chunks (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  start INTEGER NOT NULL,
  sealed_at INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  layout INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (subject, start)
);
CREATE INDEX minute_chunks_by_age ON minute_chunks (sealed_at);

-- The rollup of the same hour. `increase` of counters only; percentiles and `bins` (a JSON array of counts) of the
-- metrics that the catalogue marks.
CREATE TABLE hour_rollups (
  subject INTEGER NOT NULL,
  metric TEXT NOT NULL,
  start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  sum REAL NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  last REAL NOT NULL,
  increase REAL,
  p5 REAL,
  p50 REAL,
  p95 REAL,
  bins TEXT,
  PRIMARY KEY (subject, metric, start)
) WITHOUT ROWID;

-- Grows with every hour that is sealed: whoever read rollups from memory knows whether they still fit what is stored.
INSERT INTO meta (key, value) VALUES ('sealings', '0');

-- Which subjects (gpu:UUID, import:RUN:0) a run has used. `first_at` and `last_at` are those of an imported log, null
-- for a GPU that was sampled here.
CREATE TABLE run_gpus (
  run TEXT NOT NULL REFERENCES runs (id),
  subject TEXT NOT NULL,
  first_at INTEGER,
  last_at INTEGER,
  PRIMARY KEY (run, subject)
) WITHOUT ROWID;

-- A run that ended before this schema named its GPUs by their position, which is that of today.
INSERT INTO run_gpus (run, subject)
SELECT DISTINCT runs.id, 'gpu:' || gpus.uuid
FROM runs, json_each(runs.derived, '$.gpus') AS used
JOIN gpus ON gpus.mig IS NULL AND used.value = 'gpu:' || gpus.position
WHERE runs.derived IS NOT NULL;

-- GPU use of a run that has ended, kept when the samples behind it are gone. `body` is the list of its items as JSON.
CREATE TABLE run_statistics (
  run TEXT NOT NULL REFERENCES runs (id),
  grouping TEXT NOT NULL,
  computed_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run, grouping)
) WITHOUT ROWID;
