-- Lines of workspaces that have jobs, so that the next job is found without a look at all that are due; indexes for what
-- is counted and removed.
--
-- A replica of an older release takes jobs by `jobs` and `job_turns` alone, and the triggers keep the lines right. Its
-- turns are not counted here.

-- The jobs of a workspace, of one kind and pace.
CREATE TABLE job_lines (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    slow INTEGER NOT NULL,
    -- No job of the line may be taken before this. It may be too early: a trigger makes it earlier with each job, and
    -- only a worker who has looked makes it later. The largest number: until another job comes, or the workspace is not
    -- suspended any more.
    due_at INTEGER NOT NULL,
    -- 1: its time has come, and workers look at it in the order of the turns.
    is_waiting INTEGER NOT NULL DEFAULT 0,
    -- The smallest number comes next.
    turn INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, kind, slow)
) STRICT;

CREATE INDEX job_lines_turn ON job_lines (kind, slow, is_waiting, turn, due_at, workspace_id);
CREATE INDEX job_lines_due ON job_lines (kind, slow, is_waiting, due_at, workspace_id);
CREATE INDEX jobs_of_line ON jobs (kind, slow, workspace_id, due_at, subject_id);
CREATE INDEX jobs_held_of_line ON jobs (kind, slow, workspace_id, lease_until) WHERE lease_until > 0;

CREATE TRIGGER jobs_join_line AFTER INSERT ON jobs
BEGIN
    INSERT INTO job_lines (workspace_id, kind, slow, due_at)
        SELECT NEW.workspace_id, NEW.kind, NEW.slow, NEW.due_at WHERE NOT EXISTS (
            SELECT 1 FROM job_lines
            WHERE workspace_id = NEW.workspace_id AND kind = NEW.kind AND slow = NEW.slow);
    UPDATE job_lines SET due_at = NEW.due_at
        WHERE workspace_id = NEW.workspace_id AND kind = NEW.kind AND slow = NEW.slow
            AND due_at > NEW.due_at;
END;

CREATE TRIGGER jobs_join_line_again AFTER UPDATE OF due_at, slow, lease_until ON jobs
WHEN NEW.due_at < OLD.due_at OR NEW.lease_until < OLD.lease_until OR NEW.slow <> OLD.slow
BEGIN
    INSERT INTO job_lines (workspace_id, kind, slow, due_at)
        SELECT NEW.workspace_id, NEW.kind, NEW.slow, NEW.due_at WHERE NOT EXISTS (
            SELECT 1 FROM job_lines
            WHERE workspace_id = NEW.workspace_id AND kind = NEW.kind AND slow = NEW.slow);
    UPDATE job_lines SET due_at = NEW.due_at
        WHERE workspace_id = NEW.workspace_id AND kind = NEW.kind AND slow = NEW.slow
            AND due_at > NEW.due_at;
END;

-- Workers have put the lines of a suspended workspace aside.
CREATE TRIGGER workspaces_join_lines AFTER UPDATE OF suspended_at ON workspaces
WHEN NEW.suspended_at IS NULL AND OLD.suspended_at IS NOT NULL
BEGIN UPDATE job_lines SET due_at = 0 WHERE workspace_id = NEW.id; END;

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
