use crate::application::kept::store::{AuditFilter, AuditStore, StoreError};
use crate::database::DatabaseUrl;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, KeyId, TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::{
    Actor, AuditEntry, AuditIntent, AuditResult, AuditedFile, Deed, FilePart, NamedFile, SignedUrls,
};
use crate::domain::people::subject::SubjectId;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use sqlx::ConnectOptions;
use std::time::Duration;
use time::OffsetDateTime;

on_both_engines!(
    entries_come_back_newest_first,
    the_log_only_grows,
    a_damaged_entry_is_named,
    a_file_s_entries_are_found_by_its_key,
    every_file_of_a_large_entry_is_kept,
    an_intent_ends_with_its_entry,
    entries_are_found_by_what_was_done_by_whom_and_when,
    what_was_done_for_a_person_is_found_by_their_id,
    an_abandoned_intent_is_recovered_once,
);

fn entry(workspace: Option<&WorkspaceId>, actor: Actor, result: AuditResult) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(),
        at: now(),
        workspace: workspace.cloned(),
        actor,
        actor_name: None,
        on_behalf_of: None,
        action: "storage.create".into(),
        target: Some("sto_x".into()),
        result,
        code: Some("check_required".into()),
        remote_addr: Some("2001:db8::1".into()),
        request_id: Some("r-1".into()),
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: None,
    }
}

fn of(workspace: &WorkspaceId) -> AuditFilter {
    AuditFilter {
        workspace: Some(workspace.clone()),
        key: None,
        ..AuditFilter::default()
    }
}

fn key(text: &str) -> FileKey {
    FileKey::parse(text).unwrap()
}

/// An entry about the deletion of these files.
fn deletion(workspace: &WorkspaceId, keys: &[String]) -> AuditEntry {
    let files = keys.iter().map(|text| AuditedFile {
        file: NamedFile::new(&key(text), FilePart::File),
        result: AuditResult::Done,
        code: None,
    });
    let token = Actor::Token(TokenId::generate());
    AuditEntry {
        files: files.collect(),
        file_count: keys.len() as u64,
        ..entry(Some(workspace), token, AuditResult::Done)
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
        db.append_audit(&entry, None).await.unwrap();
        made.insert(0, entry);
    }
    assert_eq!(
        db.list_audit(&AuditFilter::default(), &all())
            .await
            .unwrap(),
        made
    );
    assert_eq!(
        db.list_audit(&AuditFilter::default(), &page(None, 2))
            .await
            .unwrap(),
        made[..2]
    );
    let rest = page(Some(made[1].id.as_str()), 9);
    assert_eq!(
        db.list_audit(&AuditFilter::default(), &rest).await.unwrap(),
        made[2..]
    );
    assert_eq!(
        db.list_audit(&of(&a), &all()).await.unwrap(),
        [made[0].clone(), made[3].clone()]
    );
    let rest = page(Some(made[0].id.as_str()), 9);
    assert_eq!(db.list_audit(&of(&a), &rest).await.unwrap(), made[3..]);
}

async fn the_log_only_grows(db: TestDb) {
    let made = entry(None, Actor::Operator, AuditResult::Done);
    db.database.append_audit(&made, None).await.unwrap();
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
    assert_eq!(
        db.database
            .list_audit(&AuditFilter::default(), &all())
            .await,
        Ok(vec![made])
    );
}

async fn a_file_s_entries_are_found_by_its_key(db: TestDb) {
    let db = db.database;
    let (a, b) = (WorkspaceId::generate(), WorkspaceId::generate());
    let mut moved = deletion(&a, &["/x.png".into(), "/y.png".into()]);
    moved.files[0].file.part = FilePart::From;
    moved.files[1].file.part = FilePart::To;
    let mut refused = deletion(&a, &["/x.png".into(), "/x.png".into()]);
    refused.files[1].file.version_id = Some("v 1".into());
    refused.files[1].result = AuditResult::Refused;
    refused.files[1].code = Some("storage_access_denied".into());
    let mut signed = deletion(&b, &["/x.png".into()]);
    signed.signed = Some(SignedUrls {
        method: "PUT".into(),
        until: Some(now()),
    });
    let other = deletion(&a, &["/z.png".into()]);
    for entry in [&moved, &refused, &signed, &other] {
        db.append_audit(entry, None).await.unwrap();
    }
    let find = async |workspace: Option<&WorkspaceId>, text: &str, window| {
        let filter = AuditFilter {
            workspace: workspace.cloned(),
            key: Some(key(text)),
            ..AuditFilter::default()
        };
        db.list_audit(&filter, &window).await.unwrap()
    };
    // Each holds the file that was asked for, and says how many it is about.
    let mut of_x = moved.clone();
    of_x.files.truncate(1);
    let found = find(Some(&a), "/x.png", all()).await;
    assert_eq!(found, [refused.clone(), of_x.clone()]);
    let found = find(Some(&a), "x.png", page(None, 1)).await;
    assert_eq!(found, [refused.clone()]);
    let rest = page(Some(refused.id.as_str()), 9);
    assert_eq!(find(Some(&a), "/x.png", rest).await, [of_x.clone()]);
    assert_eq!(find(Some(&b), "/x.png", all()).await, [signed.clone()]);
    assert_eq!(find(Some(&b), "/y.png", all()).await, []);
    let everywhere = find(None, "/x.png", all()).await;
    assert_eq!(everywhere, [signed.clone(), refused.clone(), of_x]);
    // Without a key, each has its first files.
    let listed = db.list_audit(&AuditFilter::default(), &all()).await;
    assert_eq!(listed, Ok(vec![other, signed, refused, moved]));
}

async fn entries_are_found_by_what_was_done_by_whom_and_when(db: TestDb) {
    let db = &db.database;
    let (a, b) = (WorkspaceId::generate(), WorkspaceId::generate());
    let token = Actor::Token(TokenId::generate());
    let done = entry(Some(&a), token.clone(), AuditResult::Done);
    let mut refused = entry(Some(&a), Actor::Operator, AuditResult::Refused);
    refused.action = "other".into();
    let elsewhere = entry(Some(&b), token.clone(), AuditResult::Done);
    for entry in [&done, &refused, &elsewhere] {
        db.append_audit(entry, None).await.unwrap();
    }
    let find = async |filter: AuditFilter| db.list_audit(&filter, &all()).await.unwrap();
    let by_actor = AuditFilter {
        actor: Some(token),
        ..of(&a)
    };
    assert_eq!(find(by_actor).await, std::slice::from_ref(&done));
    let by_action = AuditFilter {
        action: Some("other".into()),
        ..of(&a)
    };
    assert_eq!(find(by_action.clone()).await, [refused.clone()]);
    let both = AuditFilter {
        result: Some(AuditResult::Done),
        ..by_action
    };
    assert_eq!(find(both).await, []);
    let later = refused.at + time::Duration::seconds(1);
    let until = AuditFilter {
        before: Some(later),
        ..of(&a)
    };
    assert_eq!(find(until).await, [refused, done]);
    let since = AuditFilter {
        since: Some(later),
        ..of(&a)
    };
    assert_eq!(find(since).await, []);
}

async fn what_was_done_for_a_person_is_found_by_their_id(db: TestDb) {
    let db = &db.database;
    let (a, b) = (WorkspaceId::generate(), WorkspaceId::generate());
    let subject = SubjectId::parse("user-1").unwrap();
    let by_key = |workspace: &WorkspaceId| AuditEntry {
        actor_name: Some(Name::parse("web tier").unwrap()),
        on_behalf_of: Some(subject.clone()),
        ..entry(
            Some(workspace),
            Actor::Key(KeyId::generate()),
            AuditResult::Done,
        )
    };
    let (mine, other) = (by_key(&a), by_key(&b));
    let by_nobody = entry(Some(&a), Actor::Operator, AuditResult::Done);
    for entry in [&mine, &other, &by_nobody] {
        db.append_audit(entry, None).await.unwrap();
    }
    let filter = AuditFilter {
        on_behalf_of: Some(subject),
        ..of(&a)
    };
    assert!(filter.is_narrowed());
    assert_eq!(db.list_audit(&filter, &all()).await, Ok(vec![mine.clone()]));
    let everywhere = AuditFilter {
        workspace: None,
        ..filter
    };
    let found = db.list_audit(&everywhere, &all()).await.unwrap();
    assert_eq!(found, [other, mine]);
}

async fn every_file_of_a_large_entry_is_kept(db: TestDb) {
    let (a, b) = (WorkspaceId::generate(), WorkspaceId::generate());
    let keys: Vec<String> = (0..1_234).map(|at| format!("/f/{at}")).collect();
    let entry = deletion(&a, &keys);
    db.database.append_audit(&entry, None).await.unwrap();
    let listed = db.database.list_audit(&of(&a), &all()).await.unwrap();
    assert_eq!(listed[0].file_count, 1_234);
    assert_eq!(listed[0].files, entry.files[..10]);
    let files = async |workspace, after: Option<&str>, limit| {
        let window = page(after, limit);
        db.database
            .list_audit_files(workspace, &entry.id, &window)
            .await
            .unwrap()
    };
    let first = files(Some(&a), None, 1_000).await.unwrap();
    assert_eq!(first.len(), 1_000);
    let (last, _) = first.last().unwrap();
    let rest = files(None, Some(&last.to_string()), 1_000).await.unwrap();
    let all_files: Vec<_> = first
        .into_iter()
        .chain(rest)
        .map(|(_, file)| file)
        .collect();
    assert_eq!(all_files, entry.files);
    assert_eq!(files(Some(&b), None, 9).await, None);
    for sql in [
        "UPDATE audit_files SET file_key = '/x'",
        "DELETE FROM audit_files",
    ] {
        let refused = match &db.url {
            DatabaseUrl::Postgres(options) => {
                let mut raw = options.connect().await.unwrap();
                sqlx::raw_sql(sql).execute(&mut raw).await.map(drop)
            }
            DatabaseUrl::Sqlite(_) => db.tamper(sql).await,
        };
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("can only grow"), "{sql}: {refused}");
    }
}

fn intent(workspace: &WorkspaceId, begun_at: OffsetDateTime) -> AuditIntent {
    let mut file = NamedFile::new(&key("/a \"b\".png"), FilePart::File);
    file.version_id = Some("v1".into());
    AuditIntent {
        id: AuditId::generate(),
        begun_at,
        deed: Deed {
            workspace: Some(workspace.clone()),
            actor: Actor::Key(KeyId::generate()),
            actor_name: Some(Name::parse("web tier").unwrap()),
            on_behalf_of: Some(SubjectId::parse("user-1").unwrap()),
            action: "delete_file".into(),
            target: Some("sto_x".into()),
            remote_addr: Some("192.0.2.1".into()),
            request_id: Some("r-1".into()),
            files: vec![file],
            signed: Some(SignedUrls {
                method: "PUT".into(),
                until: None,
            }),
        },
    }
}

async fn an_intent_ends_with_its_entry(db: TestDb) {
    let db = db.database;
    let a = WorkspaceId::generate();
    let began = now();
    let mut begun = intent(&a, began);
    db.begin_audit(&begun).await.unwrap();
    let later = began + Duration::from_secs(60);
    assert_eq!(db.abandoned_audits(began, 9).await.unwrap(), []);
    assert_eq!(db.abandoned_audits(later, 9).await, Ok(vec![begun.clone()]));
    // The same request turned out to be something else, with more files.
    begun.deed.action = "import_workspace_dry_run".to_owned();
    begun
        .deed
        .files
        .push(NamedFile::new(&key("/c"), FilePart::File));
    db.begin_audit(&begun).await.unwrap();
    assert_eq!(db.abandoned_audits(later, 9).await, Ok(vec![begun.clone()]));
    db.touch_audit(&begun.id, later).await.unwrap();
    assert_eq!(db.abandoned_audits(later, 9).await, Ok(Vec::new()));
    let entry = deletion(&a, &["/c".into()]);
    db.append_audit(&entry, Some(&begun.id)).await.unwrap();
    let far = later + Duration::from_secs(60);
    assert_eq!(db.abandoned_audits(far, 9).await, Ok(Vec::new()));
    assert_eq!(db.list_audit(&of(&a), &all()).await, Ok(vec![entry]));

    let nothing = intent(&a, now());
    db.begin_audit(&nothing).await.unwrap();
    db.discard_audit(&nothing.id).await.unwrap();
    assert_eq!(db.abandoned_audits(far, 9).await, Ok(Vec::new()));
}

async fn an_abandoned_intent_is_recovered_once(db: TestDb) {
    let db = db.database;
    let a = WorkspaceId::generate();
    let began = now();
    let begun = intent(&a, began);
    db.begin_audit(&begun).await.unwrap();
    let entry = deletion(&a, &["/a".into()]);
    let recover = async |before, entry: &AuditEntry| {
        let recovered = db.recover_audit(&begun.id, before, entry);
        recovered.await.unwrap()
    };
    assert!(!recover(began, &entry).await, "somebody works on it");
    let later = began + Duration::from_secs(60);
    assert!(recover(later, &entry).await);
    assert!(!recover(later, &deletion(&a, &[])).await);
    assert_eq!(db.list_audit(&of(&a), &all()).await, Ok(vec![entry]));
}

async fn a_damaged_entry_is_named(db: TestDb) {
    let id = AuditId::generate();
    db.tamper(&format!(
        "INSERT INTO audit_log (id, occurred_at, actor, action, result)
         VALUES ('{id}', 0, 'somebody', 'x', 'done')"
    ))
    .await
    .unwrap();
    let read = db
        .database
        .list_audit(&AuditFilter::default(), &all())
        .await;
    assert!(
        matches!(&read, Err(StoreError::Damaged { record, .. }) if *record == format!("audit_log/{id}")),
        "{read:?}"
    );
}
