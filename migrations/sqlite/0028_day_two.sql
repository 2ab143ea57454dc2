-- Suspending and limiting a workspace, what it uses, what a token or key has made, when either was last used, and the
-- erasure of a workspace from the audit log.
--
-- A replica of an older release serves suspended workspaces, goes on with their checks and imports, and knows no
-- limits. Sign-in links that it makes do not end with the token that made them. It counts no use.

-- NULL: the workspace is active.
ALTER TABLE workspaces ADD COLUMN suspended_at INTEGER;
-- For operators alone.
ALTER TABLE workspaces ADD COLUMN suspended_reason TEXT;
-- NULL: no limit.
ALTER TABLE workspaces ADD COLUMN limit_storages INTEGER;
ALTER TABLE workspaces ADD COLUMN limit_requests_per_minute INTEGER;
ALTER TABLE workspaces ADD COLUMN limit_transfers INTEGER;
CREATE INDEX workspaces_suspended ON workspaces (id) WHERE suspended_at IS NOT NULL;

-- To within ten minutes. NULL: not since this column is there.
ALTER TABLE api_tokens ADD COLUMN last_used_at INTEGER;
ALTER TABLE product_keys ADD COLUMN last_used_at INTEGER;

-- The token or key that a link was made with, and what came of the link. It ends with that.
ALTER TABLE sign_in_links ADD COLUMN made_by_token TEXT REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE sign_in_links ADD COLUMN made_by_key TEXT REFERENCES product_keys (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN made_by_token TEXT REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN made_by_key TEXT REFERENCES product_keys (id) ON DELETE CASCADE;
ALTER TABLE instruction_links ADD COLUMN made_by_token TEXT REFERENCES api_tokens (id) ON DELETE CASCADE;
ALTER TABLE instruction_links ADD COLUMN made_by_key TEXT REFERENCES product_keys (id) ON DELETE CASCADE;
CREATE INDEX sign_in_links_of_token ON sign_in_links (made_by_token);
CREATE INDEX sign_in_links_of_key ON sign_in_links (made_by_key);
CREATE INDEX sessions_of_token ON sessions (made_by_token);
CREATE INDEX sessions_of_key ON sessions (made_by_key);
CREATE INDEX instruction_links_of_token ON instruction_links (made_by_token);
CREATE INDEX instruction_links_of_key ON instruction_links (made_by_key);

-- What a workspace has used, by day. Replicas add to it.
CREATE TABLE usage_days (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    -- The beginning of the day in UTC.
    day INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    urls_signed INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, day)
) STRICT;

CREATE INDEX usage_days_by_day ON usage_days (day);

-- Workspaces that were erased. Entries of the audit log about them may lose what names a person, and nothing else.
CREATE TABLE erasures (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    -- NULL: it did not come to its end, and may be repeated.
    ended_at INTEGER
) STRICT;

DROP TRIGGER audit_log_no_update;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
WHEN NOT (
    EXISTS (SELECT 1 FROM erasures WHERE workspace_id = OLD.workspace_id)
    AND NEW.remote_addr IS NULL AND NEW.actor_name IS NULL
    AND (NEW.on_behalf_of IS NULL OR NEW.on_behalf_of LIKE 'erased-%')
    AND NEW.id = OLD.id AND NEW.occurred_at = OLD.occurred_at AND NEW.workspace_id = OLD.workspace_id
    AND NEW.actor = OLD.actor AND NEW.action = OLD.action AND NEW.target IS OLD.target
    AND NEW.result = OLD.result AND NEW.code IS OLD.code AND NEW.request_id IS OLD.request_id
    AND NEW.file_count IS OLD.file_count AND NEW.signed_method IS OLD.signed_method
    AND NEW.signed_until IS OLD.signed_until AND NEW.state_before IS OLD.state_before
    AND NEW.state_after IS OLD.state_after
)
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;

DROP TRIGGER audit_files_no_update;
CREATE TRIGGER audit_files_no_update BEFORE UPDATE ON audit_files
WHEN NOT (
    EXISTS (SELECT 1 FROM erasures WHERE workspace_id = OLD.workspace_id)
    AND NEW.file_key = '/erased' AND NEW.version_id IS NULL
    AND NEW.entry_id = OLD.entry_id AND NEW.position = OLD.position AND NEW.workspace_id = OLD.workspace_id
    AND NEW.part = OLD.part AND NEW.result = OLD.result AND NEW.code IS OLD.code
)
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;
