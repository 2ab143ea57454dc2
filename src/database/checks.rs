//! Check reports, their effect on what was checked, and when the next ones are due.

use crate::application::kept::store::{CheckStore, CheckTarget, StoreError, StoreResult, Window};
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::database::{Database, before};
use crate::domain::check::CheckReport;
use crate::domain::connection::region::Region;
use crate::domain::ids::{CheckId, StorageId, WorkspaceId};
use crate::domain::storage::HealthState;
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
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        if !lock_target(&mut tx, workspace, target).await? {
            return Ok(false);
        }
        insert(
            &mut tx,
            workspace,
            target,
            report,
            ReportOf::ConnectionInUse,
        )
        .await?;
        match target {
            CheckTarget::Setup(setup) => {
                tx.execute(
                    "UPDATE setups SET last_check_id = $3 WHERE workspace_id = $1 AND id = $2",
                    values![workspace.as_str(), setup.as_str(), report.id.as_str()],
                )
                .await?;
            }
            CheckTarget::Storage(storage) => {
                let passed = report.outcome().is_pass();
                let found = report.region.filter(|_| passed);
                tx.execute(
                    "UPDATE storages SET
                         health_since = CASE WHEN health = $4 THEN health_since ELSE $5 END,
                         health = $4,
                         last_check_id = $6,
                         verified_revision = CASE WHEN $7 = 1 THEN revision ELSE verified_revision END,
                         region = COALESCE($8, region)
                     WHERE workspace_id = $1 AND id = $2 AND revision = $3",
                    values![
                        workspace.as_str(),
                        storage.as_str(),
                        report.revision,
                        HealthState::from(report.outcome()).as_str(),
                        report.started_at,
                        report.id.as_str(),
                        i64::from(passed),
                        found.as_ref().map(|v| v.as_str()),
                    ],
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(true)
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

/// Whether the target exists; if so, it cannot go before the transaction ends.
async fn lock_target(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    target: &CheckTarget,
) -> StoreResult<bool> {
    let (sql, id) = match target {
        CheckTarget::Setup(setup) => (
            Sql::Each {
                sqlite: "SELECT id FROM setups WHERE workspace_id = $1 AND id = $2",
                postgres: "SELECT id FROM setups WHERE workspace_id = $1 AND id = $2
                           FOR NO KEY UPDATE",
            },
            setup.as_str(),
        ),
        CheckTarget::Storage(storage) => (
            Sql::Each {
                sqlite: "SELECT id FROM storages WHERE workspace_id = $1 AND id = $2",
                postgres: "SELECT id FROM storages WHERE workspace_id = $1 AND id = $2
                           FOR NO KEY UPDATE",
            },
            storage.as_str(),
        ),
    };
    let row = tx
        .fetch_optional(sql, values![workspace.as_str(), id])
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
