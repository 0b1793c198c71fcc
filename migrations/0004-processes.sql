-- The processes that a run is known to have had, as JSON: after a restart it is known whether they live on.
ALTER TABLE runs ADD COLUMN processes TEXT NOT NULL DEFAULT '[]';
