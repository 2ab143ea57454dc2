-- Signing in by a token: which tokens were used, and by which issuer a session was begun.
--
-- A replica of an older release takes no such tokens, and begins sessions without an issuer.

-- A token's hash stands for its issuer and its ID. It is remembered for longer than the token is good.
CREATE TABLE used_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX used_tokens_by_end ON used_tokens (expires_at);

ALTER TABLE sessions ADD COLUMN issuer TEXT;
ALTER TABLE sessions ADD COLUMN issuer_subject TEXT;
ALTER TABLE sessions ADD COLUMN issuer_session TEXT;

CREATE INDEX sessions_by_issuer ON sessions (issuer, issuer_subject);
CREATE INDEX sessions_by_issuer_session ON sessions (issuer, issuer_session);
