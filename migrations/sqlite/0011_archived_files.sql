-- The storage class of a project's file, where it is not S3 Standard, and how many files of a project are in an
-- archive class. An earlier release writes neither, and reads its own columns by name.
ALTER TABLE project_files ADD COLUMN storage_class TEXT;
ALTER TABLE projects ADD COLUMN archived_count INTEGER NOT NULL DEFAULT 0;
