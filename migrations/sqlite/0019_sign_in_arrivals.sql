-- What a sign-in link is about, where to get another one, whether the pages are in a frame, and who of the product's
-- people it is for; which session a used link began.
--
-- A used link still leaves its table, so a replica of an older release never takes it again. One of those does not
-- know the newer purposes, and answers such a link with an error.

ALTER TABLE sign_in_links ADD COLUMN target TEXT;
ALTER TABLE sign_in_links ADD COLUMN refresh_url TEXT;
ALTER TABLE sign_in_links ADD COLUMN embed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sign_in_links ADD COLUMN subject_id TEXT;
ALTER TABLE sign_in_links ADD COLUMN subject_name TEXT;

ALTER TABLE sessions ADD COLUMN refresh_url TEXT;
ALTER TABLE sessions ADD COLUMN embed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN subject_id TEXT;
ALTER TABLE sessions ADD COLUMN subject_name TEXT;

CREATE TABLE used_sign_in_links (
    hash BLOB NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    target TEXT,
    return_url TEXT,
    refresh_url TEXT,
    embed INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX used_sign_in_links_by_end ON used_sign_in_links (expires_at);
CREATE INDEX used_sign_in_links_by_workspace ON used_sign_in_links (workspace_id);
