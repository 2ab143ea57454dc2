-- Indexes for what took longer the more storages there are: the next job, counts of jobs, a workspace's storages of a
-- bucket, and the end of a workspace.
--
-- A replica of an older release uses them too.

CREATE INDEX jobs_to_do ON jobs (kind, slow, due_at);
CREATE INDEX jobs_of_workspace ON jobs (workspace_id);
CREATE INDEX job_turns_last ON job_turns (kind, turn);
CREATE INDEX storages_of_bucket ON storages (workspace_id, bucket, id);
CREATE INDEX sign_in_links_of_workspace ON sign_in_links (workspace_id);
CREATE INDEX instruction_links_of_workspace ON instruction_links (workspace_id);
