-- What the customer grants besides the access, and whether the documents have lifecycle rules.
--
-- NULL: as the access says, which is what every connection before this has. An older replica goes on with that.

ALTER TABLE setups ADD COLUMN object_acls INTEGER;
ALTER TABLE setups ADD COLUMN object_versions INTEGER;
ALTER TABLE setups ADD COLUMN lifecycle INTEGER NOT NULL DEFAULT 1;
ALTER TABLE storages ADD COLUMN object_acls INTEGER;
ALTER TABLE storages ADD COLUMN object_versions INTEGER;
ALTER TABLE storages ADD COLUMN lifecycle INTEGER NOT NULL DEFAULT 1;
ALTER TABLE pending_connections ADD COLUMN object_acls INTEGER;
ALTER TABLE pending_connections ADD COLUMN object_versions INTEGER;
ALTER TABLE pending_connections ADD COLUMN lifecycle INTEGER NOT NULL DEFAULT 1;
