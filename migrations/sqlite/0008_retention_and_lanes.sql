-- What is removed after its time, and checks that take long.
--
-- An older replica goes on: it takes slow jobs like any others, and removes nothing. It cannot remove entries
-- of the audit log, as before.

-- 1: the job took long the last time. Such jobs have workers of their own.
ALTER TABLE jobs ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_held ON jobs (kind, lease_until);

-- Who does what only one replica does at a time.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE INDEX setups_by_end ON setups (expires_at);
CREATE INDEX setups_with_secret ON setups (expires_at) WHERE secret IS NOT NULL;
CREATE INDEX instruction_links_by_end ON instruction_links (expires_at);
CREATE INDEX audit_log_time ON audit_log (occurred_at);

-- Entries of the audit log from before `exported_before` have been exported, and may be removed. All others
-- are refused.
CREATE TABLE audit_exports (
    exported_before INTEGER NOT NULL PRIMARY KEY,
    exported_at INTEGER NOT NULL,
    entries INTEGER NOT NULL
) STRICT;

CREATE TRIGGER audit_exports_no_update BEFORE UPDATE ON audit_exports
BEGIN SELECT RAISE(ABORT, 'the record of exports can only grow'); END;
CREATE TRIGGER audit_exports_no_delete BEFORE DELETE ON audit_exports
BEGIN SELECT RAISE(ABORT, 'the record of exports can only grow'); END;

DROP TRIGGER audit_log_no_delete;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
WHEN NOT EXISTS (SELECT 1 FROM audit_exports WHERE exported_before > OLD.occurred_at)
BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END;
