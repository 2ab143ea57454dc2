-- A storage whose role lets others in is not used. All three columns, or none; `health_code` is the code of
-- the problem that decided the health.
--
-- A replica of an older release goes on using such a storage, and its checks neither begin nor end a
-- quarantine; the next check by a newer one does.
ALTER TABLE storages ADD COLUMN quarantined_at INTEGER;
ALTER TABLE storages ADD COLUMN quarantine_check_id TEXT;
ALTER TABLE storages ADD COLUMN quarantine_code TEXT;
ALTER TABLE storages ADD COLUMN health_code TEXT;
