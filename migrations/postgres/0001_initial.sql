-- IDs are text, times whole microseconds since 1970, secrets sealed bytes. The SQLite schema beside this
-- one has the same tables and columns.
--
-- IDs compare byte for byte (COLLATE "C"), whatever the database's own collation is: lists are ordered
-- by them.

CREATE TABLE workspaces (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- SHA-256 of the secret.
    hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    UNIQUE (workspace_id, id)
);

-- Every external ID ever issued. Rows stay for ever, so that none is issued or used twice.
CREATE TABLE external_ids (
    external_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the table % can only grow', TG_TABLE_NAME;
END;
$$;

CREATE TRIGGER external_ids_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON external_ids
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE setups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES external_ids (external_id),
    display_name TEXT,
    bucket TEXT,
    prefix TEXT NOT NULL,
    access TEXT NOT NULL,
    auth TEXT NOT NULL,
    role_arn TEXT,
    region TEXT,
    kms_key_arn TEXT,
    access_key_id TEXT COLLATE "C",
    secret BYTEA,
    endpoint TEXT,
    revision BIGINT NOT NULL,
    last_check_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- For the lists, and for the reference from `storages`.
    UNIQUE (workspace_id, id, external_id)
);

CREATE TABLE storages (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    setup_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES setups (id),
    display_name TEXT NOT NULL,
    bucket TEXT NOT NULL,
    prefix TEXT NOT NULL,
    access TEXT NOT NULL,
    region TEXT,
    kms_key_arn TEXT,
    auth TEXT NOT NULL,
    role_arn TEXT,
    external_id TEXT COLLATE "C",
    access_key_id TEXT COLLATE "C",
    secret BYTEA,
    sealed_for TEXT,
    endpoint TEXT,
    revision BIGINT NOT NULL,
    verified_revision BIGINT NOT NULL,
    health TEXT NOT NULL,
    health_since BIGINT NOT NULL,
    last_check_id TEXT COLLATE "C",
    next_check_at BIGINT NOT NULL,
    -- Kept by every transaction that creates or deletes a project.
    project_count BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace_id, id),
    -- A storage can have no other external ID than that of its own setup.
    FOREIGN KEY (workspace_id, setup_id, external_id) REFERENCES setups (workspace_id, id, external_id)
);

CREATE INDEX storages_next_check ON storages (next_check_at);

-- A workspace without a row here uses the built-in storage.
CREATE TABLE default_storages (
    workspace_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    storage_id TEXT COLLATE "C" NOT NULL,
    FOREIGN KEY (workspace_id, storage_id) REFERENCES storages (workspace_id, id) ON DELETE CASCADE
);

CREATE INDEX default_storages_storage ON default_storages (workspace_id, storage_id);

CREATE TABLE checks (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    setup_id TEXT COLLATE "C" REFERENCES setups (id) ON DELETE CASCADE,
    storage_id TEXT COLLATE "C" REFERENCES storages (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    region TEXT,
    -- The ten steps, as JSON.
    steps TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    CHECK ((setup_id IS NULL) <> (storage_id IS NULL))
);

CREATE INDEX checks_setup ON checks (setup_id, id);
CREATE INDEX checks_storage ON checks (storage_id, id);

CREATE TABLE projects (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    storage_id TEXT COLLATE "C",
    status TEXT NOT NULL,
    progress_done BIGINT NOT NULL,
    progress_total BIGINT,
    file_count BIGINT NOT NULL,
    total_size BIGINT NOT NULL,
    skipped_count BIGINT NOT NULL,
    failure_code TEXT,
    failure_detail TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace_id, id),
    -- Checked when the statement ends, so that a workspace can go with its storages and projects at
    -- once, and a storage in use cannot go alone.
    FOREIGN KEY (workspace_id, storage_id) REFERENCES storages (workspace_id, id)
);

CREATE INDEX projects_storage ON projects (workspace_id, storage_id);

CREATE TABLE project_files (
    project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    -- The file key, without its leading slash.
    path TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT,
    PRIMARY KEY (project_id, position)
);

CREATE INDEX project_files_path ON project_files (project_id, path);

-- Imports under way. `lease_until` is 0 while nobody works on one.
CREATE TABLE imports (
    project_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    import_cursor TEXT,
    worker TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0
);

-- Without a reference to workspaces: the log outlives them.
CREATE TABLE audit_log (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    occurred_at BIGINT NOT NULL,
    workspace_id TEXT COLLATE "C",
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    result TEXT NOT NULL,
    code TEXT,
    remote_addr TEXT,
    request_id TEXT COLLATE "C"
);

CREATE INDEX audit_log_workspace ON audit_log (workspace_id, id);

CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    started_at BIGINT NOT NULL,
    -- Absent while the request is under way.
    sealed_answer BYTEA,
    PRIMARY KEY (scope, idempotency_key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (started_at);

-- What the service itself remembers, like the hash of a token that it made on its first start.
CREATE TABLE remembered (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
