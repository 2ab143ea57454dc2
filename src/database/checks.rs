//! Check reports. What they do to a storage is in [`health`].

use crate::application::kept::store::{
    CheckStore, CheckTarget, Recorded, StoreError, StoreResult, Window,
};
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::database::{Database, before, events, health};
use crate::domain::check::CheckReport;
use crate::domain::connection::region::Region;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use async_trait::async_trait;

/// By name: with `*`, a newer replica that adds a column would break the statements that an older one
/// keeps prepared on PostgreSQL.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, setup_id, storage_id, revision, started_at, duration_ms, region, steps, \
             attempts \
             FROM checks ",
            $rest
        )
    };
}

#[async_trait]
impl CheckStore for Database {
    async fn record_check(
        &self,
        workspace: &WorkspaceId,
        target: &CheckTarget,
        report: &CheckReport,
    ) -> StoreResult<Recorded> {
        let mut tx = self.begin().await?;
        let recorded = match target {
            CheckTarget::Setup(setup) => {
                if !lock_setup(&mut tx, workspace, setup).await? {
                    return Ok(Recorded::NoTarget);
                }
                insert(
                    &mut tx,
                    workspace,
                    target,
                    report,
                    ReportOf::ConnectionInUse,
                )
                .await?;
                tx.execute(
                    "UPDATE setups SET last_check_id = $3 WHERE workspace_id = $1 AND id = $2",
                    values![workspace.as_str(), setup.as_str(), report.id.as_str()],
                )
                .await?;
                Recorded::Stored
            }
            CheckTarget::Storage(storage) => {
                let Some(before) = health::lock(&mut tx, workspace, storage).await? else {
                    return Ok(Recorded::NoTarget);
                };
                insert(
                    &mut tx,
                    workspace,
                    target,
                    report,
                    ReportOf::ConnectionInUse,
                )
                .await?;
                match before.revision == report.revision {
                    true => health::apply(&mut tx, workspace, storage, &before, report).await?,
                    false => Recorded::Stored,
                }
            }
        };
        events::write_health(&mut tx, &recorded).await?;
        tx.commit().await?;
        Ok(recorded)
    }

    async fn check(
        &self,
        workspace: &WorkspaceId,
        id: &CheckId,
    ) -> StoreResult<Option<CheckReport>> {
        self.fetch_record(
            "checks",
            select!("WHERE workspace_id = $1 AND id = $2"),
            values![workspace.as_str(), id.as_str()],
            report,
        )
        .await
    }

    async fn list_checks(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageId,
        window: &Window,
    ) -> StoreResult<Vec<CheckReport>> {
        self.fetch_records(
            "checks",
            select!(
                "WHERE workspace_id = $1 AND storage_id = $2 AND id < $3 AND of_pending = 0
                 ORDER BY id DESC LIMIT $4"
            ),
            values![
                workspace.as_str(),
                storage.as_str(),
                before(window),
                window.limit
            ],
            report,
        )
        .await
    }
}

/// A setup's reports, oldest first, those after `after`.
pub(super) async fn reports_of_setup(
    database: &Database,
    workspace: &WorkspaceId,
    setup: &SetupId,
    after: Option<&CheckId>,
    limit: u32,
) -> StoreResult<Vec<CheckReport>> {
    database
        .fetch_records(
            "checks",
            select!(
                "WHERE workspace_id = $1 AND setup_id = $2 AND id > $3
                 ORDER BY id LIMIT $4"
            ),
            values![
                workspace.as_str(),
                setup.as_str(),
                after.map_or("", CheckId::as_str),
                limit
            ],
            report,
        )
        .await
}

/// Whether the setup exists; if so, it cannot go before the transaction ends.
async fn lock_setup(tx: &mut Tx, workspace: &WorkspaceId, id: &SetupId) -> StoreResult<bool> {
    let sql = Sql::Each {
        sqlite: "SELECT id FROM setups WHERE workspace_id = $1 AND id = $2",
        postgres: "SELECT id FROM setups WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE",
    };
    let row = tx
        .fetch_optional(sql, values![workspace.as_str(), id.as_str()])
        .await?;
    Ok(row.is_some())
}

/// Whether a storage's report is of the connection that it uses. The history has these alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportOf {
    ConnectionInUse,
    PendingChange,
}

pub(super) async fn insert(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    target: &CheckTarget,
    report: &CheckReport,
    of: ReportOf,
) -> StoreResult<()> {
    let (setup, storage) = match target {
        CheckTarget::Setup(id) => (Some(id.as_str()), None),
        CheckTarget::Storage(id) => (None, Some(id.as_str())),
    };
    let steps = serde_json::to_string(&report.steps)
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    tx.execute(
        "INSERT INTO checks (id, workspace_id, setup_id, storage_id, revision, started_at, duration_ms,
             region, steps, attempts, of_pending)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        values![
            report.id.as_str(),
            workspace.as_str(),
            setup,
            storage,
            report.revision,
            report.started_at,
            i64::try_from(report.duration_ms).unwrap_or(i64::MAX),
            report.region.as_ref().map(|v| v.as_str()),
            steps,
            report.attempts,
            i64::from(of == ReportOf::PendingChange),
        ],
    )
    .await
    .map(drop)
}

fn report(record: &Record) -> StoreResult<CheckReport> {
    let target = match record.text_opt("setup_id")? {
        Some(setup) => setup,
        None => record.text("storage_id")?,
    };
    Ok(CheckReport {
        id: record.parse("id", CheckId::parse)?,
        target,
        revision: record.int("revision")?,
        started_at: record.time("started_at")?,
        duration_ms: record.number("duration_ms")?,
        region: record.parse_opt("region", Region::parse)?,
        steps: record.parse("steps", |text| serde_json::from_str(text))?,
        attempts: record.number("attempts")?,
    })
}
