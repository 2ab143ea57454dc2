-- The files that an entry of the audit log is about, signed URLs, and what is under way. An older
-- replica goes on: it writes entries without files and does not read what is new.
ALTER TABLE audit_log ADD COLUMN file_count BIGINT;
ALTER TABLE audit_log ADD COLUMN signed_method TEXT;
ALTER TABLE audit_log ADD COLUMN signed_until BIGINT;

CREATE TABLE audit_files (
    entry_id TEXT COLLATE "C" NOT NULL,
    -- Its place in the request.
    position BIGINT NOT NULL,
    workspace_id TEXT COLLATE "C",
    file_key TEXT COLLATE "C" NOT NULL,
    -- `file`, or for a copy `from` and `to`.
    part TEXT NOT NULL,
    version_id TEXT,
    result TEXT NOT NULL,
    code TEXT,
    PRIMARY KEY (entry_id, position)
);

CREATE INDEX audit_files_key ON audit_files (file_key, workspace_id, entry_id);

CREATE FUNCTION keep_audit_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM audit_log WHERE id = OLD.entry_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% can only grow', TG_TABLE_NAME;
END $$;

CREATE TRIGGER audit_files_no_change BEFORE UPDATE OR DELETE ON audit_files
FOR EACH ROW EXECUTE FUNCTION keep_audit_files();
CREATE TRIGGER audit_files_no_truncate BEFORE TRUNCATE ON audit_files
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Where an entry may be deleted at all, its files go with it.
CREATE FUNCTION delete_audit_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM audit_files WHERE entry_id = OLD.id;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_log_with_files AFTER DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION delete_audit_files();

-- Changes under way: written before a change, deleted with the entry about it. What a stopped process
-- leaves here becomes an entry whose outcome is unknown.
CREATE TABLE audit_intents (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    -- Moved on while the request is worked on.
    seen_at BIGINT NOT NULL,
    workspace_id TEXT COLLATE "C",
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    remote_addr TEXT,
    request_id TEXT COLLATE "C",
    -- JSON.
    files TEXT NOT NULL,
    signed_method TEXT
);

CREATE INDEX audit_intents_seen ON audit_intents (seen_at);
