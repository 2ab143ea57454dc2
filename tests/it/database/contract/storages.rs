use crate::application::kept::store::{
    CheckStore, CheckTarget, FoundStorage, PendingCheck, PendingStore, ProjectStore, Recorded,
    StorageChange, StorageDeletion, StorageSearch, StorageStore, StoreError, WorkspaceStore,
};
use crate::domain::check::StepStatus;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::ids::{StorageId, StorageRef};
use crate::domain::people::standing::StandingChange;
use crate::domain::people::workspace::WorkspaceExternalId;
use crate::domain::storage::HealthState;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(
    storages_come_back_as_they_were,
    storages_of_buckets_are_found_together,
    another_workspace_changes_nothing,
    a_storage_in_use_is_not_deleted,
    deletion_and_use_never_both_succeed,
    a_deleted_storage_takes_its_checks_and_its_place_as_default,
    damaged_storages_are_not_read,
    storages_of_all_workspaces_are_found,
);

async fn storages_come_back_as_they_were(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let role = storage(&db, &mine.id).await;
    let keyed = complete(&db, &setup(&db, &mine.id, access_key_draft()).await).await;
    assert_eq!(reload(&db, &role).await, role);
    assert_eq!(reload(&db, &keyed).await, keyed);
    assert_eq!(
        db.list_storages(&mine.id, &all()).await,
        Ok(vec![role.clone(), keyed.clone()])
    );
    let rest = page(Some(role.id.as_str()), 10);
    assert_eq!(db.list_storages(&mine.id, &rest).await, Ok(vec![keyed]));
    assert_eq!(
        db.list_storages(&mine.id, &page(None, 1)).await,
        Ok(vec![role])
    );
    assert_eq!(db.list_storages(&other.id, &all()).await, Ok(vec![]));
}

async fn storages_of_buckets_are_found_together(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let in_bucket = async |bucket: &str| {
        let mut draft = role_draft();
        draft.bucket = Some(BucketName::parse(bucket).unwrap());
        complete(&db, &setup(&db, &mine.id, draft).await).await
    };
    let first = in_bucket("acme-first").await;
    let second = in_bucket("acme-second").await;
    let again = in_bucket("acme-first").await;
    in_bucket("acme-third").await;
    let buckets = |names: &[&str]| -> Vec<BucketName> {
        let parsed = names.iter().map(|name| BucketName::parse(name).unwrap());
        parsed.collect()
    };
    for (names, found) in [
        (&[][..], vec![]),
        (&["acme-fourth"][..], vec![]),
        (&["acme-second"][..], vec![second.clone()]),
        (
            &["acme-second", "acme-first", "acme-fourth"][..],
            vec![first, second, again],
        ),
    ] {
        let of = db.storages_of_buckets(&mine.id, &buckets(names)).await;
        assert_eq!(of, Ok(found), "{names:?}");
        let of = db.storages_of_buckets(&other.id, &buckets(names)).await;
        assert_eq!(of, Ok(vec![]), "{names:?}");
    }
}

async fn another_workspace_changes_nothing(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let check = report(stored.id.as_str(), 1, StepStatus::Failed);
    let target = CheckTarget::Storage(stored.id.clone());
    assert_eq!(db.storage(&other.id, &stored.id).await, Ok(None));
    let rename = |text: &str| StorageChange {
        display_name: Some(name(text)),
        ..keep()
    };
    let change = async |workspace, storage, change: &StorageChange| {
        db.change_storage(workspace, storage, seen(1, None), change)
            .await
    };
    let absent = StorageId::generate();
    let to_other_role = put(&with_other_role(&stored).connection);
    let (theirs, neu, x) = (rename("mine now"), rename("Neu"), rename("x"));
    for refused in [&theirs, &to_other_role] {
        assert_eq!(change(&other.id, &stored.id, refused).await, Ok(false));
    }
    assert_eq!(
        db.delete_storage(&other.id, &stored.id, None, None).await,
        Ok(StorageDeletion::NotFound)
    );
    let recorded = db.record_check(&other.id, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::NoTarget));
    assert_eq!(reload(&db, &stored).await, stored);
    assert_eq!(change(&mine.id, &stored.id, &neu).await, Ok(true));
    assert_eq!(reload(&db, &stored).await.display_name, name("Neu"));
    assert_eq!(change(&mine.id, &absent, &x).await, Ok(false));

    // Nor does it see, check or remove what waits for its check.
    assert_eq!(change(&mine.id, &stored.id, &to_other_role).await, Ok(true));
    let waiting = db.pending(&mine.id, &stored.id).await.unwrap();
    assert!(waiting.is_some());
    assert_eq!(db.pending(&other.id, &stored.id).await, Ok(None));
    assert_eq!(db.list_pending(&other.id, &all()).await, Ok(vec![]));
    assert_eq!(db.remove_pending(&other.id, &stored.id).await, Ok(false));
    let passed = report(stored.id.as_str(), 2, StepStatus::Passed);
    let came_of_it = db.record_pending_check(&other.id, &stored.id, &passed, &stored.connection);
    assert_eq!(came_of_it.await, Ok(PendingCheck::Outdated));
    assert_eq!(db.pending(&mine.id, &stored.id).await, Ok(waiting));
}

async fn a_storage_in_use_is_not_deleted(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let mut projects = Vec::new();
    for _ in 0..3 {
        projects.push(project(&db, &mine.id, Some(&stored.id)).await);
    }
    project(&db, &mine.id, None).await;
    assert_eq!(reload(&db, &stored).await.project_count, 3);
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id, None, None).await,
        Ok(StorageDeletion::InUse(3))
    );
    for project in projects {
        assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
        assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(false));
    }
    assert_eq!(reload(&db, &stored).await.project_count, 0);
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id, None, None).await,
        Ok(StorageDeletion::Deleted)
    );
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id, None, None).await,
        Ok(StorageDeletion::NotFound)
    );
}

async fn deletion_and_use_never_both_succeed(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    for _ in 0..10 {
        let stored = storage(&db, &mine.id).await;
        let project = new_project(&mine.id, Some(&stored.id));
        let (created, deleted) = tokio::join!(
            db.create_project(&project, 1, &[], None, None),
            db.delete_storage(&mine.id, &stored.id, None, None)
        );
        match (&created, &deleted) {
            (Ok(()), Ok(StorageDeletion::InUse(1)))
            | (Err(StoreError::Conflict(_)), Ok(StorageDeletion::Deleted)) => {}
            odd => panic!("{odd:?}"),
        }
    }
}

async fn a_deleted_storage_takes_its_checks_and_its_place_as_default(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let check = report(stored.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Storage(stored.id.clone());
    let recorded = db.record_check(&mine.id, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    assert_eq!(
        db.set_default_storage(&mine.id, &StorageRef::Own(stored.id.clone()))
            .await,
        Ok(true)
    );
    let default = async || {
        let workspace = db.workspace(&mine.id).await.unwrap();
        workspace.unwrap().default_storage
    };
    // Nothing becomes the default unless somebody says so.
    let other = storage(&db, &mine.id).await;
    let elsewhere = workspace(&db).await;
    let theirs = StorageRef::Own(storage(&db, &elsewhere.id).await.id);
    let itself = StorageRef::Own(stored.id.clone());
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id, None, None).await,
        Ok(StorageDeletion::IsDefault)
    );
    for next in [&theirs, &itself] {
        assert_eq!(
            db.delete_storage(&mine.id, &stored.id, Some(next), None)
                .await,
            Ok(StorageDeletion::NoSuchDefault)
        );
    }
    assert_eq!(default().await, itself);
    let next = StorageRef::Own(other.id.clone());
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id, Some(&next), None)
            .await,
        Ok(StorageDeletion::Deleted)
    );
    assert_eq!(db.check(&mine.id, &check.id).await, Ok(None));
    assert_eq!(default().await, next);
    let built_in = Some(&StorageRef::BuiltIn);
    assert_eq!(
        db.delete_storage(&mine.id, &other.id, built_in, None).await,
        Ok(StorageDeletion::Deleted)
    );
    assert_eq!(default().await, StorageRef::BuiltIn);
}

async fn damaged_storages_are_not_read(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    for (column, bad) in [
        ("external_id", "''"),
        ("external_id", "NULL"),
        ("role_arn", "'arn:aws:iam::123456789012:root'"),
        ("role_arn", "NULL"),
        ("auth", "'service'"),
        ("region", "'x@evil:443/#'"),
        ("prefix", "'team'"),
        ("health", "'fine'"),
        ("quarantined_at", "5"),
        ("created_at", "9223372036854775807"),
    ] {
        let stored = storage(&db, &mine.id).await;
        tester
            .tamper(&format!(
                "UPDATE storages SET {column} = {bad} WHERE id = '{}'",
                stored.id
            ))
            .await
            .unwrap();
        let read = db.storage(&mine.id, &stored.id).await;
        let Err(StoreError::Damaged { record, why }) = read else {
            panic!("{column} = {bad}: {read:?}");
        };
        assert_eq!(record, format!("storages/{}", stored.id));
        assert!(why.starts_with(column), "{why}");
        assert!(matches!(
            db.list_storages(&mine.id, &all()).await,
            Err(StoreError::Damaged { .. })
        ));
        // What cannot be read can still be deleted.
        assert_eq!(
            db.delete_storage(&mine.id, &stored.id, None, None).await,
            Ok(StorageDeletion::Deleted)
        );
    }
}

async fn storages_of_all_workspaces_are_found(db: TestDb) {
    let db = db.database;
    let mut mine = workspace(&db).await;
    let other = workspace(&db).await;
    mine.external_id = Some(WorkspaceExternalId::parse("tenant-1").unwrap());
    assert_eq!(
        db.change_workspace(&mine, &StandingChange::default()).await,
        Ok(true)
    );
    let (first, second) = (storage(&db, &mine.id).await, storage(&db, &other.id).await);
    let default = StorageRef::Own(first.id.clone());
    assert_eq!(db.set_default_storage(&mine.id, &default).await, Ok(true));
    let rows = [
        FoundStorage {
            storage: first.clone(),
            workspace_external_id: mine.external_id.clone(),
            default,
        },
        FoundStorage {
            storage: second.clone(),
            workspace_external_id: None,
            default: StorageRef::BuiltIn,
        },
    ];
    let search = async |search: StorageSearch, window| {
        assert!(!search.is_empty());
        db.search_storages(&search, &window).await.unwrap()
    };
    let of_bucket = StorageSearch {
        bucket: Some(first.connection.bucket.clone()),
        ..StorageSearch::default()
    };
    assert_eq!(search(of_bucket.clone(), all()).await, rows);
    assert_eq!(search(of_bucket.clone(), page(None, 1)).await, rows[..1]);
    let rest = page(Some(first.id.as_str()), 9);
    assert_eq!(search(of_bucket.clone(), rest).await, rows[1..]);
    let of_one = StorageSearch {
        workspace: Some(other.id.clone()),
        ..of_bucket.clone()
    };
    assert_eq!(search(of_one, all()).await, rows[1..]);
    let by_external_id = StorageSearch {
        external_id: second
            .connection
            .credentials
            .external_id()
            .map(ToString::to_string),
        ..of_bucket.clone()
    };
    assert_eq!(search(by_external_id, all()).await, rows[1..]);
    let of_tenant = StorageSearch {
        external_id: Some("tenant-1".to_owned()),
        ..StorageSearch::default()
    };
    assert_eq!(search(of_tenant.clone(), all()).await, rows[..1]);
    let of_another = StorageSearch {
        workspace: Some(other.id.clone()),
        ..of_tenant
    };
    assert_eq!(search(of_another, all()).await, []);
    let by_name = StorageSearch {
        name: Some("BUCKET OF".to_owned()),
        health: Some(first.health.state),
        ..StorageSearch::default()
    };
    assert_eq!(search(by_name.clone(), all()).await.len(), 2);
    let broken = StorageSearch {
        health: Some(HealthState::Broken),
        ..by_name
    };
    assert_eq!(search(broken, all()).await, []);
    let wildcard = StorageSearch {
        name: Some("%".to_owned()),
        ..StorageSearch::default()
    };
    assert_eq!(search(wildcard, all()).await, []);
}
