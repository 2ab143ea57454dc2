-- What is removed after its time, and checks that take long.
--
-- An older replica goes on: it takes slow jobs like any others, and removes nothing. It cannot remove entries
-- of the audit log, as before.

-- 1: the job took long the last time. Such jobs have workers of their own.
ALTER TABLE jobs ADD COLUMN slow BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_held ON jobs (kind, lease_until);

-- Who does what only one replica does at a time.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);

CREATE INDEX setups_by_end ON setups (expires_at);
CREATE INDEX setups_with_secret ON setups (expires_at) WHERE secret IS NOT NULL;
CREATE INDEX instruction_links_by_end ON instruction_links (expires_at);
CREATE INDEX audit_log_time ON audit_log (occurred_at);

-- Entries of the audit log from before `exported_before` have been exported, and may be removed. All others
-- are refused.
CREATE TABLE audit_exports (
    exported_before BIGINT NOT NULL PRIMARY KEY,
    exported_at BIGINT NOT NULL,
    entries BIGINT NOT NULL
);

CREATE TRIGGER audit_exports_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_exports
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_unexported() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_exports WHERE exported_before > OLD.occurred_at) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the table % can only grow', TG_TABLE_NAME;
END;
$$;

DROP TRIGGER audit_log_no_change ON audit_log;
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_unexported();
