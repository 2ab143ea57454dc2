-- The files that an entry of the audit log is about, signed URLs, and what is under way. An older
-- replica goes on: it writes entries without files and does not read what is new.
ALTER TABLE audit_log ADD COLUMN file_count INTEGER;
ALTER TABLE audit_log ADD COLUMN signed_method TEXT;
ALTER TABLE audit_log ADD COLUMN signed_until INTEGER;

CREATE TABLE audit_files (
    entry_id TEXT NOT NULL,
    -- Its place in the request.
    position INTEGER NOT NULL,
    workspace_id TEXT,
    file_key TEXT NOT NULL,
    -- `file`, or for a copy `from` and `to`.
    part TEXT NOT NULL,
    version_id TEXT,
    result TEXT NOT NULL,
    code TEXT,
    PRIMARY KEY (entry_id, position)
) STRICT;

CREATE INDEX audit_files_key ON audit_files (file_key, workspace_id, entry_id);

CREATE TRIGGER audit_files_no_update BEFORE UPDATE ON audit_files
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;
CREATE TRIGGER audit_files_no_delete BEFORE DELETE ON audit_files
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = OLD.entry_id)
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;
-- Where an entry may be deleted at all, its files go with it.
CREATE TRIGGER audit_log_with_files AFTER DELETE ON audit_log
BEGIN DELETE FROM audit_files WHERE entry_id = OLD.id; END;

-- Changes under way: written before a change, deleted with the entry about it. What a stopped process
-- leaves here becomes an entry whose outcome is unknown.
CREATE TABLE audit_intents (
    id TEXT NOT NULL PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    -- Moved on while the request is worked on.
    seen_at INTEGER NOT NULL,
    workspace_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    remote_addr TEXT,
    request_id TEXT,
    -- JSON.
    files TEXT NOT NULL,
    signed_method TEXT
) STRICT;

CREATE INDEX audit_intents_seen ON audit_intents (seen_at);
