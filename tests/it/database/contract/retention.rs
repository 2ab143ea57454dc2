use crate::application::clock::SystemClock;
use crate::application::jobs::janitor::Janitor;
use crate::application::kept::retention::{CheckPosition, NEWEST_CHECKS, Remover, Retention};
use crate::application::kept::store::{
    AuditFilter, AuditStore, CheckStore, CheckTarget, Expired, Idempotency, IdempotencyStore,
    KeyClaim, RetentionStore, SetupStore, SignInStore, StorageStore, Store,
};
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::people::audit_export::{AuditExport, ExportError};
use crate::database::Database;
use crate::domain::check::StepStatus;
use crate::domain::ids::{AuditId, CheckId, InstructionLinkId, StorageId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::setup::Setup;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

on_both_engines!(
    one_holds_a_lease_at_a_time,
    an_expired_setup_loses_its_secret,
    an_ended_setup_goes_and_its_external_id_stays_used,
    links_and_keys_go_after_their_time,
    old_checks_go_but_for_the_newest_and_the_changes,
    the_last_check_always_stays,
    only_what_was_exported_leaves_the_audit_log,
    one_janitor_works_at_a_time,
);

const DAY: Duration = Duration::days(1);

async fn one_holds_a_lease_at_a_time(db: TestDb) {
    let db = db.database;
    let at = now();
    let hold = async |who, at| db.hold_lease("x", who, at, at + DAY).await.unwrap();
    assert!(hold("a", at).await);
    assert!(!hold("b", at).await);
    // Another lease is another matter, and its holder may renew it.
    assert!(db.hold_lease("y", "b", at, at + DAY).await.unwrap());
    assert!(hold("a", at + DAY / 2).await);
    assert!(!hold("b", at + DAY + Duration::seconds(1)).await);
    assert!(hold("b", at + DAY * 2).await);
    // Only its holder gives it back.
    db.release_lease("x", "a").await.unwrap();
    assert!(!hold("a", at + DAY * 2).await);
    db.release_lease("x", "b").await.unwrap();
    assert!(hold("a", at).await);
}

/// An open setup with a secret that ends at this time.
async fn with_secret(db: &Database, workspace: &WorkspaceId, end: OffsetDateTime) -> Setup {
    let setup = Setup {
        draft: access_key_draft(),
        expires_at: end,
        ..new_setup(workspace)
    };
    db.create_setup(&setup, None).await.unwrap();
    setup
}

async fn has_secret(db: &Database, setup: &Setup) -> Option<bool> {
    let setup = db.setup(&setup.workspace, &setup.id).await.unwrap()?;
    Some(setup.draft.sign_in.access_key.secret.is_some())
}

async fn an_expired_setup_loses_its_secret(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let at = now();
    let expired = with_secret(&db, &mine, at - Duration::seconds(1)).await;
    let open = with_secret(&db, &mine, at + Duration::seconds(1)).await;
    // In small batches.
    let remove = async || db.remove_expired(Expired::SetupSecrets, at, 1).await;
    assert_eq!((remove().await, remove().await), (Ok(1), Ok(0)));
    assert_eq!(has_secret(&db, &expired).await, Some(false));
    assert_eq!(has_secret(&db, &open).await, Some(true));
}

async fn an_ended_setup_goes_and_its_external_id_stays_used(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let at = now() + DAY * 100;
    let storage = storage(&db, &mine).await;
    let open = with_secret(&db, &mine, at + DAY).await;
    let ended = with_secret(&db, &mine, at - DAY).await;
    let check = report(ended.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Setup(ended.id.clone());
    db.record_check(&mine, &target, &check).await.unwrap();
    let removed = db.remove_expired(Expired::Setups, at, 100).await;
    assert_eq!(removed, Ok(1));
    assert_eq!(has_secret(&db, &ended).await, None);
    assert_eq!(db.check(&mine, &check.id).await, Ok(None));
    // Neither the setup that a storage came from, nor one that has not ended.
    assert!(db.setup(&mine, &storage.setup).await.unwrap().is_some());
    assert_eq!(has_secret(&db, &open).await, Some(true));
    let again = Setup {
        external_id: ended.external_id.clone(),
        ..new_setup(&mine)
    };
    assert!(db.create_setup(&again, None).await.is_err());
    // With its storage the setup may go too.
    db.delete_storage(&mine, &storage.id, None, None)
        .await
        .unwrap();
    assert_eq!(db.remove_expired(Expired::Setups, at, 100).await, Ok(1));
}

async fn links_and_keys_go_after_their_time(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let at = now();
    for end in [at - DAY, at + DAY] {
        let setup = setup(&db, &mine, role_draft()).await;
        let link = InstructionLink {
            id: InstructionLinkId::generate(),
            workspace: mine.clone(),
            setup: setup.id,
            made_by: None,
            last_used_at: None,
            created_at: at - DAY,
            expires_at: end,
        };
        let hash = [u8::from(end < at); 32];
        db.put_instruction_link(&link, &hash, None).await.unwrap();
    }
    let links = db.remove_expired(Expired::InstructionLinks, at, 100).await;
    assert_eq!(links, Ok(1));
    assert_eq!(db.instruction_link_by_hash(&[1; 32]).await, Ok(None));
    assert!(
        db.instruction_link_by_hash(&[0; 32])
            .await
            .unwrap()
            .is_some()
    );
    for what in [Expired::SignInLinks, Expired::Sessions] {
        assert_eq!(db.remove_expired(what, at, 100).await, Ok(0));
    }
    for (key, begun) in [("old", at - DAY), ("new", at)] {
        let claim = KeyClaim {
            scope: "s",
            key,
            fingerprint: &[7; 32],
            now: begun,
            held_until: begun + DAY,
            stale_before: begun - DAY,
            forget_before: begun - DAY,
        };
        let begun = db.begin_idempotent(&claim).await;
        assert_eq!(begun, Ok(Idempotency::Started));
    }
    let keys = db.remove_expired(Expired::IdempotencyKeys, at, 100).await;
    assert_eq!(keys, Ok(1));
}

/// Stores a check of a storage, `days` old.
async fn check_of(
    db: &TestDb,
    workspace: &WorkspaceId,
    storage: &StorageId,
    days: i64,
    last: StepStatus,
) -> CheckId {
    let mut check = report(storage.as_str(), 1, last);
    check.started_at = now() - DAY * i32::try_from(days).unwrap();
    let target = CheckTarget::Storage(storage.clone());
    change_by(db.database.record_check(workspace, &target, &check).await);
    check.id
}

fn remover(db: &Database) -> Remover {
    Remover {
        store: Arc::new(db.clone()),
        retention: Retention {
            checks: Some(std::time::Duration::from_secs(90 * 86_400)),
            setups: None,
            audit: None,
        },
    }
}

async fn listed(db: &Database, workspace: &WorkspaceId, storage: &StorageId) -> Vec<CheckId> {
    let checks = db.list_checks(workspace, storage, &all()).await.unwrap();
    checks.into_iter().rev().map(|check| check.id).collect()
}

async fn old_checks_go_but_for_the_newest_and_the_changes(db: TestDb) {
    let mine = workspace(&db.database).await.id;
    let stored = storage(&db.database, &mine).await.id;
    let mut kept = Vec::new();
    for (days, last, stays) in [
        (200, StepStatus::Passed, true),
        (199, StepStatus::Passed, false),
        (198, StepStatus::Failed, true),
        (197, StepStatus::Failed, false),
        (196, StepStatus::Passed, true),
        (195, StepStatus::Passed, false),
        // Young enough.
        (80, StepStatus::Passed, true),
        (79, StepStatus::Passed, true),
    ] {
        let id = check_of(&db, &mine, &stored, days, last).await;
        kept.extend(stays.then_some(id));
    }
    for _ in 0..NEWEST_CHECKS {
        kept.push(check_of(&db, &mine, &stored, 0, StepStatus::Passed).await);
    }
    let remover = remover(&db.database);
    // A second time changes nothing more.
    for _ in 0..2 {
        let next = remover.remove_checks(now(), CheckPosition::default()).await;
        assert_eq!(next.unwrap(), CheckPosition::default());
        assert_eq!(listed(&db.database, &mine, &stored).await, kept);
    }
}

async fn the_last_check_always_stays(db: TestDb) {
    let mine = workspace(&db.database).await.id;
    let stored = storage(&db.database, &mine).await.id;
    let mut ids = Vec::new();
    for _ in 0..NEWEST_CHECKS {
        ids.push(check_of(&db, &mine, &stored, 300, StepStatus::Passed).await);
    }
    let remover = remover(&db.database);
    let position = CheckPosition::default();
    // Few checks stay, however old they are.
    remover
        .remove_checks(now(), position.clone())
        .await
        .unwrap();
    assert_eq!(listed(&db.database, &mine, &stored).await, ids);
    // One that the storage names stays wherever it stands.
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let last = db.database.storage(&mine, &stored).await.unwrap().unwrap();
    let last = last.health.last_check.unwrap();
    let removed = db.database.remove_checks(&texts).await;
    assert_eq!(removed, Ok(u64::from(NEWEST_CHECKS) - 1));
    assert_eq!(listed(&db.database, &mine, &stored).await, [last]);
}

fn entry(at: OffsetDateTime) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(),
        at,
        workspace: None,
        actor: Actor::Operator,
        actor_name: None,
        on_behalf_of: None,
        action: "storage.create".into(),
        target: Some("sto_x".into()),
        result: AuditResult::Done,
        code: None,
        remote_addr: Some("2001:db8::1".into()),
        request_id: Some("r-1".into()),
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: None,
    }
}

async fn only_what_was_exported_leaves_the_audit_log(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let at = now();
    let mut made = Vec::new();
    for days in [400, 300, 200, 100] {
        let entry = entry(at - DAY * days);
        db.append_audit(&entry, None).await.unwrap();
        made.push(entry);
    }
    let log = AuditExport {
        store: Arc::new(db.clone()),
        clock: Arc::new(SystemClock),
    };
    // Nothing was exported: nothing goes, whoever asks.
    assert_eq!(log.remove(at).await.unwrap(), 0);
    let sql = "DELETE FROM audit_log";
    let normal = match tester.is_postgres() {
        true => "SET session_replication_role = origin; ",
        false => "",
    };
    let delete = async || tester.tamper(&format!("{normal}{sql}")).await;
    assert!(delete().await.is_err());

    let before = at - DAY * 250;
    let mut out = Vec::new();
    assert_eq!(log.write(before, &mut out).await.unwrap(), 2);
    let lines: Vec<serde_json::Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["id"], made[0].id.as_str());
    assert_eq!(lines[1]["remote_addr"], "2001:db8::1");
    // Written is not yet safe.
    assert_eq!(log.remove(at).await.unwrap(), 0);
    log.record(before, 2).await.unwrap();
    assert!(delete().await.is_err(), "the younger ones are not exported");
    assert_eq!(log.remove(at - DAY * 350).await.unwrap(), 1);
    assert_eq!(log.remove(at).await.unwrap(), 1);
    let left = db
        .list_audit(&AuditFilter::default(), &all())
        .await
        .unwrap();
    assert_eq!(left, [made[3].clone(), made[2].clone()]);
    let young = log.write(at, &mut Vec::new()).await;
    assert!(matches!(young, Err(ExportError::TooYoung)));
    for sql in [
        "DELETE FROM audit_exports",
        "UPDATE audit_exports SET entries = 0",
    ] {
        assert!(tester.tamper(&format!("{normal}{sql}")).await.is_err());
    }
}

async fn one_janitor_works_at_a_time(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let at = now();
    let vault = Arc::new(Vault::new(&MasterKey::generate().unwrap().0).unwrap());
    let store: Arc<dyn Store> = Arc::new(db.clone());
    let janitor = Janitor {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        vault,
        remover: remover(&db),
    };
    let stop = CancellationToken::new();
    let round = async |who| janitor.round(who, CheckPosition::default(), &stop).await;
    let expired = with_secret(&db, &mine, at - DAY).await;
    assert!(
        db.hold_lease("janitor", "other", at, at + DAY)
            .await
            .unwrap()
    );
    round("me").await.unwrap();
    assert_eq!(has_secret(&db, &expired).await, Some(true));
    db.release_lease("janitor", "other").await.unwrap();
    round("me").await.unwrap();
    assert_eq!(has_secret(&db, &expired).await, Some(false));
}
