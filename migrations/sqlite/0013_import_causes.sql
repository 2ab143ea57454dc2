-- The cause of a failed import, as a check names it, and what to do about it. An earlier release writes neither, and
-- reads its own columns by name.
ALTER TABLE projects ADD COLUMN failure_cause TEXT;
ALTER TABLE projects ADD COLUMN failure_remedy TEXT;
