-- The sign-in link that a session began with, by its ID. The link itself is gone by then.
--
-- A replica of an older release begins sessions without it.
ALTER TABLE sessions ADD COLUMN link_id TEXT;
