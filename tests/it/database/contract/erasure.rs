use crate::application::kept::store::{
    AuditFilter, AuditStore, HeldKey, IdempotencyStore, KeyClaim, WorkspaceStore,
};
use crate::database::{Database, DatabaseUrl};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, KeyId, WorkspaceId};
use crate::domain::people::audit::{
    Actor, AuditEntry, AuditIntent, AuditResult, AuditedFile, Deed, FilePart, NamedFile,
};
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::Workspace;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use sqlx::ConnectOptions;
use time::Duration;

on_both_engines!(
    an_erased_workspace_leaves_what_was_done_and_nobody_s_name,
    a_workspace_that_was_deleted_before_is_erased_by_its_id,
    kept_answers_and_intents_are_erased,
    only_an_erasure_changes_the_log_and_only_what_names_somebody,
);

/// An entry that names a person and two files.
fn entry(workspace: &WorkspaceId, person: Option<&str>) -> AuditEntry {
    let file = |key: &str| AuditedFile {
        file: NamedFile {
            key: FileKey::parse(key).unwrap(),
            part: FilePart::File,
            version_id: Some("v1".into()),
        },
        result: AuditResult::Done,
        code: None,
    };
    AuditEntry {
        id: AuditId::generate(),
        at: now(),
        workspace: Some(workspace.clone()),
        actor: Actor::Key(KeyId::generate()),
        actor_name: Some(name("web tier of somebody")),
        on_behalf_of: person.map(|person| SubjectId::parse(person).unwrap()),
        action: "delete_files".into(),
        target: Some("sto_x".into()),
        result: AuditResult::Done,
        code: Some("file_not_found".into()),
        remote_addr: Some("192.0.2.7".into()),
        request_id: Some("r-1".into()),
        files: vec![file("/people/ada.png"), file("/people/bob.png")],
        file_count: 2,
        signed: None,
        state: None,
    }
}

async fn log(db: &Database, workspace: &WorkspaceId) -> Vec<AuditEntry> {
    let filter = AuditFilter {
        workspace: Some(workspace.clone()),
        ..AuditFilter::default()
    };
    db.list_audit_oldest_first(&filter, &all()).await.unwrap()
}

/// The entry without what an erasure takes from it; the pseudonym is that of the other one.
fn erased(entry: &AuditEntry, found: &AuditEntry) -> AuditEntry {
    let mut expected = entry.clone();
    expected.remote_addr = None;
    expected.actor_name = None;
    expected.on_behalf_of = found.on_behalf_of.clone();
    for file in &mut expected.files {
        file.file.key = FileKey::parse("/erased").unwrap();
        file.file.version_id = None;
    }
    expected
}

async fn an_erased_workspace_leaves_what_was_done_and_nobody_s_name(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = Workspace {
        name: name("Quartzlike Wombats Ltd"),
        ..new_workspace()
    };
    db.create_workspace(&mine, None).await.unwrap();
    let other = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    project(&db, &mine.id, Some(&stored.id)).await;
    let entries = [
        entry(&mine.id, Some("ada@wombats.example")),
        entry(&mine.id, Some("bob@wombats.example")),
        entry(&mine.id, Some("ada@wombats.example")),
        entry(&mine.id, None),
    ];
    let kept = entry(&other.id, Some("ada@wombats.example"));
    for entry in entries.iter().chain([&kept]) {
        db.append_audit(entry, None).await.unwrap();
    }

    let report = db.erase_workspace(&mine.id, now()).await.unwrap().unwrap();
    let contents = report.contents;
    assert_eq!((contents.storages, contents.projects), (1, 1));
    assert_eq!((contents.project_files, contents.storage_setups), (2, 1));
    // The storage and its setup have events.
    assert!(contents.events > 0);
    assert_eq!((report.audit_entries, report.audit_files), (4, 8));
    assert_eq!(db.workspace(&mine.id).await, Ok(None));

    let found = log(&db, &mine.id).await;
    assert_eq!(found.len(), 4);
    for (entry, found) in entries.iter().zip(&found) {
        assert_eq!(*found, erased(entry, found));
    }
    let person = |at: usize| found[at].on_behalf_of.as_ref().map(SubjectId::as_str);
    assert!(person(0).unwrap().starts_with("erased-"));
    assert_eq!(person(0), person(2), "the same person");
    assert_ne!(person(0), person(1), "somebody else");
    assert_eq!(person(3), None);
    assert_eq!(log(&db, &other.id).await, [kept]);
    assert_eq!(db.erase_workspace(&mine.id, now()).await, Ok(None));

    let sql = "SELECT file_key AS left_over FROM audit_files WHERE file_key LIKE '/people/%'";
    assert_eq!(tester.texts(sql, "left_over").await.len(), 2, "the other's");
    if let DatabaseUrl::Sqlite(path) = &tester.url {
        for ending in ["", "-wal"] {
            let mut file = path.as_os_str().to_owned();
            file.push(ending);
            let bytes = std::fs::read(&file).unwrap();
            let needle = b"Quartzlike Wombats";
            let is_there = bytes.windows(needle.len()).any(|part| part == needle);
            assert!(!is_there, "{file:?} still has the name");
        }
    }
}

async fn a_workspace_that_was_deleted_before_is_erased_by_its_id(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let entry = entry(&mine, Some("ada"));
    db.append_audit(&entry, None).await.unwrap();
    assert_eq!(db.delete_workspace(&mine).await, Ok(true));
    assert_eq!(log(&db, &mine).await, [entry]);
    let report = db.erase_workspace(&mine, now()).await.unwrap().unwrap();
    assert_eq!(report.contents.storages, 0);
    assert_eq!((report.audit_entries, report.audit_files), (1, 2));
    assert_eq!(log(&db, &mine).await[0].remote_addr, None);
    assert_eq!(db.erase_workspace(&mine, now()).await, Ok(None));
    let never = WorkspaceId::generate();
    assert_eq!(db.erase_workspace(&never, now()).await, Ok(None));
}

async fn kept_answers_and_intents_are_erased(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let at = now();
    let scopes = [
        format!("{mine} POST /v1/projects"),
        format!("operator POST /v1/workspaces/{mine}/tokens"),
        format!("{other} POST /v1/projects"),
        "operator POST /v1/workspaces".to_owned(),
    ];
    for scope in &scopes {
        let claim = KeyClaim {
            scope,
            key: "k",
            fingerprint: &[7; 32],
            now: at,
            held_until: at + Duration::hours(1),
            stale_before: at - Duration::hours(1),
            forget_before: at - Duration::days(1),
        };
        db.begin_idempotent(&claim).await.unwrap();
    }
    let intent = AuditIntent {
        id: AuditId::generate(),
        begun_at: at,
        deed: Deed {
            workspace: Some(mine.clone()),
            actor: Actor::Operator,
            actor_name: None,
            on_behalf_of: Some(SubjectId::parse("ada").unwrap()),
            action: "upload_file".into(),
            target: None,
            remote_addr: Some("192.0.2.7".into()),
            request_id: None,
            files: vec![NamedFile::new(
                &FileKey::parse("/people/ada.png").unwrap(),
                FilePart::File,
            )],
            signed: None,
        },
    };
    let erasing = AuditIntent {
        id: AuditId::generate(),
        deed: Deed {
            action: "delete_workspace".into(),
            ..intent.deed.clone()
        },
        ..intent.clone()
    };
    db.begin_audit(&intent).await.unwrap();
    db.begin_audit(&erasing).await.unwrap();

    let report = db.erase_workspace(&mine, now()).await.unwrap().unwrap();
    assert_eq!(report.contents.kept_answers, 2);
    let mut left = tester
        .texts("SELECT scope FROM idempotency_keys", "scope")
        .await;
    left.sort();
    let mut expected = scopes[2..].to_vec();
    expected.sort();
    assert_eq!(left, expected);
    let later = at + Duration::hours(1);
    let mut left = db.abandoned_audits(later, 9).await.unwrap();
    left.sort_by(|a, b| a.deed.action.cmp(&b.deed.action));
    assert_eq!(left[0], erasing, "who erases stays known");
    assert_eq!(left[1].deed.remote_addr, None);
    assert_eq!(left[1].deed.on_behalf_of, None);
    assert_eq!(left[1].deed.files, []);
    // A request that holds its key of before finds that it is another's.
    let held = HeldKey {
        scope: scopes[0].clone(),
        key: "k".into(),
        since: at,
    };
    assert_eq!(db.renew_idempotent(&held, later).await, Ok(false));
}

/// Runs SQL with the database's own triggers.
async fn plainly(db: &TestDb, sql: &'static str) -> Result<(), String> {
    let done = match &db.url {
        DatabaseUrl::Postgres(options) => {
            let mut raw = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut raw).await.map(drop)
        }
        DatabaseUrl::Sqlite(_) => db.tamper(sql).await,
    };
    done.map_err(|error| error.to_string())
}

async fn only_an_erasure_changes_the_log_and_only_what_names_somebody(db: TestDb) {
    let mine = workspace(&db.database).await.id;
    let entry = entry(&mine, Some("ada"));
    db.database.append_audit(&entry, None).await.unwrap();
    let forget = "UPDATE audit_log SET remote_addr = NULL, actor_name = NULL, on_behalf_of = NULL";
    let forget_files = "UPDATE audit_files SET file_key = '/erased', version_id = NULL";
    for sql in [forget, forget_files] {
        let refused = plainly(&db, sql).await.unwrap_err();
        assert!(refused.contains("can only grow"), "{sql}: {refused}");
    }
    assert_eq!(log(&db.database, &mine).await, [entry]);
    db.database.erase_workspace(&mine, now()).await.unwrap();
    // Not even then is anything else changed, or removed.
    for sql in [
        "UPDATE audit_log SET actor = 'service', remote_addr = NULL",
        "UPDATE audit_log SET result = 'failed'",
        "UPDATE audit_log SET on_behalf_of = 'somebody else'",
        "UPDATE audit_log SET remote_addr = '192.0.2.8'",
        "UPDATE audit_files SET result = 'failed'",
        "UPDATE audit_files SET file_key = '/other'",
        "DELETE FROM audit_log",
    ] {
        let refused = plainly(&db, sql).await.unwrap_err();
        assert!(refused.contains("can only grow"), "{sql}: {refused}");
    }
}
