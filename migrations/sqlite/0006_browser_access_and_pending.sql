-- Whether browsers use a bucket directly, and changes of storages that wait for their check.
--
-- An older replica goes on without both: it asks for CORS in each check, and a change that it makes itself
-- is in the storage's own row at once. A pending change of the earlier connection is then not used: its
-- `replaces_revision` is not the storage's any more.

ALTER TABLE setups ADD COLUMN browser_access INTEGER NOT NULL DEFAULT 1;
ALTER TABLE storages ADD COLUMN browser_access INTEGER NOT NULL DEFAULT 1;
-- The highest revision that a pending change of the storage has had.
ALTER TABLE storages ADD COLUMN last_pending_revision INTEGER NOT NULL DEFAULT 0;
-- 1: a check of a pending change that did not come into use.
ALTER TABLE checks ADD COLUMN of_pending INTEGER NOT NULL DEFAULT 0;

-- At most one for each storage. The secret is sealed for `sealed_for`, as in `storages`.
CREATE TABLE pending_connections (
    workspace_id TEXT NOT NULL,
    storage_id TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    access TEXT NOT NULL,
    region TEXT,
    kms_key_arn TEXT,
    bucket_account_id TEXT,
    requester_pays INTEGER NOT NULL,
    browser_access INTEGER NOT NULL,
    auth TEXT NOT NULL,
    role_arn TEXT,
    external_id TEXT,
    access_key_id TEXT,
    secret BLOB,
    sealed_for TEXT,
    endpoint TEXT,
    revision INTEGER NOT NULL,
    replaces_revision INTEGER NOT NULL,
    last_check_id TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, storage_id),
    FOREIGN KEY (workspace_id, storage_id) REFERENCES storages (workspace_id, id) ON DELETE CASCADE
) STRICT;
