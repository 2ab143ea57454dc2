-- IDs are text, times whole microseconds since 1970, secrets sealed bytes. The PostgreSQL schema beside
-- this one has the same tables and columns.

CREATE TABLE workspaces (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- SHA-256 of the secret.
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    UNIQUE (workspace_id, id)
) STRICT;

-- Every external ID ever issued. Rows stay for ever, so that none is issued or used twice.
CREATE TABLE external_ids (
    external_id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER external_ids_no_update BEFORE UPDATE ON external_ids
BEGIN SELECT RAISE(ABORT, 'external IDs are kept for ever'); END;
CREATE TRIGGER external_ids_no_delete BEFORE DELETE ON external_ids
BEGIN SELECT RAISE(ABORT, 'external IDs are kept for ever'); END;

CREATE TABLE setups (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    external_id TEXT NOT NULL UNIQUE REFERENCES external_ids (external_id),
    display_name TEXT,
    bucket TEXT,
    prefix TEXT NOT NULL,
    access TEXT NOT NULL,
    auth TEXT NOT NULL,
    role_arn TEXT,
    region TEXT,
    kms_key_arn TEXT,
    access_key_id TEXT,
    secret BLOB,
    endpoint TEXT,
    revision INTEGER NOT NULL,
    last_check_id TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- For the lists, and for the reference from `storages`.
    UNIQUE (workspace_id, id, external_id)
) STRICT;

CREATE TABLE storages (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    setup_id TEXT NOT NULL UNIQUE REFERENCES setups (id),
    display_name TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    access TEXT NOT NULL,
    region TEXT,
    kms_key_arn TEXT,
    auth TEXT NOT NULL,
    role_arn TEXT,
    external_id TEXT,
    access_key_id TEXT,
    secret BLOB,
    sealed_for TEXT,
    endpoint TEXT,
    revision INTEGER NOT NULL,
    verified_revision INTEGER NOT NULL,
    health TEXT NOT NULL,
    health_since INTEGER NOT NULL,
    last_check_id TEXT,
    next_check_at INTEGER NOT NULL,
    -- Kept by every transaction that creates or deletes a project.
    project_count INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace_id, id),
    -- A storage can have no other external ID than that of its own setup.
    FOREIGN KEY (workspace_id, setup_id, external_id) REFERENCES setups (workspace_id, id, external_id)
) STRICT;

CREATE INDEX storages_next_check ON storages (next_check_at);

-- A workspace without a row here uses the built-in storage.
CREATE TABLE default_storages (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    storage_id TEXT NOT NULL,
    FOREIGN KEY (workspace_id, storage_id) REFERENCES storages (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX default_storages_storage ON default_storages (workspace_id, storage_id);

CREATE TABLE checks (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    setup_id TEXT REFERENCES setups (id) ON DELETE CASCADE,
    storage_id TEXT REFERENCES storages (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    region TEXT,
    -- The ten steps, as JSON.
    steps TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    CHECK ((setup_id IS NULL) <> (storage_id IS NULL))
) STRICT;

CREATE INDEX checks_setup ON checks (setup_id, id);
CREATE INDEX checks_storage ON checks (storage_id, id);

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    storage_id TEXT,
    status TEXT NOT NULL,
    progress_done INTEGER NOT NULL,
    progress_total INTEGER,
    file_count INTEGER NOT NULL,
    total_size INTEGER NOT NULL,
    skipped_count INTEGER NOT NULL,
    failure_code TEXT,
    failure_detail TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace_id, id),
    -- Checked when the statement ends, so that a workspace can go with its storages and projects at
    -- once, and a storage in use cannot go alone.
    FOREIGN KEY (workspace_id, storage_id) REFERENCES storages (workspace_id, id)
) STRICT;

CREATE INDEX projects_storage ON projects (workspace_id, storage_id);

CREATE TABLE project_files (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    -- The file key, without its leading slash.
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT,
    PRIMARY KEY (project_id, position)
) STRICT;

CREATE INDEX project_files_path ON project_files (project_id, path);

-- Imports under way. `lease_until` is 0 while nobody works on one.
CREATE TABLE imports (
    project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    import_cursor TEXT,
    worker TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Without a reference to workspaces: the log outlives them.
CREATE TABLE audit_log (
    id TEXT NOT NULL PRIMARY KEY,
    occurred_at INTEGER NOT NULL,
    workspace_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    result TEXT NOT NULL,
    code TEXT,
    remote_addr TEXT,
    request_id TEXT
) STRICT;

CREATE INDEX audit_log_workspace ON audit_log (workspace_id, id);

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    -- Absent while the request is under way.
    sealed_answer BLOB,
    PRIMARY KEY (scope, idempotency_key)
) STRICT;

CREATE INDEX idempotency_keys_age ON idempotency_keys (started_at);

-- What the service itself remembers, like the hash of a token that it made on its first start.
CREATE TABLE remembered (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
