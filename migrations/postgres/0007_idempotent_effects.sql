-- The end of a request's lease on its idempotency key, which it renews while it works. An older version
-- leaves it as it is, and counts a minute from started_at; each version respects the other's holders.
ALTER TABLE idempotency_keys ADD COLUMN held_until BIGINT;
