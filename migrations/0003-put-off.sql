-- Old runs that are still to be judged: years of them come in at once, and judging them waits for quieter moments.
CREATE TABLE put_off (
  run TEXT PRIMARY KEY REFERENCES runs (id)
) WITHOUT ROWID;

-- A console log that lies elsewhere names the folder of its run.
CREATE INDEX runs_by_path ON runs (host, path);
