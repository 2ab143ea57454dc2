-- Buckets that another account owns, and those whose readers pay.

ALTER TABLE setups ADD COLUMN bucket_account_id TEXT;
ALTER TABLE setups ADD COLUMN requester_pays BIGINT NOT NULL DEFAULT 0;
ALTER TABLE storages ADD COLUMN bucket_account_id TEXT;
ALTER TABLE storages ADD COLUMN requester_pays BIGINT NOT NULL DEFAULT 0;
