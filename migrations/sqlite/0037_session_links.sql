-- The sign-in link that a session began with, by its ID. The link itself is gone by then.
--
-- A replica of an older release begins sessions without it.
ALTER TABLE sessions ADD COLUMN link_id TEXT;

-- It is in what a process keeps of a session.
DROP TRIGGER sessions_updated;

CREATE TRIGGER sessions_updated AFTER UPDATE OF
    id, workspace_id, hash, role, return_url, created_at, seen_at, expires_at, refresh_url, embed,
    subject_id, subject_name, link_id, made_by_token, made_by_key
ON sessions
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;
