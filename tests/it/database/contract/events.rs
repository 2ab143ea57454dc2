//! Events: one for each change, in its transaction, in the order of the commits.

use crate::application::kept::store::{
    CheckStore, CheckTarget, Completion, EventFilter, EventStore, Expired, HeldKey, JobStore,
    KeptAnswer, PendingStore, ProjectStore, Recorded, RetentionStore, RoleWaitStore, SetupStore,
    StorageChange, StorageStore, StoreError, WorkspaceStore,
};
use crate::database::Database;
use crate::domain::cause::entry::Bearing;
use crate::domain::check::{StepName, StepStatus};
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::event::{Event, EventType};
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use crate::domain::project::{ImportFailure, Project};
use crate::domain::setup::{Draft, Setup};
use crate::domain::storage::Storage;
use crate::it::database::contract::imports::import;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use time::{Duration, OffsetDateTime};

on_both_engines!(
    each_change_of_a_storage_has_an_event,
    each_change_of_health_has_an_event,
    setups_and_projects_have_events,
    what_is_not_stored_has_no_event,
    a_reader_never_misses_an_event_among_many_writers,
    a_workspace_sees_its_own_events_only,
    events_end_with_their_time_and_their_workspace,
);

async fn events(db: &Database) -> Vec<Event> {
    let all = db.list_events(&EventFilter::default(), 0, 1000).await;
    all.unwrap().into_iter().map(|(_, event)| event).collect()
}

/// The events since the last call.
struct NewEvents<'a> {
    db: &'a Database,
    seen: i64,
}

impl<'a> NewEvents<'a> {
    async fn from_now(db: &'a Database) -> Self {
        Self {
            db,
            seen: db.last_event().await.unwrap(),
        }
    }

    async fn next(&mut self) -> Vec<(EventType, serde_json::Value)> {
        let all = EventFilter::default();
        let rows = self.db.list_events(&all, self.seen, 1000).await.unwrap();
        self.seen = self.db.last_event().await.unwrap();
        rows.into_iter()
            .map(|(_, event)| (event.kind, serde_json::Value::Object(event.data)))
            .collect()
    }
}

fn subject() -> SubjectId {
    SubjectId::parse("user-7").unwrap()
}

/// A workspace that the product knows by an ID of its own.
async fn known_workspace(db: &Database) -> Workspace {
    let workspace = Workspace {
        external_id: Some(WorkspaceExternalId::parse("tenant-4711").unwrap()),
        ..new_workspace()
    };
    db.create_workspace(&workspace, None).await.unwrap();
    workspace
}

async fn each_change_of_a_storage_has_an_event(db: TestDb) {
    let db = db.database;
    let mine = known_workspace(&db).await.id;
    let mut feed = NewEvents::from_now(&db).await;
    let made = setup(&db, &mine, role_draft()).await;
    db.setup_acted_for(&mine, &made.id, &subject())
        .await
        .unwrap();
    let stored = complete(&db, &made).await;
    let about = json!({
        "workspace_id": mine.as_str(), "workspace_external_id": "tenant-4711", "subject": "user-7", "on_behalf_of": "user-7",
        "storage_id": stored.id.as_str(), "setup_id": made.id.as_str(),
    });
    assert_eq!(
        feed.next().await,
        [
            (EventType::StorageCreated, about.clone()),
            (EventType::SetupCompleted, about),
        ]
    );

    let storage_alone = |subject: Option<&str>| {
        let mut data = json!({
            "workspace_id": mine.as_str(), "workspace_external_id": "tenant-4711",
        });
        if let Some(subject) = subject {
            data["subject"] = subject.into();
            data["on_behalf_of"] = subject.into();
        }
        data["storage_id"] = stored.id.as_str().into();
        data
    };
    let renamed = StorageChange {
        display_name: Some(name("Neu")),
        on_behalf_of: Some(subject()),
        ..keep()
    };
    let changed = db.change_storage(&mine, &stored.id, seen(1, None), &renamed);
    assert_eq!(changed.await, Ok(true));
    let updated = (EventType::StorageUpdated, storage_alone(Some("user-7")));
    assert_eq!(feed.next().await, std::slice::from_ref(&updated));

    // A change that waits for its check has changed nothing yet.
    let next = with_other_role(&stored).connection;
    let waiting = StorageChange {
        on_behalf_of: Some(subject()),
        ..put(&next)
    };
    let changed = db.change_storage(&mine, &stored.id, seen(1, None), &waiting);
    assert_eq!(changed.await, Ok(true));
    assert!(feed.next().await.is_empty());
    let passed = report(stored.id.as_str(), 2, StepStatus::Passed);
    db.record_pending_check(&mine, &stored.id, &passed, &next)
        .await
        .unwrap();
    assert_eq!(feed.next().await, [updated]);

    db.delete_storage(&mine, &stored.id, None, None)
        .await
        .unwrap();
    let deleted = (EventType::StorageDeleted, storage_alone(None));
    assert_eq!(feed.next().await, [deleted]);
}

async fn each_change_of_health_has_an_event(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let stored = storage(&db, &mine).await;
    let mut feed = NewEvents::from_now(&db).await;
    let mut minutes = 0;
    let mut check = async |step: Option<(StepName, &str, Bearing)>| {
        minutes += 1;
        let id = stored.id.as_str();
        let mut report = match step {
            Some((step, code, bearing)) => failed_report(id, 1, step, code, bearing),
            None => report(id, 1, StepStatus::Passed),
        };
        report.started_at = stored.health.since + Duration::minutes(minutes);
        let target = CheckTarget::Storage(stored.id.clone());
        db.record_check(&mine, &target, &report).await.unwrap();
    };
    let about = |kind: EventType, code: Option<&str>| {
        let mut data = json!({"workspace_id": mine.as_str(), "storage_id": stored.id.as_str()});
        if let Some(code) = code {
            data["code"] = code.into();
        }
        (kind, data)
    };
    let refused = Some((StepName::AssumeRole, "role_refused", Bearing::RefusesUs));
    check(refused).await;
    check(refused).await;
    let broken = about(EventType::StorageBroken, Some("role_refused"));
    assert_eq!(feed.next().await, [broken]);
    // Broken in another way.
    check(Some((StepName::ListBucket, "x_missing", Bearing::Definite))).await;
    let broken = about(EventType::StorageBroken, Some("x_missing"));
    assert_eq!(feed.next().await, [broken]);
    check(None).await;
    assert_eq!(feed.next().await, [about(EventType::StorageHealthy, None)]);
    let cors = Some((StepName::Cors, "cors_origin_missing", Bearing::Definite));
    check(cors).await;
    let degraded = about(EventType::StorageDegraded, Some("cors_origin_missing"));
    assert_eq!(feed.next().await, [degraded]);
    let step = StepName::RefusesMissingExternalId;
    check(Some((step, "open", Bearing::OpenToOthers))).await;
    let found = [
        about(EventType::StorageBroken, Some("open")),
        about(EventType::StorageQuarantined, Some("open")),
    ];
    assert_eq!(feed.next().await, found);
}

async fn setups_and_projects_have_events(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let mut feed = NewEvents::from_now(&db).await;
    let of_setup = |kind: EventType, setup: &SetupId| {
        let data = json!({"workspace_id": mine.as_str(), "setup_id": setup.as_str()});
        (kind, data)
    };
    let made = setup(&db, &mine, role_draft()).await;
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/acme").unwrap();
    for _ in 0..2 {
        db.record_role(&mine, &made.id, &role, now()).await.unwrap();
    }
    let appeared = of_setup(EventType::SetupRoleAppeared, &made.id);
    assert_eq!(feed.next().await, [appeared]);

    assert_eq!(db.close_setup(&mine, &made.id).await, Ok(true));
    assert_eq!(db.close_setup(&mine, &made.id).await, Ok(false));
    let closed = of_setup(EventType::SetupClosed, &made.id);
    assert_eq!(feed.next().await, [closed]);

    // A setup expires once, also for two replicas at the same moment, and not where it was closed.
    let late = Setup {
        expires_at: now() - Duration::seconds(1),
        ..new_setup(&mine)
    };
    db.create_setup(&late, None).await.unwrap();
    let (one, other) = tokio::join!(db.expire_setups(now(), 10), db.expire_setups(now(), 10));
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(db.expire_setups(now(), 10).await, Ok(0));
    let expired = of_setup(EventType::SetupExpired, &late.id);
    assert_eq!(feed.next().await, [expired]);

    // A dialog that was left empty is discarded.
    let left = setup(&db, &mine, Draft::default()).await;
    let long_ago = now() - Duration::hours(2);
    db.dialog_is_open(&mine, &left.id, long_ago, true)
        .await
        .unwrap();
    let removed = db.remove_expired(Expired::LeftDialogs, now(), 10).await;
    assert_eq!(removed, Ok(1));
    let closed = of_setup(EventType::SetupClosed, &left.id);
    assert_eq!(feed.next().await, [closed]);

    let of_project = |kind: EventType, project: &Project, code: Option<&str>| {
        let mut data = json!({
            "workspace_id": mine.as_str(), "subject": "user-4711", "on_behalf_of": "user-4711",
            "project_id": project.id.as_str(),
        });
        if let Some(code) = code {
            data["code"] = code.into();
        }
        (kind, data)
    };
    let at_once = project(&db, &mine, None).await;
    let ready = of_project(EventType::ProjectReady, &at_once, None);
    assert_eq!(feed.next().await, [ready]);
    for failure in [None, Some("missing_files")] {
        let (imported, _) = import(&db, &mine).await;
        // The storage of the import.
        feed.next().await;
        let until = now() + Duration::minutes(1);
        let claim = any_job("import", "w", now(), until);
        db.claim_job(&claim).await.unwrap().unwrap();
        let why = failure.map(|code| ImportFailure {
            code: code.to_owned(),
            detail: "2 files are missing.".to_owned(),
            cause: None,
            remedy: None,
        });
        let ended = db.finish_import("w", &imported.id, why.as_ref()).await;
        assert_eq!(ended, Ok(true));
        let kind = match failure {
            None => EventType::ProjectReady,
            Some(_) => EventType::ProjectFailed,
        };
        assert_eq!(feed.next().await, [of_project(kind, &imported, failure)]);
    }
}

async fn what_is_not_stored_has_no_event(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await.id;
    let made = setup(&db, &mine, role_draft()).await;
    let check = report(made.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Setup(made.id.clone());
    let recorded = db.record_check(&mine, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    let stored = storage_of(&made);
    // An answer that cannot be kept takes the whole change back.
    let lost = KeptAnswer {
        held: HeldKey {
            scope: "scope".to_owned(),
            key: "key".to_owned(),
            since: now(),
        },
        sealed: vec![1],
    };
    let completed = db
        .complete_setup(&mine, &made.id, 1, &check.id, &stored, Some(&lost))
        .await;
    assert_eq!(completed, Err(StoreError::KeyLost));
    let project = new_project(&mine, None);
    let refused = db.create_project(&project, 1, &[], None, Some(&lost)).await;
    assert_eq!(refused, Err(StoreError::KeyLost));
    assert!(events(&db).await.is_empty());
    let completed = db
        .complete_setup(&mine, &made.id, 1, &check.id, &stored, None)
        .await;
    assert_eq!(completed, Ok(Completion::Completed));
    assert_eq!(events(&db).await.len(), 2);
}

/// A reader that goes on behind the last event that it has seen has seen them all in the end. Without the turn of
/// the writers, PostgreSQL shows later numbers before earlier ones.
async fn a_reader_never_misses_an_event_among_many_writers(db: TestDb) {
    let db = db.database;
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let mut setups = Vec::new();
    for _ in 0..WRITERS {
        let mine = workspace(&db).await.id;
        let mut own = Vec::new();
        for _ in 0..EACH {
            own.push(setup(&db, &mine, Draft::default()).await);
        }
        setups.push(own);
    }
    let ended = Arc::new(AtomicBool::new(false));
    let reader = {
        let (db, ended) = (db.clone(), ended.clone());
        tokio::spawn(async move {
            let (mut seen, mut after) = (Vec::new(), 0);
            loop {
                // Read before the list: what is written later is read in the next round.
                let is_last = ended.load(Ordering::SeqCst);
                let filter = EventFilter::default();
                let rows = db.list_events(&filter, after, 3).await.unwrap();
                if rows.is_empty() && is_last {
                    return seen;
                }
                for (position, event) in rows {
                    after = position;
                    seen.push(event.data["setup_id"].as_str().unwrap().to_owned());
                }
            }
        })
    };
    let writers = setups.clone().into_iter().map(|own| {
        let db = db.clone();
        tokio::spawn(async move {
            for setup in own {
                let closed = db.close_setup(&setup.workspace, &setup.id).await;
                assert_eq!(closed, Ok(true));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    let mut seen = reader.await.unwrap();
    let mut closed: Vec<String> = setups
        .iter()
        .flatten()
        .map(|setup| setup.id.to_string())
        .collect();
    seen.sort();
    closed.sort();
    assert_eq!(seen, closed);
}

async fn a_workspace_sees_its_own_events_only(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await.id, workspace(&db).await.id);
    let own = storage(&db, &mine).await;
    storage(&db, &other).await;
    let listed = async |workspace: &WorkspaceId, types: &[EventType]| {
        let filter = EventFilter {
            workspace: Some(workspace.clone()),
            types: types.to_vec(),
        };
        db.list_events(&filter, 0, 100).await.unwrap()
    };
    let all = listed(&mine, &[]).await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|(_, event)| event.workspace == mine));
    let created = listed(&mine, &[EventType::StorageCreated]).await;
    assert_eq!(created.len(), 1);
    let (position, event) = &created[0];
    assert_eq!(event.data["storage_id"], own.id.as_str());
    let found = db.event_position(Some(&mine), &event.id).await;
    assert_eq!(found, Ok(Some(*position)));
    assert_eq!(db.event_position(None, &event.id).await, found);
    assert_eq!(db.event_position(Some(&other), &event.id).await, Ok(None));
}

async fn events_end_with_their_time_and_their_workspace(db: TestDb) {
    let db = db.database;
    let (mine, gone) = (workspace(&db).await.id, workspace(&db).await.id);
    let kept: Storage = storage(&db, &mine).await;
    storage(&db, &gone).await;
    assert_eq!(db.delete_workspace(&gone).await, Ok(true));
    let left = events(&db).await;
    assert!(left.iter().all(|event| event.workspace == kept.workspace));
    assert_eq!(left.len(), 2);
    let remove = async |before| db.remove_expired(Expired::Events, before, 1).await;
    assert_eq!(remove(now() - Duration::hours(1)).await, Ok(0));
    let later: OffsetDateTime = now() + Duration::seconds(5);
    assert_eq!(remove(later).await, Ok(1));
    // The oldest goes first.
    assert_eq!(events(&db).await, left[1..]);
    // Numbers are not given out again.
    let last = db.last_event().await.unwrap();
    assert_eq!(remove(later).await, Ok(1));
    setup_closed(&db, &mine).await;
    assert!(db.last_event().await.unwrap() > last);
}

async fn setup_closed(db: &Database, workspace: &WorkspaceId) {
    let made = setup(db, workspace, Draft::default()).await;
    assert_eq!(db.close_setup(workspace, &made.id).await, Ok(true));
}
