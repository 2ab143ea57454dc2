//! Setups, and the external IDs that they own.

use crate::application::kept::store::{Completion, SetupStore, StoreResult, Window};
use crate::database::engine::{Tx, values};
use crate::database::record::{Record, stored_name, stored_prefix};
use crate::database::{Database, after, storages};
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::setup::{Draft, Setup, SetupStatus};
use crate::domain::storage::Storage;
use async_trait::async_trait;
use time::OffsetDateTime;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, workspace_id, status, external_id, display_name, bucket, prefix, access, \
             auth, role_arn, region, kms_key_arn, access_key_id, secret, endpoint, \
             bucket_account_id, requester_pays, revision, last_check_id, created_at, \
             expires_at \
             FROM setups ",
            $rest
        )
    };
}

#[async_trait]
impl SetupStore for Database {
    async fn create_setup(&self, setup: &Setup) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        // Refused where the ID was ever used: these rows are never deleted.
        tx.execute(
            "INSERT INTO external_ids (external_id, created_at) VALUES ($1, $2)",
            values![setup.external_id.to_string(), setup.created_at],
        )
        .await?;
        insert(&mut tx, setup).await?;
        tx.commit().await
    }

    async fn setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<Option<Setup>> {
        self.fetch_record(
            "setups",
            select!("WHERE workspace_id = $1 AND id = $2"),
            values![workspace.as_str(), id.as_str()],
            setup,
        )
        .await
    }

    async fn list_setups(
        &self,
        workspace: &WorkspaceId,
        window: &Window,
    ) -> StoreResult<Vec<Setup>> {
        self.fetch_records(
            "setups",
            select!("WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
            values![workspace.as_str(), after(window), window.limit],
            setup,
        )
        .await
    }

    async fn list_open_setups(
        &self,
        workspace: &WorkspaceId,
        now: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<Vec<Setup>> {
        self.fetch_records(
            "setups",
            select!(
                "WHERE workspace_id = $1 AND status = 'open' AND expires_at > $2
                 ORDER BY id DESC LIMIT $3"
            ),
            values![workspace.as_str(), now, limit],
            setup,
        )
        .await
    }

    async fn update_draft(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        draft: &Draft,
        expected_revision: i64,
        revision: i64,
    ) -> StoreResult<bool> {
        let updated = self
            .execute(
                "UPDATE setups SET display_name = $4, bucket = $5, prefix = $6, access = $7, auth = $8,
                     role_arn = $9, region = $10, kms_key_arn = $11, access_key_id = $12, secret = $13,
                     endpoint = $14, bucket_account_id = $15, requester_pays = $16, revision = $17
                 WHERE workspace_id = $1 AND id = $2 AND status = 'open' AND revision = $3",
                values![
                    workspace.as_str(),
                    id.as_str(),
                    expected_revision,
                    draft.display_name.as_ref().map(|v| v.as_str()),
                    draft.bucket.as_ref().map(|v| v.as_str()),
                    draft.prefix.as_str(),
                    draft.access.as_str(),
                    draft.auth.as_str(),
                    draft.role_arn.as_ref().map(|v| v.as_str()),
                    draft.region.as_ref().map(|v| v.as_str()),
                    draft.kms_key.as_ref().map(|v| v.as_str()),
                    draft.access_key_id.as_ref().map(|v| v.as_str()),
                    draft.secret.as_ref().map(|v| v.0.as_slice()),
                    draft.endpoint.as_ref().map(|v| v.as_str()),
                    draft.bucket_account.as_ref().map(|v| v.as_str()),
                    i64::from(draft.requester_pays),
                    revision,
                ],
            )
            .await?;
        Ok(updated == 1)
    }

    async fn close_setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<bool> {
        let closed = self
            .execute(
                "UPDATE setups SET status = 'closed', secret = NULL
                 WHERE workspace_id = $1 AND id = $2 AND status = 'open'",
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        Ok(closed == 1)
    }

    async fn complete_setup(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        revision: i64,
        check: &CheckId,
        storage: &Storage,
    ) -> StoreResult<Completion> {
        let mut tx = self.begin().await?;
        let completed = tx
            .execute(
                "UPDATE setups SET status = 'completed', secret = NULL
                 WHERE workspace_id = $1 AND id = $2 AND status = 'open' AND revision = $3
                     AND last_check_id = $4",
                values![workspace.as_str(), id.as_str(), revision, check.as_str()],
            )
            .await?;
        if completed != 1 {
            return Ok(Completion::Changed);
        }
        storages::insert(&mut tx, workspace, id, storage).await?;
        tx.commit().await?;
        Ok(Completion::Completed)
    }
}

async fn insert(tx: &mut Tx, setup: &Setup) -> StoreResult<()> {
    let draft = &setup.draft;
    tx.execute(
        "INSERT INTO setups (id, workspace_id, status, external_id, display_name, bucket, prefix, access,
             auth, role_arn, region, kms_key_arn, access_key_id, secret, endpoint, bucket_account_id,
             requester_pays, revision, last_check_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
             $20, $21)",
        values![
            setup.id.as_str(),
            setup.workspace.as_str(),
            setup.status.as_str(),
            setup.external_id.to_string(),
            draft.display_name.as_ref().map(|v| v.as_str()),
            draft.bucket.as_ref().map(|v| v.as_str()),
            draft.prefix.as_str(),
            draft.access.as_str(),
            draft.auth.as_str(),
            draft.role_arn.as_ref().map(|v| v.as_str()),
            draft.region.as_ref().map(|v| v.as_str()),
            draft.kms_key.as_ref().map(|v| v.as_str()),
            draft.access_key_id.as_ref().map(|v| v.as_str()),
            draft.secret.as_ref().map(|v| v.0.as_slice()),
            draft.endpoint.as_ref().map(|v| v.as_str()),
            draft.bucket_account.as_ref().map(|v| v.as_str()),
            i64::from(draft.requester_pays),
            setup.revision,
            setup.last_check.as_ref().map(|v| v.as_str()),
            setup.created_at,
            setup.expires_at,
        ],
    )
    .await
    .map(drop)
}

fn setup(record: &Record) -> StoreResult<Setup> {
    let status = match record.parse("status", SetupStatus::parse)? {
        SetupStatus::Expired => return Err(record.damaged("status", "`expired` is never stored")),
        stored => stored,
    };
    Ok(Setup {
        id: record.parse("id", SetupId::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        status,
        external_id: record.parse("external_id", ExternalId::from_record)?,
        draft: Draft {
            display_name: record.parse_opt("display_name", stored_name)?,
            bucket: record.parse_opt("bucket", BucketName::parse)?,
            prefix: record.parse("prefix", stored_prefix)?,
            access: record.parse("access", Access::parse)?,
            auth: record.parse("auth", Auth::parse)?,
            role_arn: record.parse_opt("role_arn", RoleArn::parse)?,
            region: record.parse_opt("region", Region::parse)?,
            kms_key: record.parse_opt("kms_key_arn", KmsKeyArn::parse)?,
            access_key_id: record.parse_opt("access_key_id", AccessKeyId::parse)?,
            secret: record.bytes_opt("secret")?.map(SealedSecret),
            endpoint: record.parse_opt("endpoint", Endpoint::parse)?,
            bucket_account: record.parse_opt("bucket_account_id", AccountId::parse)?,
            requester_pays: record.int("requester_pays")? != 0,
        },
        revision: record.int("revision")?,
        last_check: record.parse_opt("last_check_id", CheckId::parse)?,
        created_at: record.time("created_at")?,
        expires_at: record.time("expires_at")?,
    })
}
