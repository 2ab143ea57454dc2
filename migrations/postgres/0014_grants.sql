-- What the customer grants besides the access, and whether the documents have lifecycle rules.
--
-- NULL: as the access says, which is what every connection before this has. An older replica goes on with that.

ALTER TABLE setups ADD COLUMN object_acls BIGINT;
ALTER TABLE setups ADD COLUMN object_versions BIGINT;
ALTER TABLE setups ADD COLUMN lifecycle BIGINT NOT NULL DEFAULT 1;
ALTER TABLE storages ADD COLUMN object_acls BIGINT;
ALTER TABLE storages ADD COLUMN object_versions BIGINT;
ALTER TABLE storages ADD COLUMN lifecycle BIGINT NOT NULL DEFAULT 1;
ALTER TABLE pending_connections ADD COLUMN object_acls BIGINT;
ALTER TABLE pending_connections ADD COLUMN object_versions BIGINT;
ALTER TABLE pending_connections ADD COLUMN lifecycle BIGINT NOT NULL DEFAULT 1;
