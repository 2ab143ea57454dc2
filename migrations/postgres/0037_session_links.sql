-- The sign-in link that a session began with, by its ID. The link itself is gone by then.
--
-- A replica of an older release begins sessions without it.
ALTER TABLE sessions ADD COLUMN link_id TEXT;

-- It is in what a process keeps of a session.
DROP TRIGGER sessions_changed ON sessions;

CREATE TRIGGER sessions_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, workspace_id, hash, role, return_url, created_at, seen_at, expires_at, refresh_url, embed,
    subject_id, subject_name, link_id, made_by_token, made_by_key
ON sessions FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
