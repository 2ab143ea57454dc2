-- Suspending and limiting a workspace, what it uses, what a token or key has made, when either was last used, and the
-- erasure of a workspace from the audit log.
--
-- A replica of an older release serves suspended workspaces, goes on with their checks and imports, and knows no
-- limits. Sign-in links that it makes do not end with the token that made them. It counts no use.

-- NULL: the workspace is active.
ALTER TABLE workspaces ADD COLUMN suspended_at BIGINT;
-- For operators alone.
ALTER TABLE workspaces ADD COLUMN suspended_reason TEXT;
-- NULL: no limit.
ALTER TABLE workspaces ADD COLUMN limit_storages BIGINT;
ALTER TABLE workspaces ADD COLUMN limit_requests_per_minute BIGINT;
ALTER TABLE workspaces ADD COLUMN limit_transfers BIGINT;
CREATE INDEX workspaces_suspended ON workspaces (id) WHERE suspended_at IS NOT NULL;

-- To within ten minutes. NULL: not since this column is there.
ALTER TABLE api_tokens ADD COLUMN last_used_at BIGINT;
ALTER TABLE product_keys ADD COLUMN last_used_at BIGINT;

-- The token or key that a link was made with, and what came of the link. It ends with that.
ALTER TABLE sign_in_links ADD COLUMN made_by_token TEXT COLLATE "C" REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE sign_in_links ADD COLUMN made_by_key TEXT COLLATE "C" REFERENCES product_keys (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN made_by_token TEXT COLLATE "C" REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN made_by_key TEXT COLLATE "C" REFERENCES product_keys (id) ON DELETE CASCADE;
ALTER TABLE instruction_links ADD COLUMN made_by_token TEXT COLLATE "C" REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE instruction_links ADD COLUMN made_by_key TEXT COLLATE "C" REFERENCES product_keys (id) ON DELETE CASCADE;
CREATE INDEX sign_in_links_of_token ON sign_in_links (made_by_token);
CREATE INDEX sign_in_links_of_key ON sign_in_links (made_by_key);
CREATE INDEX sessions_of_token ON sessions (made_by_token);
CREATE INDEX sessions_of_key ON sessions (made_by_key);
CREATE INDEX instruction_links_of_token ON instruction_links (made_by_token);
CREATE INDEX instruction_links_of_key ON instruction_links (made_by_key);

-- What a workspace has used, by day. Replicas add to it.
CREATE TABLE usage_days (
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    -- The beginning of the day in UTC.
    day BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    urls_signed BIGINT NOT NULL,
    checks BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, day)
);

CREATE INDEX usage_days_by_day ON usage_days (day);

-- Workspaces that were erased. Entries of the audit log about them may lose what names a person, and nothing else.
CREATE TABLE erasures (
    workspace_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    -- NULL: it did not come to its end, and may be repeated.
    ended_at BIGINT
);

CREATE FUNCTION refuse_unerased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erasures WHERE workspace_id = OLD.workspace_id)
        AND NEW.remote_addr IS NULL AND NEW.actor_name IS NULL
        AND (NEW.on_behalf_of IS NULL OR NEW.on_behalf_of LIKE 'erased-%')
        AND to_jsonb(NEW) - ARRAY['remote_addr', 'actor_name', 'on_behalf_of']
            = to_jsonb(OLD) - ARRAY['remote_addr', 'actor_name', 'on_behalf_of'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the table % can only grow', TG_TABLE_NAME;
END;
$$;

DROP TRIGGER audit_log_no_change ON audit_log;
CREATE TRIGGER audit_log_no_change BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_unerased();

CREATE OR REPLACE FUNCTION keep_audit_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM audit_log WHERE id = OLD.entry_id) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT 1 FROM erasures WHERE workspace_id = OLD.workspace_id)
            AND NEW.file_key = '/erased' AND NEW.version_id IS NULL
            AND to_jsonb(NEW) - ARRAY['file_key', 'version_id']
                = to_jsonb(OLD) - ARRAY['file_key', 'version_id'] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% can only grow', TG_TABLE_NAME;
END $$;
