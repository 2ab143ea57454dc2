-- Keys of the product, narrowed tokens, and for whom something was done.
--
-- A replica of an older release does not know keys and refuses them. It refuses narrowed tokens too, because it
-- does not find their hash: it would let them do more than they may. It cannot show entries of the audit log that
-- a key has made, and writes entries without what is new.

CREATE TABLE product_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- Words with a space between two.
    scopes TEXT NOT NULL,
    -- SHA-256 of the secret.
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

-- JSON arrays. NULL: not narrowed.
ALTER TABLE api_tokens ADD COLUMN storage_ids TEXT;
ALTER TABLE api_tokens ADD COLUMN folders TEXT;
ALTER TABLE api_tokens ADD COLUMN write_folders TEXT;
-- SHA-256 of the secret of a narrowed token, whose `hash` is random.
ALTER TABLE api_tokens ADD COLUMN narrowed_hash BLOB;
CREATE UNIQUE INDEX api_tokens_narrowed_hash ON api_tokens (narrowed_hash);

-- The name of the product's key that did it, as it was then.
ALTER TABLE audit_log ADD COLUMN actor_name TEXT;
-- The product's ID of the person for whom it was done.
ALTER TABLE audit_log ADD COLUMN on_behalf_of TEXT;
CREATE INDEX audit_log_on_behalf_of ON audit_log (on_behalf_of, id);
ALTER TABLE audit_intents ADD COLUMN actor_name TEXT;
ALTER TABLE audit_intents ADD COLUMN on_behalf_of TEXT;

-- Storages of all workspaces.
CREATE INDEX storages_health ON storages (health, id);
CREATE INDEX storages_bucket ON storages (bucket, id);
CREATE INDEX storages_external_id ON storages (external_id, id);
