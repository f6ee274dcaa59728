-- A running run that is to end: why. It ends once its attempt has.
ALTER TABLE runs ADD COLUMN stopping TEXT CHECK (stopping IN ('cancelled', 'superseded'));

-- Attempts below this number were made before a retry, and count no more.
ALTER TABLE run_steps ADD COLUMN counts_from INTEGER NOT NULL DEFAULT 1;

-- An attempt of takt's own that pins what one whose host vanished had left.
ALTER TABLE attempts ADD COLUMN is_salvage INTEGER NOT NULL DEFAULT 0;

CREATE INDEX attempts_by_run ON attempts (run);
CREATE INDEX landings_by_run ON landings (run);
CREATE INDEX seen_refs_by_branch ON seen_refs (branch);
