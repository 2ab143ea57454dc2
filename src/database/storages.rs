//! Storages.

use crate::application::kept::store::{
    StorageDeletion, StorageStore, StoreError, StoreResult, Window,
};
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::record::{Record, stored_name, stored_prefix};
use crate::database::{Database, after};
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::storage::{Health, HealthState, Storage};
use async_trait::async_trait;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, workspace_id, setup_id, display_name, bucket, prefix, access, region, \
             kms_key_arn, auth, role_arn, external_id, access_key_id, secret, sealed_for, \
             endpoint, bucket_account_id, requester_pays, revision, verified_revision, health, \
             health_since, last_check_id, project_count, created_at \
             FROM storages ",
            $rest
        )
    };
}

#[async_trait]
impl StorageStore for Database {
    async fn storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<Option<Storage>> {
        self.fetch_record(
            "storages",
            select!("WHERE workspace_id = $1 AND id = $2"),
            values![workspace.as_str(), id.as_str()],
            storage,
        )
        .await
    }

    async fn list_storages(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Storage>> {
        self.fetch_records(
            "storages",
            select!("WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
            values![workspace.as_str(), after(window), window.limit],
            storage,
        )
        .await
    }

    async fn rename_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        name: &Name,
    ) -> StoreResult<bool> {
        let renamed = self
            .execute(
                "UPDATE storages SET display_name = $3 WHERE workspace_id = $1 AND id = $2",
                values![workspace.as_str(), id.as_str(), name.as_str()],
            )
            .await?;
        Ok(renamed == 1)
    }

    async fn update_connection(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
        connection: &Connection,
        expected_revision: i64,
    ) -> StoreResult<bool> {
        let mut values = values![workspace.as_str(), id.as_str(), expected_revision];
        values.extend(connection_values(connection)?);
        let updated = self
            .execute(
                "UPDATE storages SET bucket = $4, prefix = $5, access = $6, region = $7,
                     kms_key_arn = $8, auth = $9, role_arn = $10, external_id = $11,
                     access_key_id = $12, secret = $13, sealed_for = $14, endpoint = $15,
                     bucket_account_id = $16, requester_pays = $17, revision = revision + 1
                 WHERE workspace_id = $1 AND id = $2 AND revision = $3
                     AND (project_count = 0 OR (bucket = $4 AND prefix = $5))",
                values,
            )
            .await?;
        Ok(updated == 1)
    }

    async fn delete_storage(
        &self,
        workspace: &WorkspaceId,
        id: &StorageId,
    ) -> StoreResult<StorageDeletion> {
        let mut tx = self.begin().await?;
        // Locked, so that no project can come to use it meanwhile.
        let row = tx
            .fetch_optional(
                Sql::Each {
                    sqlite: "SELECT id, project_count FROM storages
                             WHERE workspace_id = $1 AND id = $2",
                    postgres: "SELECT id, project_count FROM storages
                               WHERE workspace_id = $1 AND id = $2 FOR UPDATE",
                },
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Ok(StorageDeletion::NotFound);
        };
        let projects = Record::new("storages", row)?.int("project_count")?;
        if projects != 0 {
            return Ok(StorageDeletion::InUse(projects));
        }
        // Its checks, and its being the default, go with it.
        tx.execute(
            "DELETE FROM storages WHERE workspace_id = $1 AND id = $2",
            values![workspace.as_str(), id.as_str()],
        )
        .await?;
        tx.commit().await?;
        Ok(StorageDeletion::Deleted)
    }
}

/// Inserts the storage that `setup` became. Its first scheduled check is due at once.
pub(super) async fn insert(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    setup: &SetupId,
    storage: &Storage,
) -> StoreResult<()> {
    let mut values = values![
        storage.id.as_str(),
        workspace.as_str(),
        setup.as_str(),
        storage.display_name.as_str(),
        storage.revision,
        storage.verified_revision,
        storage.health.state.as_str(),
        storage.health.since,
        storage.health.last_check.as_ref().map(|v| v.as_str()),
        storage.created_at,
    ];
    values.extend(connection_values(&storage.connection)?);
    tx.execute(
        "INSERT INTO storages (id, workspace_id, setup_id, display_name, revision, verified_revision,
             health, health_since, last_check_id, created_at, next_check_at, bucket, prefix, access,
             region, kms_key_arn, auth, role_arn, external_id, access_key_id, secret, sealed_for,
             endpoint, bucket_account_id, requester_pays)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23, $24)",
        values,
    )
    .await
    .map(drop)
}

/// From `bucket` to `requester_pays`, in the order of the columns.
fn connection_values(connection: &Connection) -> StoreResult<Vec<Value>> {
    let mut values = values![
        connection.bucket.as_str(),
        connection.prefix.as_str(),
        connection.access.as_str(),
        connection.region.as_ref().map(|v| v.as_str()),
        connection.kms_key.as_ref().map(|v| v.as_str()),
    ];
    values.extend(match &connection.credentials {
        Credentials::Role {
            role_arn,
            external_id,
        } => values![
            Auth::Role.as_str(),
            role_arn.as_str(),
            external_id.to_string(),
            None::<&str>,
            None::<&[u8]>,
            None::<&str>,
            None::<&str>,
        ],
        Credentials::AccessKey {
            access_key_id,
            secret,
            sealed_for,
            endpoint,
        } => values![
            Auth::AccessKey.as_str(),
            None::<&str>,
            None::<&str>,
            access_key_id.as_str(),
            secret.0.as_slice(),
            sealed_for.as_str(),
            endpoint.as_ref().map(|v| v.as_str()),
        ],
        Credentials::Service => {
            return Err(StoreError::Failed(
                "a storage of a customer cannot use the service's own credentials".into(),
            ));
        }
    });
    values.extend(values![
        connection.bucket_account.as_ref().map(|v| v.as_str()),
        i64::from(connection.requester_pays),
    ]);
    Ok(values)
}

fn storage(record: &Record) -> StoreResult<Storage> {
    Ok(Storage {
        id: record.parse("id", StorageId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        setup: record.parse("setup_id", SetupId::parse)?,
        display_name: record.parse("display_name", stored_name)?,
        connection: Connection {
            bucket: record.parse("bucket", BucketName::parse)?,
            prefix: record.parse("prefix", stored_prefix)?,
            access: record.parse("access", Access::parse)?,
            region: record.parse_opt("region", Region::parse)?,
            kms_key: record.parse_opt("kms_key_arn", KmsKeyArn::parse)?,
            bucket_account: record.parse_opt("bucket_account_id", AccountId::parse)?,
            requester_pays: record.int("requester_pays")? != 0,
            credentials: credentials(record)?,
        },
        revision: record.int("revision")?,
        verified_revision: record.int("verified_revision")?,
        health: Health {
            state: record.parse("health", HealthState::parse)?,
            since: record.time("health_since")?,
            last_check: record.parse_opt("last_check_id", CheckId::parse)?,
        },
        project_count: record.int("project_count")?,
        created_at: record.time("created_at")?,
    })
}

fn credentials(record: &Record) -> StoreResult<Credentials> {
    Ok(match record.parse("auth", Auth::parse)? {
        Auth::Role => Credentials::Role {
            role_arn: record.parse("role_arn", RoleArn::parse)?,
            external_id: record.parse("external_id", ExternalId::from_record)?,
        },
        Auth::AccessKey => Credentials::AccessKey {
            access_key_id: record.parse("access_key_id", AccessKeyId::parse)?,
            secret: SealedSecret(record.bytes("secret")?),
            sealed_for: record.text("sealed_for")?,
            endpoint: record.parse_opt("endpoint", Endpoint::parse)?,
        },
    })
}
