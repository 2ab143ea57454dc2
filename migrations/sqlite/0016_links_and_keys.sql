-- Who made a link for the AWS administrator, and when it was last opened; since when a storage has its access key.
--
-- NULL: an older release did not write it down. A replica of one goes on without, and leaves what is there.

ALTER TABLE instruction_links ADD COLUMN made_by TEXT;
ALTER TABLE instruction_links ADD COLUMN last_used_at INTEGER;
ALTER TABLE storages ADD COLUMN access_key_set_at INTEGER;
