-- The web origins whose pages may call the API for a workspace, besides those of the settings.
--
-- A replica of an older release answers no page of another origin, and leaves these rows as they are.

CREATE TABLE workspace_origins (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (workspace_id, position)
) STRICT;

-- A browser's preflight names an origin and no workspace.
CREATE INDEX workspace_origins_origin ON workspace_origins (origin);
