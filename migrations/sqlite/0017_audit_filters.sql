-- The audit log by what was done and by who did it.
CREATE INDEX audit_log_action ON audit_log (workspace_id, action, id);
CREATE INDEX audit_log_actor ON audit_log (workspace_id, actor, id);
