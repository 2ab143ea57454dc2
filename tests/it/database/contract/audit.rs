use crate::application::kept::store::{AuditStore, StoreError};
use crate::database::DatabaseUrl;
use crate::domain::ids::{AuditId, TokenId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use sqlx::ConnectOptions;

on_both_engines!(
    entries_come_back_newest_first,
    the_log_only_grows,
    a_damaged_entry_is_named,
);

fn entry(workspace: Option<&WorkspaceId>, actor: Actor, result: AuditResult) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(),
        at: now(),
        workspace: workspace.cloned(),
        actor,
        action: "storage.create".into(),
        target: Some("sto_x".into()),
        result,
        code: Some("check_required".into()),
        remote_addr: Some("2001:db8::1".into()),
        request_id: Some("r-1".into()),
    }
}

async fn entries_come_back_newest_first(db: TestDb) {
    let db = db.database;
    let (a, b) = (WorkspaceId::generate(), WorkspaceId::generate());
    let mut made = Vec::new();
    for entry in [
        entry(Some(&a), Actor::Operator, AuditResult::Done),
        entry(
            Some(&b),
            Actor::Token(TokenId::generate()),
            AuditResult::Refused,
        ),
        entry(None, Actor::Anonymous, AuditResult::Failed),
        entry(Some(&a), Actor::Service, AuditResult::Done),
    ] {
        db.append_audit(&entry).await.unwrap();
        made.insert(0, entry);
    }
    assert_eq!(db.list_audit(None, &all()).await.unwrap(), made);
    assert_eq!(
        db.list_audit(None, &page(None, 2)).await.unwrap(),
        made[..2]
    );
    let rest = page(Some(made[1].id.as_str()), 9);
    assert_eq!(db.list_audit(None, &rest).await.unwrap(), made[2..]);
    assert_eq!(
        db.list_audit(Some(&a), &all()).await.unwrap(),
        [made[0].clone(), made[3].clone()]
    );
    let rest = page(Some(made[0].id.as_str()), 9);
    assert_eq!(db.list_audit(Some(&a), &rest).await.unwrap(), made[3..]);
}

async fn the_log_only_grows(db: TestDb) {
    let made = entry(None, Actor::Operator, AuditResult::Done);
    db.database.append_audit(&made).await.unwrap();
    for sql in [
        "UPDATE audit_log SET actor = 'service'",
        "DELETE FROM audit_log",
        "UPDATE external_ids SET created_at = 0",
        "DELETE FROM external_ids",
        "TRUNCATE audit_log",
    ] {
        if let DatabaseUrl::Postgres(options) = &db.url {
            let mut raw = options.connect().await.unwrap();
            let refused = sqlx::raw_sql(sql).execute(&mut raw).await.unwrap_err();
            assert!(refused.to_string().contains("can only grow"), "{refused}");
        } else if sql.contains("audit_log") {
            assert!(db.tamper(sql).await.is_err(), "{sql}");
        }
    }
    assert_eq!(db.database.list_audit(None, &all()).await, Ok(vec![made]));
}

async fn a_damaged_entry_is_named(db: TestDb) {
    let id = AuditId::generate();
    db.tamper(&format!(
        "INSERT INTO audit_log (id, occurred_at, actor, action, result)
         VALUES ('{id}', 0, 'somebody', 'x', 'done')"
    ))
    .await
    .unwrap();
    let read = db.database.list_audit(None, &all()).await;
    assert!(
        matches!(&read, Err(StoreError::Damaged { record, .. }) if *record == format!("audit_log/{id}")),
        "{read:?}"
    );
}
