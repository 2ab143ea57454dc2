-- Work in the background: one leased table for every kind of it. `lease_until` is 0 while nobody holds a
-- job. A job is deleted with its subject (a project, a storage).
CREATE TABLE jobs (
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    payload TEXT NOT NULL,
    job_cursor TEXT,
    due_at INTEGER NOT NULL,
    worker TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, subject_id)
) STRICT;
CREATE INDEX jobs_due ON jobs (kind, due_at);
CREATE INDEX jobs_subject ON jobs (subject_id);

-- Which workspace had its turn when: the smallest number, or none, comes next.
CREATE TABLE job_turns (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, kind)
) STRICT;

-- What is under way goes on. A paused import keeps its pause, a scheduled check its time.
INSERT INTO jobs (kind, subject_id, workspace_id, payload, job_cursor, due_at)
    SELECT 'import', i.project_id, p.workspace_id, i.source, i.import_cursor, i.lease_until
    FROM imports i JOIN projects p ON p.id = i.project_id;
-- A worker of an older release finds its import gone, and stores nothing more of it.
DELETE FROM imports;
INSERT INTO jobs (kind, subject_id, workspace_id, payload, due_at)
    SELECT 'check', id, workspace_id, '', next_check_at FROM storages;

-- `imports` and `storages.next_check_at` are not used any more. They stay for replicas of an older release
-- that still run during an upgrade; what such a replica adds becomes a job at once.
CREATE TRIGGER imports_become_jobs AFTER INSERT ON imports BEGIN
    INSERT INTO jobs (kind, subject_id, workspace_id, payload, job_cursor, due_at)
        SELECT 'import', NEW.project_id, p.workspace_id, NEW.source, NEW.import_cursor, 0
        FROM projects p WHERE p.id = NEW.project_id
        ON CONFLICT (kind, subject_id) DO NOTHING;
    DELETE FROM imports WHERE project_id = NEW.project_id;
END;
CREATE TRIGGER storages_are_checked AFTER INSERT ON storages BEGIN
    INSERT INTO jobs (kind, subject_id, workspace_id, payload, due_at)
        VALUES ('check', NEW.id, NEW.workspace_id, '', NEW.next_check_at)
        ON CONFLICT (kind, subject_id) DO NOTHING;
END;
