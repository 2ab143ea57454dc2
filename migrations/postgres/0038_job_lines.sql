-- Lines of workspaces that have jobs, so that the next job is found without a look at all that are due; indexes for what
-- is counted and removed.
--
-- A replica of an older release takes jobs by `jobs` and `job_turns` alone, and the triggers keep the lines right. Its
-- turns are not counted here.

-- The jobs of a workspace, of one kind and pace.
CREATE TABLE job_lines (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    slow BIGINT NOT NULL,
    -- No job of the line may be taken before this. It may be too early: a trigger makes it earlier with each job, and
    -- only a worker who has looked makes it later. The largest number: until another job comes, or the workspace is not
    -- suspended any more.
    due_at BIGINT NOT NULL,
    -- 1: its time has come, and workers look at it in the order of the turns.
    is_waiting BIGINT NOT NULL DEFAULT 0,
    -- The smallest number comes next.
    turn BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, kind, slow)
);

CREATE INDEX job_lines_turn ON job_lines (kind, slow, is_waiting, turn, due_at, workspace_id);
CREATE INDEX job_lines_due ON job_lines (kind, slow, is_waiting, due_at, workspace_id);
CREATE INDEX jobs_of_line ON jobs (kind, slow, workspace_id, due_at, subject_id);
CREATE INDEX jobs_held_of_line ON jobs (kind, slow, workspace_id, lease_until) WHERE lease_until > 0;

-- The line is locked also where it stays as it is. A worker who holds it has read the jobs of before, and what it writes
-- comes first.
CREATE FUNCTION join_job_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_lines (workspace_id, kind, slow, due_at)
        VALUES (NEW.workspace_id, NEW.kind, NEW.slow, NEW.due_at)
        ON CONFLICT (workspace_id, kind, slow) DO UPDATE SET due_at = excluded.due_at
            WHERE job_lines.due_at > excluded.due_at;
    RETURN NULL;
END;
$$;
CREATE TRIGGER jobs_join_line AFTER INSERT ON jobs
FOR EACH ROW EXECUTE FUNCTION join_job_line();
CREATE TRIGGER jobs_join_line_again AFTER UPDATE OF due_at, slow, lease_until ON jobs FOR EACH ROW
WHEN (NEW.due_at < OLD.due_at OR NEW.lease_until < OLD.lease_until OR NEW.slow <> OLD.slow)
EXECUTE FUNCTION join_job_line();

-- Workers have put the lines of a suspended workspace aside.
CREATE FUNCTION join_job_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE job_lines SET due_at = 0 WHERE workspace_id = NEW.id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER workspaces_join_lines AFTER UPDATE OF suspended_at ON workspaces FOR EACH ROW
WHEN (NEW.suspended_at IS NULL AND OLD.suspended_at IS NOT NULL)
EXECUTE FUNCTION join_job_lines();

INSERT INTO job_lines (workspace_id, kind, slow, due_at, turn)
    SELECT j.workspace_id, j.kind, j.slow, MIN(j.due_at), COALESCE(MAX(t.turn), 0)
    FROM jobs j LEFT JOIN job_turns t ON t.workspace_id = j.workspace_id AND t.kind = j.kind
    GROUP BY j.workspace_id, j.kind, j.slow;

-- The deliveries of each webhook that are on their way: one with many keeps no other's waiting.
CREATE INDEX webhook_deliveries_on_their_way
    ON webhook_deliveries (webhook_id, due_at, event_seq, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_held_of_webhook
    ON webhook_deliveries (webhook_id, lease_until) WHERE status = 'pending' AND lease_until > 0;
-- Dialogs that were left, without the many setups that became storages.
CREATE INDEX setups_left_untouched ON setups (dialog_open_at)
    WHERE dialog_open_at IS NOT NULL AND status = 'open' AND revision = 1;
-- For their count.
CREATE INDEX projects_status ON projects (status);
