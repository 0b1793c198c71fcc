-- The first schema. Moments are milliseconds since 1970 UTC.

PRAGMA application_id = 0x53474258; -- "SGBX": how another program's database is told from ours

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
-- Stands in every cursor, so that a cursor of another database is known as foreign.
INSERT INTO meta (key, value) VALUES ('id', lower(hex(randomblob(5))));

-- One training: one folder. `derived` is the Run as it was last saved, without tags and notes; null before that.
-- The columns state, started_at and model repeat what the list of runs filters and sorts by.
CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  host TEXT NOT NULL,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  born_at INTEGER,
  name TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'starting',
  started_at INTEGER,
  model TEXT,
  derived TEXT,
  tags TEXT NOT NULL DEFAULT '[]',
  notes TEXT NOT NULL DEFAULT ''
);
CREATE INDEX runs_by_folder ON runs (host, inode);
CREATE INDEX runs_newest ON runs (coalesce(started_at, -1) DESC, id DESC);

-- One process of a run, and by which part of which file it is known again.
CREATE TABLE attempts (
  run TEXT NOT NULL REFERENCES runs (id),
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  generation TEXT NOT NULL,
  inode INTEGER NOT NULL,
  file_attempt INTEGER NOT NULL,
  PRIMARY KEY (run, attempt)
) WITHOUT ROWID;

CREATE TABLE epochs (
  run TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  at INTEGER,
  at_source TEXT,
  elapsed_s REAL,
  run_elapsed_s REAL,
  metrics TEXT NOT NULL,
  non_finite TEXT,
  PRIMARY KEY (run, attempt, epoch),
  FOREIGN KEY (run, attempt) REFERENCES attempts (run, attempt)
) WITHOUT ROWID;

-- `position` is the index of today; null when another GPU has it now.
CREATE TABLE gpus (
  uuid TEXT PRIMARY KEY,
  position INTEGER,
  name TEXT,
  driver TEXT,
  memory_total REAL,
  power_limit REAL,
  last_seen_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE hosts (
  name TEXT PRIMARY KEY,
  os TEXT,
  cpu_model TEXT,
  cpu_cores INTEGER,
  memory_total REAL,
  last_seen_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What samples belong to (gpu:UUID, host:NAME), and when the newest written one was taken.
CREATE TABLE subjects (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  newest_at INTEGER NOT NULL
);

-- One column per metric of the catalogue (src/core/metrics.ts).
CREATE TABLE gpu_samples (
  at INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  utilization REAL,
  memoryUtilization REAL,
  memoryUsed REAL,
  memoryTotal REAL,
  memoryReserved REAL,
  power REAL,
  powerLimit REAL,
  temperature REAL,
  clockSm REAL,
  clockMem REAL,
  pcieRx REAL,
  pcieTx REAL,
  throttle REAL,
  fan REAL,
  energy REAL,
  eccErrors REAL,
  xid REAL,
  runMemory REAL,
  PRIMARY KEY (at, subject)
) WITHOUT ROWID;

CREATE TABLE host_samples (
  at INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  cpu REAL,
  cpuIowait REAL,
  loadAvg1 REAL,
  memoryUsed REAL,
  memoryTotal REAL,
  swapUsed REAL,
  shmUsed REAL,
  shmTotal REAL,
  diskRead REAL,
  diskWrite REAL,
  diskBusy REAL,
  diskFree REAL,
  netRx REAL,
  netTx REAL,
  pressureCpu REAL,
  pressureIo REAL,
  pressureMemory REAL,
  PRIMARY KEY (at, subject)
) WITHOUT ROWID;

-- `body` is the whole Alert; the other columns repeat what the list of alerts filters and sorts by.
CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  run TEXT,
  started_at INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_newest ON alerts (started_at DESC, id DESC);
CREATE INDEX alerts_open ON alerts (state) WHERE state <> 'resolved';

CREATE TABLE rule_states (
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (rule, subject)
) WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, also when the newest events were deleted.
CREATE TABLE events (
  cursor INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  at INTEGER NOT NULL,
  run TEXT,
  body TEXT NOT NULL
);
