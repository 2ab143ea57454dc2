//! Check reports, their effect on what was checked, and when the next ones are due.

use crate::application::kept::store::{
    CheckStore, CheckTarget, Recorded, StoreError, StoreResult, Window,
};
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::database::{Database, audit, before};
use crate::domain::check::{CheckReport, Verdict};
use crate::domain::connection::region::Region;
use crate::domain::ids::{AuditId, CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::domain::storage::HealthState;
use async_trait::async_trait;
use time::OffsetDateTime;

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
                let Some(before) = lock_storage(&mut tx, workspace, storage).await? else {
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
                    true => apply(&mut tx, workspace, storage, &before, report).await?,
                    false => Recorded::Stored,
                }
            }
        };
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

/// A storage before the effect of a report.
struct Before {
    revision: i64,
    quarantined_at: Option<OffsetDateTime>,
}

/// The storage, which cannot go or change before the transaction ends. `None`: there is none.
async fn lock_storage(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: &StorageId,
) -> StoreResult<Option<Before>> {
    let sql = Sql::Each {
        sqlite: "SELECT id, revision, quarantined_at FROM storages
                 WHERE workspace_id = $1 AND id = $2",
        postgres: "SELECT id, revision, quarantined_at FROM storages
                   WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE",
    };
    let row = tx
        .fetch_optional(sql, values![workspace.as_str(), id.as_str()])
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let record = Record::new("storages", row)?;
    Ok(Some(Before {
        revision: record.int("revision")?,
        quarantined_at: record.time_opt("quarantined_at")?,
    }))
}

/// Locks the storage, and does to it what a report of its present revision does.
pub(super) async fn apply_to_storage(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
    report: &CheckReport,
) -> StoreResult<Recorded> {
    match lock_storage(tx, workspace, storage).await? {
        Some(before) => apply(tx, workspace, storage, &before, report).await,
        None => Ok(Recorded::NoTarget),
    }
}

/// What a report of a storage's present revision does to the storage.
async fn apply(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
    before: &Before,
    report: &CheckReport,
) -> StoreResult<Recorded> {
    let verdict = report.verdict();
    let passed = report.outcome().is_pass();
    let health = HealthState::after(&verdict);
    let found = report.region.filter(|_| passed);
    tx.execute(
        "UPDATE storages SET
             health_since = CASE WHEN health = COALESCE($4, health) THEN health_since ELSE $5 END,
             health_code = CASE WHEN $9 = 1 THEN $10 ELSE health_code END,
             health = COALESCE($4, health),
             last_check_id = $6,
             verified_revision = CASE WHEN $7 = 1 THEN revision ELSE verified_revision END,
             region = COALESCE($8, region)
         WHERE workspace_id = $1 AND id = $2 AND revision = $3",
        values![
            workspace.as_str(),
            storage.as_str(),
            report.revision,
            health.map(HealthState::as_str),
            report.started_at,
            report.id.as_str(),
            i64::from(passed),
            found.as_ref().map(|v| v.as_str()),
            i64::from(health.is_some()),
            report.problem_code(),
        ],
    )
    .await?;
    let (quarantine, recorded, action) = match (&verdict, before.quarantined_at) {
        (Verdict::OpenToOthers(code), None) => (
            Some((report.started_at, report.id.as_str(), code.as_str())),
            Recorded::QuarantineBegan,
            "quarantine_storage",
        ),
        // One that began earlier may have asked the role before it was loosened.
        (Verdict::Works | Verdict::WorksWithWarnings, Some(since)) if report.started_at > since => {
            (None, Recorded::QuarantineEnded, "end_storage_quarantine")
        }
        (
            Verdict::OpenToOthers(_) | Verdict::Works | Verdict::WorksWithWarnings,
            Some(_) | None,
        )
        | (
            Verdict::RefusesUs | Verdict::Broken | Verdict::Undecided | Verdict::Nothing,
            Some(_) | None,
        ) => return Ok(Recorded::Stored),
    };
    tx.execute(
        "UPDATE storages SET quarantined_at = $3, quarantine_check_id = $4, quarantine_code = $5
         WHERE workspace_id = $1 AND id = $2",
        values![
            workspace.as_str(),
            storage.as_str(),
            quarantine.map(|(since, ..)| since),
            quarantine.map(|(_, check, _)| check),
            quarantine.map(|(.., code)| code),
        ],
    )
    .await?;
    let entry = AuditEntry {
        id: AuditId::generate(),
        at: report.ended_at(),
        workspace: Some(workspace.clone()),
        actor: Actor::Service,
        action: action.to_owned(),
        target: Some(storage.to_string()),
        result: AuditResult::Done,
        code: quarantine.map(|(.., code)| code.to_owned()),
        remote_addr: None,
        request_id: None,
        files: Vec::new(),
        file_count: 0,
        signed: None,
    };
    audit::insert(tx, &entry).await?;
    Ok(recorded)
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
