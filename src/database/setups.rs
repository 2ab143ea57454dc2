//! Setups, and the external IDs that they own.

use crate::application::kept::store::{Completion, KeptAnswer, SetupStore, StoreResult, Window};
use crate::database::engine::{Sql, Tx, values};
use crate::database::events::NewEvent;
use crate::database::idempotency::keep;
use crate::database::record::{Record, stored_name};
use crate::database::statement::Named;
use crate::database::{
    Database, after, connections, containing, events, standing, statement, storages,
};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::role_path::RolePath;
use crate::domain::event::EventType;
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::Actor;
use crate::domain::setup::{CustomerAccount, Draft, DraftSignIn, Setup, SetupStatus};
use crate::domain::storage::Storage;
use async_trait::async_trait;
use std::sync::LazyLock;
use time::OffsetDateTime;

/// The columns of a setup, with the values that a draft has.
fn draft_columns(draft: &Draft) -> Named {
    let Draft {
        display_name,
        bucket,
        settings,
        sign_in,
    } = draft;
    let mut columns: Named = vec![
        (
            "display_name",
            display_name.as_ref().map(Name::as_str).into(),
        ),
        ("bucket", bucket.as_ref().map(BucketName::as_str).into()),
    ];
    let customer = sign_in.customer.as_ref();
    columns.extend([
        (
            "customer_account_id",
            customer.map(|customer| customer.id.as_str()).into(),
        ),
        (
            "customer_partition",
            customer.map(|customer| customer.partition.as_str()).into(),
        ),
        ("role_path", sign_in.role_path.as_str().into()),
    ]);
    columns.extend(connections::write(settings, sign_in));
    columns
}

fn select(from_where: &str) -> &'static str {
    let own = [
        "id",
        "workspace_id",
        "status",
        "external_id",
        "display_name",
        "bucket",
        "customer_account_id",
        "customer_partition",
        "role_path",
        "revision",
        "last_check_id",
        "created_by",
        "created_at",
        "expires_at",
    ];
    statement::select(own.into_iter().chain(connections::names()), from_where)
}

static ONE: LazyLock<&str> =
    LazyLock::new(|| select("FROM setups WHERE workspace_id = $1 AND id = $2"));
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    select("FROM setups WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3")
});
static NAMED_SQLITE: LazyLock<&str> = LazyLock::new(|| {
    select(
        "FROM setups WHERE workspace_id = $1 AND id > $2
             AND COALESCE(display_name, bucket, '') LIKE $4 ESCAPE '!'
         ORDER BY id LIMIT $3",
    )
});
static NAMED_POSTGRES: LazyLock<&str> = LazyLock::new(|| {
    select(
        "FROM setups WHERE workspace_id = $1 AND id > $2
             AND COALESCE(display_name, bucket, '') ILIKE $4 ESCAPE '!'
         ORDER BY id LIMIT $3",
    )
});
static OPEN: LazyLock<&str> = LazyLock::new(|| {
    select(
        "FROM setups WHERE workspace_id = $1 AND status = 'open' AND expires_at > $2
         ORDER BY id DESC LIMIT $3",
    )
});

#[async_trait]
impl SetupStore for Database {
    async fn create_setup(&self, setup: &Setup, answer: Option<&KeptAnswer>) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        // Refused where the ID was ever used: these rows are never deleted.
        tx.execute(
            "INSERT INTO external_ids (external_id, created_at) VALUES ($1, $2)",
            values![setup.external_id.to_string(), setup.created_at],
        )
        .await?;
        insert(&mut tx, setup).await?;
        keep(&mut tx, answer).await?;
        tx.commit().await
    }

    async fn setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<Option<Setup>> {
        self.fetch_record(
            "setups",
            *ONE,
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
            *PAGE,
            values![workspace.as_str(), after(window), window.limit],
            setup,
        )
        .await
    }

    async fn find_setups(
        &self,
        workspace: &WorkspaceId,
        name: &str,
        window: &Window,
    ) -> StoreResult<Vec<Setup>> {
        self.fetch_records(
            "setups",
            Sql::Each {
                sqlite: *NAMED_SQLITE,
                postgres: *NAMED_POSTGRES,
            },
            values![
                workspace.as_str(),
                after(window),
                window.limit,
                containing(name)
            ],
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
            *OPEN,
            values![workspace.as_str(), now, limit],
            setup,
        )
        .await
    }

    async fn other_external_ids(
        &self,
        workspace: &WorkspaceId,
        own: &ExternalId,
        limit: u32,
    ) -> StoreResult<Vec<(SetupId, ExternalId)>> {
        self.fetch_records(
            "setups",
            "SELECT id, external_id FROM setups
             WHERE workspace_id = $1 AND external_id <> $2 AND status IN ('open', 'completed')
             ORDER BY id DESC LIMIT $3",
            values![workspace.as_str(), own.to_string(), limit],
            |record| {
                Ok((
                    record.parse("id", SetupId::parse)?,
                    record.parse("external_id", ExternalId::from_record)?,
                ))
            },
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
        let mut columns = draft_columns(draft);
        columns.push(("revision", revision.into()));
        let assignments = statement::assignments(&columns, 4);
        let mut values = values![workspace.as_str(), id.as_str(), expected_revision];
        values.extend(statement::values_of(columns));
        let sql = format!(
            "UPDATE setups SET {assignments}
             WHERE workspace_id = $1 AND id = $2 AND status = 'open' AND revision = $3"
        );
        let updated = self.execute(Sql::Built(sql), values).await?;
        Ok(updated == 1)
    }

    async fn close_setup(&self, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let closed = tx
            .fetch_all(
                "UPDATE setups SET status = 'closed', secret = NULL
                 WHERE workspace_id = $1 AND id = $2 AND status = 'open'
                 RETURNING id, workspace_id, on_behalf_of",
                values![workspace.as_str(), id.as_str()],
            )
            .await?;
        let closed = events::write_of_setups(&mut tx, EventType::SetupClosed, closed).await?;
        tx.commit().await?;
        Ok(closed == 1)
    }

    async fn complete_setup(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        revision: i64,
        check: &CheckId,
        storage: &Storage,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<Completion> {
        let mut tx = self.begin().await?;
        // Before the setup's row, as whoever deletes the workspace does.
        let most = standing::most_storages(&mut tx, workspace).await?;
        let completed = tx
            .fetch_optional(
                "UPDATE setups SET status = 'completed', secret = NULL
                 WHERE workspace_id = $1 AND id = $2 AND status = 'open' AND revision = $3
                     AND last_check_id = $4
                 RETURNING id, on_behalf_of",
                values![workspace.as_str(), id.as_str(), revision, check.as_str()],
            )
            .await?;
        let Some(completed) = completed else {
            return Ok(Completion::Changed);
        };
        if let Some(most) = most
            && standing::number_of_storages(&mut tx, workspace).await? >= u64::from(most)
        {
            return Ok(Completion::TooMany(most));
        }
        let subject = Record::new("setups", completed)?.text_opt("on_behalf_of")?;
        storages::insert(&mut tx, workspace, id, storage).await?;
        keep(&mut tx, answer).await?;
        let made = |kind| NewEvent {
            kind,
            workspace,
            subject: subject.as_deref(),
            about: vec![
                ("storage_id", storage.id.as_str()),
                ("setup_id", id.as_str()),
            ],
        };
        let made = [
            made(EventType::StorageCreated),
            made(EventType::SetupCompleted),
        ];
        events::write(&mut tx, &made).await?;
        tx.commit().await?;
        Ok(Completion::Completed)
    }
}

async fn insert(tx: &mut Tx, setup: &Setup) -> StoreResult<()> {
    let mut row: Named = vec![
        ("id", setup.id.as_str().into()),
        ("workspace_id", setup.workspace.as_str().into()),
        ("status", setup.status.as_str().into()),
        ("external_id", setup.external_id.to_string().into()),
        ("revision", setup.revision.into()),
        (
            "last_check_id",
            setup.last_check.as_ref().map(CheckId::as_str).into(),
        ),
        (
            "created_by",
            setup.created_by.as_ref().map(Actor::as_str).into(),
        ),
        ("created_at", setup.created_at.into()),
        ("expires_at", setup.expires_at.into()),
    ];
    row.extend(draft_columns(&setup.draft));
    let (sql, values) = statement::insert("setups", row);
    tx.execute(sql, values).await.map(drop)
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
            settings: connections::settings(record)?,
            sign_in: DraftSignIn {
                customer: customer(record)?,
                role_path: record.parse("role_path", RolePath::parse)?,
                ..connections::sign_in(record)?
            },
        },
        revision: record.int("revision")?,
        last_check: record.parse_opt("last_check_id", CheckId::parse)?,
        created_by: record.parse_opt("created_by", Actor::parse)?,
        created_at: record.time("created_at")?,
        expires_at: record.time("expires_at")?,
    })
}

fn customer(record: &Record) -> StoreResult<Option<CustomerAccount>> {
    let Some(id) = record.parse_opt("customer_account_id", AccountId::parse)? else {
        return Ok(None);
    };
    let partition = record.text("customer_partition")?;
    match Partition::parse(&partition) {
        Some(partition) => Ok(Some(CustomerAccount { id, partition })),
        None => Err(record.damaged("customer_partition", "no partition of AWS")),
    }
}
