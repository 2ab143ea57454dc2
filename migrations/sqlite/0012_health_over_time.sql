-- How a storage is, over time: the checks that tell what changed, when the check began that decided the state
-- last, and who sees changes of the state in the audit log.
--
-- An older replica goes on: it moves the state and leaves these columns as they are. What they say is then of
-- an earlier spell, and a newer replica shows only what fits the state. Its own next check of the storage sets
-- them right.
ALTER TABLE storages ADD COLUMN health_as_of INTEGER;
ALTER TABLE storages ADD COLUMN last_good_check_id TEXT;
ALTER TABLE storages ADD COLUMN first_bad_check_id TEXT;
-- The check that found the present state with the present code first.
ALTER TABLE storages ADD COLUMN health_check_id TEXT;
UPDATE storages SET last_good_check_id = last_check_id WHERE health = 'healthy';
CREATE INDEX storages_by_health ON storages (health);

-- What a change of a state led from and to. Both or none.
ALTER TABLE audit_log ADD COLUMN state_before TEXT;
ALTER TABLE audit_log ADD COLUMN state_after TEXT;
-- Who put a changed connection into use.
CREATE INDEX audit_log_connections ON audit_log (target, occurred_at) WHERE action = 'use_pending_change';
