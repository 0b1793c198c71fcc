-- More of GPUs and hosts; what the processes of a run use; how the collectors do. One column per metric of the
-- catalogue (src/core/metrics.ts).
ALTER TABLE gpu_samples ADD COLUMN utilizationMin REAL;
ALTER TABLE gpu_samples ADD COLUMN utilizationMean REAL;
ALTER TABLE gpu_samples ADD COLUMN memoryTemperature REAL;
ALTER TABLE gpu_samples ADD COLUMN pcieReplays REAL;
ALTER TABLE gpu_samples ADD COLUMN eccCorrected REAL;
ALTER TABLE gpu_samples ADD COLUMN rowRemapPending REAL;
ALTER TABLE gpu_samples ADD COLUMN rowRemapFailed REAL;

ALTER TABLE host_samples ADD COLUMN cpuMaxCore REAL;
ALTER TABLE host_samples ADD COLUMN diskLatency REAL;
ALTER TABLE host_samples ADD COLUMN temperature REAL;
ALTER TABLE host_samples ADD COLUMN limitMemory REAL;
ALTER TABLE host_samples ADD COLUMN limitMemoryUsed REAL;
ALTER TABLE host_samples ADD COLUMN limitCpuThrottled REAL;

CREATE TABLE run_samples (
  at INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  cpu REAL,
  memory REAL,
  diskRead REAL,
  diskWrite REAL,
  processes REAL,
  workers REAL,
  workersCpu REAL,
  workersBlocked REAL,
  PRIMARY KEY (at, subject)
) WITHOUT ROWID;

CREATE TABLE collector_samples (
  at INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  age REAL,
  duration REAL,
  misses REAL,
  failures REAL,
  PRIMARY KEY (at, subject)
) WITHOUT ROWID;

-- A MIG instance has the position of the GPU that it is a part of.
ALTER TABLE gpus ADD COLUMN mig TEXT;
ALTER TABLE gpus ADD COLUMN pci_bus_id TEXT;
