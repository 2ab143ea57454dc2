-- The account that a setup's role is made in, the role's path and boundary; waiting for a role; dialogs that were
-- opened and left.
--
-- An older replica goes on without: for it a setup without a role ARN is not complete, its documents have neither
-- path nor boundary, and it waits for no role.

ALTER TABLE setups ADD COLUMN customer_account_id TEXT;
ALTER TABLE setups ADD COLUMN customer_partition TEXT;
ALTER TABLE setups ADD COLUMN role_path TEXT NOT NULL DEFAULT '/';
-- When the dialog of a setup that began there was last open. NULL: it was opened by the API, or before this.
ALTER TABLE setups ADD COLUMN dialog_open_at BIGINT;
CREATE INDEX setups_left ON setups (dialog_open_at) WHERE dialog_open_at IS NOT NULL;
ALTER TABLE setups ADD COLUMN permissions_boundary_arn TEXT;
ALTER TABLE storages ADD COLUMN permissions_boundary_arn TEXT;
ALTER TABLE pending_connections ADD COLUMN permissions_boundary_arn TEXT;

-- At most one for each setup: the role that it waits for, and how far that is.
CREATE TABLE role_waits (
    setup_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES setups (id) ON DELETE CASCADE,
    workspace_id TEXT COLLATE "C" NOT NULL,
    role_arn TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- When it is tried next. NULL: it is not tried any more.
    due BIGINT,
    tries BIGINT NOT NULL DEFAULT 0,
    -- How many of the tries came while nobody watched, one after the other.
    unwatched_tries BIGINT NOT NULL DEFAULT 0,
    last_tried_at BIGINT,
    outcome TEXT,
    -- Until when somebody watches, unless they say so again.
    watched_until BIGINT,
    appeared_at BIGINT
);
CREATE INDEX role_waits_due ON role_waits (due) WHERE due IS NOT NULL;
CREATE INDEX role_waits_of_workspace ON role_waits (workspace_id, due);
CREATE INDEX role_waits_tried ON role_waits (last_tried_at);
