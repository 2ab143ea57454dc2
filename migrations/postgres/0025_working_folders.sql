-- The product's working folders that a project of a folder leaves out: a JSON array of paths. NULL where it leaves out
-- none, and for projects of earlier releases.
--
-- A replica of an older release makes projects that leave none out. One that goes on with an import of a newer release
-- takes files of these folders too.
ALTER TABLE projects ADD COLUMN working_folders TEXT;
