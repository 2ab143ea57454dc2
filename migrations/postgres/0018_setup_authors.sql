-- Who opened a setup. NULL: an older release did not write it down.

ALTER TABLE setups ADD COLUMN created_by TEXT;
