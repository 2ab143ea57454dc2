-- Why keys were left out of a project: a JSON object with a count for each reason. NULL for projects of earlier
-- releases, which count only how many.
ALTER TABLE projects ADD COLUMN skipped_reasons TEXT;
