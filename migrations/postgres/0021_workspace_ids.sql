-- The product's own ID of a workspace, and what it notes there.
--
-- A replica of an older release makes workspaces without them, and leaves those of others as they are.

ALTER TABLE workspaces ADD COLUMN external_id TEXT;
-- A JSON object of strings.
ALTER TABLE workspaces ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

CREATE UNIQUE INDEX workspaces_external_id ON workspaces (external_id);
