-- What was changed of the rows that a process keeps in memory: tokens, product keys, sessions, workspaces, storages and
-- allowed origins. Triggers write it, so no statement of any release can forget to; processes read it a few times a
-- second and forget what they kept of the scope.
--
-- A replica of an older release keeps nothing in memory. What it changes is noted here, too.

CREATE TABLE changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The ID of a workspace, `product` for what belongs to none, or `everything`.
    scope TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    -- The transaction. `id` does not say in which order changes come to be seen: a transaction that began early may
    -- commit late.
    xid BIGINT NOT NULL
);

CREATE INDEX changes_by_transaction ON changes (xid);
CREATE INDEX changes_by_time ON changes (changed_at);

-- Notes a change, and tells those who listen. A transaction that changes many rows of one scope notes it once.
CREATE FUNCTION note_scope(changed TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('sallyport.changed', true) IS NOT DISTINCT FROM changed THEN
        RETURN;
    END IF;
    -- Until the transaction ends, or is rolled back to before this.
    PERFORM set_config('sallyport.changed', changed, true);
    INSERT INTO changes (scope, changed_at, xid) VALUES (
        changed,
        CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT),
        CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
    );
    PERFORM pg_notify('sallyport_changes', changed);
END;
$$;

-- Its argument is the column that has the workspace's ID.
CREATE FUNCTION note_change_of_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM note_scope(to_jsonb(OLD) ->> TG_ARGV[0]);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM note_scope(to_jsonb(NEW) ->> TG_ARGV[0]);
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION note_change_of_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_scope('product');
    RETURN NULL;
END;
$$;

CREATE FUNCTION note_change_of_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_scope('everything');
    RETURN NULL;
END;
$$;

-- Columns that are left out are not in what is kept, or, like `last_used_at`, need not be as they are now.

CREATE TRIGGER workspaces_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, name, created_at, external_id, metadata, suspended_at, suspended_reason, limit_storages,
    limit_requests_per_minute, limit_transfers
ON workspaces FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('id');
CREATE TRIGGER workspaces_emptied AFTER TRUNCATE ON workspaces
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER default_storages_changed AFTER INSERT OR DELETE OR UPDATE OF
    workspace_id, storage_id
ON default_storages FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
CREATE TRIGGER default_storages_emptied AFTER TRUNCATE ON default_storages
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER api_tokens_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, workspace_id, name, role, hash, created_at, expires_at, storage_ids, folders, write_folders,
    narrowed_hash
ON api_tokens FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
CREATE TRIGGER api_tokens_emptied AFTER TRUNCATE ON api_tokens
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER sessions_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, workspace_id, hash, role, return_url, created_at, seen_at, expires_at, refresh_url, embed,
    subject_id, subject_name, made_by_token, made_by_key
ON sessions FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
CREATE TRIGGER sessions_emptied AFTER TRUNCATE ON sessions
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER storages_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, workspace_id, setup_id, display_name, bucket, prefix, access, region, kms_key_arn, auth,
    role_arn, external_id, access_key_id, secret, sealed_for, endpoint, revision, verified_revision,
    health, health_since, last_check_id, project_count, created_at, bucket_account_id,
    requester_pays, quarantined_at, quarantine_check_id, quarantine_code, health_code,
    browser_access, health_as_of, last_good_check_id, first_bad_check_id, health_check_id,
    object_acls, object_versions, lifecycle, permissions_boundary_arn, access_key_set_at
ON storages FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
CREATE TRIGGER storages_emptied AFTER TRUNCATE ON storages
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER workspace_origins_changed AFTER INSERT OR DELETE OR UPDATE OF
    workspace_id, position, origin
ON workspace_origins FOR EACH ROW EXECUTE FUNCTION note_change_of_workspace('workspace_id');
CREATE TRIGGER workspace_origins_emptied AFTER TRUNCATE ON workspace_origins
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER product_keys_changed AFTER INSERT OR DELETE OR UPDATE OF
    id, name, scopes, hash, created_at, expires_at
ON product_keys FOR EACH ROW EXECUTE FUNCTION note_change_of_product();
CREATE TRIGGER product_keys_emptied AFTER TRUNCATE ON product_keys
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();

CREATE TRIGGER remembered_changed AFTER INSERT OR DELETE OR UPDATE OF
    name, value
ON remembered FOR EACH ROW EXECUTE FUNCTION note_change_of_product();
CREATE TRIGGER remembered_emptied AFTER TRUNCATE ON remembered
FOR EACH STATEMENT EXECUTE FUNCTION note_change_of_everything();
