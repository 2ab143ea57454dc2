-- What a manifest says of a file beside its key and name, as a JSON array of pairs. Null where it says
-- nothing. An older release stores nothing here, and reads its own columns by name.
ALTER TABLE project_files ADD COLUMN metadata TEXT;
