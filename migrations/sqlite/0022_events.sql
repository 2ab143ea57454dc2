-- Events of all workspaces in one order, the webhooks that they are sent to, and what became of each delivery.
--
-- A replica of an older release writes no events and sends none. What it changes is missing among the events.

CREATE TABLE events (
    -- The order in which the changes were committed. Numbers may be left out.
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    -- Without a foreign key: checking one would wait for whoever deletes the workspace, while every other event waits
    -- for this one. A workspace's events are deleted with it.
    workspace_id TEXT NOT NULL,
    -- A JSON object, as it is sent.
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_of_workspace ON events (workspace_id, seq);
CREATE INDEX events_by_time ON events (created_at);

CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    -- NULL: the operator's, for all workspaces.
    workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    -- Separated by commas; empty for all.
    types TEXT NOT NULL,
    description TEXT,
    is_enabled INTEGER NOT NULL,
    -- Its receiver has answered 410.
    is_gone INTEGER NOT NULL DEFAULT 0,
    -- The last attempt failed or took long: it is served apart from the others.
    is_slow INTEGER NOT NULL DEFAULT 0,
    -- Since when no attempt has succeeded.
    failing_since INTEGER,
    secret BLOB NOT NULL,
    -- Signs too, until its time is over.
    previous_secret BLOB,
    previous_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhooks_of_workspace ON webhooks (workspace_id);

CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    -- Without a foreign key, as in `events`. Those of a webhook are deleted with it.
    webhook_id TEXT NOT NULL,
    event_seq INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    worker TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    last_attempt_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_seq);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_held ON webhook_deliveries (lease_until) WHERE status = 'pending';

-- The product's person for whom something was done last.
ALTER TABLE setups ADD COLUMN on_behalf_of TEXT;
ALTER TABLE projects ADD COLUMN on_behalf_of TEXT;
ALTER TABLE pending_connections ADD COLUMN on_behalf_of TEXT;

-- Whether the event of the setup's expiry was written. Setups that have expired by now have none.
ALTER TABLE setups ADD COLUMN expiry_noted INTEGER NOT NULL DEFAULT 0;
UPDATE setups SET expiry_noted = 1 WHERE expires_at < CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
CREATE INDEX setups_to_expire ON setups (expires_at) WHERE status = 'open' AND expiry_noted = 0;
