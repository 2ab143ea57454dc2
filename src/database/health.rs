//! What a check's report does to a storage: to its health, to its quarantine, and to when it is checked next.

use crate::application::kept::store::{Recorded, SCHEDULED_CHECK, StoreResult};
use crate::database::audit;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::database::storages;
use crate::domain::check::CheckReport;
use crate::domain::ids::{AuditId, CheckId, StorageId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult, StateChange};
use crate::domain::people::audit_action::AuditAction;
use crate::domain::storage::{Health, HealthChange, Quarantining, quarantining};
use time::{Duration, OffsetDateTime};

/// How soon a storage is checked again after a check that found it broken, or could not ask.
const NEXT_CHECK: Duration = Duration::minutes(1);

/// A storage before the effect of a report.
pub(super) struct Before {
    pub(super) revision: i64,
    health: Health,
    quarantined_at: Option<OffsetDateTime>,
    /// When the last check began.
    last_began: Option<OffsetDateTime>,
}

/// The storage, which cannot go or change before the transaction ends. `None`: there is none.
pub(super) async fn lock(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: &StorageId,
) -> StoreResult<Option<Before>> {
    let sql = Sql::Each {
        sqlite:
            "SELECT id, revision, quarantined_at, health, health_since, health_code, health_as_of,
                     last_check_id, last_good_check_id, first_bad_check_id, health_check_id
                 FROM storages WHERE workspace_id = $1 AND id = $2",
        postgres:
            "SELECT id, revision, quarantined_at, health, health_since, health_code, health_as_of,
                       last_check_id, last_good_check_id, first_bad_check_id, health_check_id
                   FROM storages WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE",
    };
    let row = tx
        .fetch_optional(sql, values![workspace.as_str(), id.as_str()])
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let record = Record::new("storages", row)?;
    let health = storages::health(&record)?;
    let last_began = match &health.last_check {
        // After the lock, so that the check of whoever held it is seen.
        Some(last) => began(tx, workspace, last).await?,
        None => None,
    };
    Ok(Some(Before {
        revision: record.int("revision")?,
        quarantined_at: record.time_opt("quarantined_at")?,
        health,
        last_began,
    }))
}

async fn began(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    check: &CheckId,
) -> StoreResult<Option<OffsetDateTime>> {
    let row = tx
        .fetch_optional(
            "SELECT id, started_at FROM checks WHERE workspace_id = $1 AND id = $2",
            values![workspace.as_str(), check.as_str()],
        )
        .await?;
    row.map(|row| Record::new("checks", row)?.time("started_at"))
        .transpose()
}

/// Locks the storage, and does to it what a report of its present revision does.
pub(super) async fn apply_to_storage(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
    report: &CheckReport,
) -> StoreResult<Recorded> {
    match lock(tx, workspace, storage).await? {
        Some(before) => apply(tx, workspace, storage, &before, report).await,
        None => Ok(Recorded::NoTarget),
    }
}

/// What a report of a storage's present revision does to the storage.
pub(super) async fn apply(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    storage: &StorageId,
    before: &Before,
    report: &CheckReport,
) -> StoreResult<Recorded> {
    let health = before.health.after(report, before.last_began);
    let proves = report.outcome().is_pass() && !before.health.is_outdated(report.started_at);
    let found = report.region.filter(|_| proves);
    let id = |check: &Option<CheckId>| check.as_ref().map(|id| id.as_str().to_owned());
    let reports = &health.reports;
    tx.execute(
        "UPDATE storages SET
             health = $4, health_since = $5, health_code = $6, health_as_of = $7, last_check_id = $8,
             last_good_check_id = $9, first_bad_check_id = $10, health_check_id = $11,
             verified_revision = CASE WHEN $12 = 1 THEN revision ELSE verified_revision END,
             region = COALESCE($13, region)
         WHERE workspace_id = $1 AND id = $2 AND revision = $3",
        values![
            workspace.as_str(),
            storage.as_str(),
            report.revision,
            health.state.as_str(),
            health.since,
            health.code.as_deref(),
            reports.as_of,
            id(&health.last_check),
            id(&reports.last_good),
            id(&reports.first_bad),
            id(&reports.present),
            i64::from(proves),
            found.as_ref().map(|v| v.as_str()),
        ],
    )
    .await?;
    let change = HealthChange {
        workspace: workspace.clone(),
        storage: storage.clone(),
        from: before.health.condition(),
        to: health.condition(),
        quarantine: quarantining(report, &before.health, before.quarantined_at),
        check: report.id.clone(),
        at: report.started_at,
    };
    if let Some(quarantine) = &change.quarantine {
        quarantine_storage(tx, &change, quarantine).await?;
    }
    if !change.is_of_health() && change.quarantine.is_none() {
        return Ok(Recorded::Stored);
    }
    write_down(tx, &change, report.ended_at()).await?;
    if change.is_of_health() && health.state.is_watched() {
        bring_check_forward(tx, storage, report.ended_at() + NEXT_CHECK).await?;
    }
    Ok(Recorded::Changed(Box::new(change)))
}

async fn quarantine_storage(
    tx: &mut Tx,
    change: &HealthChange,
    quarantine: &Quarantining,
) -> StoreResult<()> {
    let began = match quarantine {
        Quarantining::Began(code) => Some((change.at, change.check.as_str(), code.as_str())),
        Quarantining::Ended => None,
    };
    tx.execute(
        "UPDATE storages SET quarantined_at = $3, quarantine_check_id = $4, quarantine_code = $5
         WHERE workspace_id = $1 AND id = $2",
        values![
            change.workspace.as_str(),
            change.storage.as_str(),
            began.map(|(since, ..)| since),
            began.map(|(_, check, _)| check),
            began.map(|(.., code)| code),
        ],
    )
    .await
    .map(drop)
}

/// Writes a change into the audit log. It is kept exactly when the report is: what must not miss a change, and
/// not tell one that was not kept, belongs beside this.
async fn write_down(tx: &mut Tx, change: &HealthChange, at: OffsetDateTime) -> StoreResult<()> {
    let mut entry = AuditEntry {
        id: AuditId::generate(),
        at,
        workspace: Some(change.workspace.clone()),
        actor: Actor::Service,
        actor_name: None,
        on_behalf_of: None,
        action: AuditAction::StorageHealthChanged.as_str().to_owned(),
        target: Some(change.storage.to_string()),
        result: AuditResult::Done,
        code: change.to.code.clone(),
        remote_addr: None,
        request_id: None,
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: Some(StateChange {
            before: change.from.state.as_str().to_owned(),
            after: change.to.state.as_str().to_owned(),
        }),
    };
    if change.is_of_health() {
        audit::insert(tx, &entry).await?;
    }
    let Some(quarantine) = &change.quarantine else {
        return Ok(());
    };
    entry.id = AuditId::generate();
    entry.state = None;
    let (action, code) = match quarantine {
        Quarantining::Began(code) => (AuditAction::QuarantineStorage, Some(code.clone())),
        Quarantining::Ended => (AuditAction::EndStorageQuarantine, None),
    };
    (entry.action, entry.code) = (action.as_str().to_owned(), code);
    audit::insert(tx, &entry).await
}

async fn bring_check_forward(
    tx: &mut Tx,
    storage: &StorageId,
    due: OffsetDateTime,
) -> StoreResult<()> {
    tx.execute(
        "UPDATE jobs SET due_at = $3 WHERE kind = $1 AND subject_id = $2 AND due_at > $3",
        values![SCHEDULED_CHECK, storage.as_str(), due],
    )
    .await
    .map(drop)
}
