-- How people come to the pages. Secrets are kept as SHA-256 only.

CREATE TABLE sign_in_links (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    purpose TEXT NOT NULL,
    return_url TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_links_by_end ON sign_in_links (expires_at);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    return_url TEXT,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (workspace_id, id)
) STRICT;

CREATE INDEX sessions_by_end ON sessions (expires_at);

-- One for each setup at most.
CREATE TABLE instruction_links (
    setup_id TEXT NOT NULL PRIMARY KEY REFERENCES setups (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- The setups that can be resumed: without it a workspace's whole history would be read.
CREATE INDEX setups_open ON setups (workspace_id, id) WHERE status = 'open';
