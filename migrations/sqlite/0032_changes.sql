-- What was changed of the rows that a process keeps in memory: tokens, product keys, sessions, workspaces, storages and
-- allowed origins. Triggers write it, so no statement of any release can forget to; processes read it a few times a
-- second and forget what they kept of the scope.
--
-- A replica of an older release keeps nothing in memory. What it changes is noted here, too.

CREATE TABLE changes (
    -- No number is given out twice: a reader goes on after the last one that it has seen.
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- The ID of a workspace, or `product` for what belongs to none. Only the last change of a scope has a row.
    scope TEXT NOT NULL,
    changed_at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000000),
    -- PostgreSQL's number of the transaction.
    xid INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX changes_scope ON changes (scope);
CREATE INDEX changes_by_time ON changes (changed_at);

-- Without ON CONFLICT: the clause of the statement that fires a trigger would hold in place of the trigger's own.
-- Columns that are left out are not in what is kept, or, like `last_used_at`, need not be as they are now.

CREATE TRIGGER workspaces_inserted AFTER INSERT ON workspaces
BEGIN
    DELETE FROM changes WHERE scope = NEW.id;
    INSERT INTO changes (scope) VALUES (NEW.id);
END;

CREATE TRIGGER workspaces_updated AFTER UPDATE OF
    id, name, created_at, external_id, metadata, suspended_at, suspended_reason, limit_storages,
    limit_requests_per_minute, limit_transfers
ON workspaces
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.id, NEW.id);
    INSERT INTO changes (scope) SELECT OLD.id UNION SELECT NEW.id;
END;

CREATE TRIGGER workspaces_deleted AFTER DELETE ON workspaces
BEGIN
    DELETE FROM changes WHERE scope = OLD.id;
    INSERT INTO changes (scope) VALUES (OLD.id);
END;

CREATE TRIGGER default_storages_inserted AFTER INSERT ON default_storages
BEGIN
    DELETE FROM changes WHERE scope = NEW.workspace_id;
    INSERT INTO changes (scope) VALUES (NEW.workspace_id);
END;

CREATE TRIGGER default_storages_updated AFTER UPDATE OF
    workspace_id, storage_id
ON default_storages
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;

CREATE TRIGGER default_storages_deleted AFTER DELETE ON default_storages
BEGIN
    DELETE FROM changes WHERE scope = OLD.workspace_id;
    INSERT INTO changes (scope) VALUES (OLD.workspace_id);
END;

CREATE TRIGGER api_tokens_inserted AFTER INSERT ON api_tokens
BEGIN
    DELETE FROM changes WHERE scope = NEW.workspace_id;
    INSERT INTO changes (scope) VALUES (NEW.workspace_id);
END;

CREATE TRIGGER api_tokens_updated AFTER UPDATE OF
    id, workspace_id, name, role, hash, created_at, expires_at, storage_ids, folders, write_folders,
    narrowed_hash
ON api_tokens
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;

CREATE TRIGGER api_tokens_deleted AFTER DELETE ON api_tokens
BEGIN
    DELETE FROM changes WHERE scope = OLD.workspace_id;
    INSERT INTO changes (scope) VALUES (OLD.workspace_id);
END;

CREATE TRIGGER sessions_inserted AFTER INSERT ON sessions
BEGIN
    DELETE FROM changes WHERE scope = NEW.workspace_id;
    INSERT INTO changes (scope) VALUES (NEW.workspace_id);
END;

CREATE TRIGGER sessions_updated AFTER UPDATE OF
    id, workspace_id, hash, role, return_url, created_at, seen_at, expires_at, refresh_url, embed,
    subject_id, subject_name, made_by_token, made_by_key
ON sessions
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;

CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions
BEGIN
    DELETE FROM changes WHERE scope = OLD.workspace_id;
    INSERT INTO changes (scope) VALUES (OLD.workspace_id);
END;

CREATE TRIGGER storages_inserted AFTER INSERT ON storages
BEGIN
    DELETE FROM changes WHERE scope = NEW.workspace_id;
    INSERT INTO changes (scope) VALUES (NEW.workspace_id);
END;

CREATE TRIGGER storages_updated AFTER UPDATE OF
    id, workspace_id, setup_id, display_name, bucket, prefix, access, region, kms_key_arn, auth,
    role_arn, external_id, access_key_id, secret, sealed_for, endpoint, revision, verified_revision,
    health, health_since, last_check_id, project_count, created_at, bucket_account_id,
    requester_pays, quarantined_at, quarantine_check_id, quarantine_code, health_code,
    browser_access, health_as_of, last_good_check_id, first_bad_check_id, health_check_id,
    object_acls, object_versions, lifecycle, permissions_boundary_arn, access_key_set_at
ON storages
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;

CREATE TRIGGER storages_deleted AFTER DELETE ON storages
BEGIN
    DELETE FROM changes WHERE scope = OLD.workspace_id;
    INSERT INTO changes (scope) VALUES (OLD.workspace_id);
END;

CREATE TRIGGER workspace_origins_inserted AFTER INSERT ON workspace_origins
BEGIN
    DELETE FROM changes WHERE scope = NEW.workspace_id;
    INSERT INTO changes (scope) VALUES (NEW.workspace_id);
END;

CREATE TRIGGER workspace_origins_updated AFTER UPDATE OF
    workspace_id, position, origin
ON workspace_origins
BEGIN
    DELETE FROM changes WHERE scope IN (OLD.workspace_id, NEW.workspace_id);
    INSERT INTO changes (scope) SELECT OLD.workspace_id UNION SELECT NEW.workspace_id;
END;

CREATE TRIGGER workspace_origins_deleted AFTER DELETE ON workspace_origins
BEGIN
    DELETE FROM changes WHERE scope = OLD.workspace_id;
    INSERT INTO changes (scope) VALUES (OLD.workspace_id);
END;

CREATE TRIGGER product_keys_inserted AFTER INSERT ON product_keys
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;

CREATE TRIGGER product_keys_updated AFTER UPDATE OF
    id, name, scopes, hash, created_at, expires_at
ON product_keys
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;

CREATE TRIGGER product_keys_deleted AFTER DELETE ON product_keys
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;

CREATE TRIGGER remembered_inserted AFTER INSERT ON remembered
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;

CREATE TRIGGER remembered_updated AFTER UPDATE OF
    name, value
ON remembered
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;

CREATE TRIGGER remembered_deleted AFTER DELETE ON remembered
BEGIN
    DELETE FROM changes WHERE scope = 'product';
    INSERT INTO changes (scope) VALUES ('product');
END;
