use crate::application::kept::store::{
    CheckStore, CheckTarget, ProjectStore, StorageDeletion, StorageStore, StoreError,
    WorkspaceStore,
};
use crate::domain::check::StepStatus;
use crate::domain::connection::Credentials;
use crate::domain::connection::access::Access;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{StorageId, StorageRef};
use crate::domain::storage::Storage;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(
    storages_come_back_as_they_were,
    another_workspace_changes_nothing,
    a_connection_changes_only_at_the_expected_revision,
    bucket_and_prefix_are_fixed_while_projects_use_them,
    a_storage_in_use_is_not_deleted,
    deletion_and_use_never_both_succeed,
    a_deleted_storage_takes_its_checks_and_its_place_as_default,
    damaged_storages_are_not_read,
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

async fn another_workspace_changes_nothing(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let stored = storage(&db, &mine.id).await;
    let check = report(stored.id.as_str(), 1, StepStatus::Failed);
    let target = CheckTarget::Storage(stored.id.clone());
    assert_eq!(db.storage(&other.id, &stored.id).await, Ok(None));
    assert_eq!(
        db.rename_storage(&other.id, &stored.id, &name("mine now"))
            .await,
        Ok(false)
    );
    assert_eq!(
        db.update_connection(&other.id, &stored.id, &stored.connection, 1)
            .await,
        Ok(false)
    );
    assert_eq!(
        db.delete_storage(&other.id, &stored.id).await,
        Ok(StorageDeletion::NotFound)
    );
    assert_eq!(db.record_check(&other.id, &target, &check).await, Ok(false));
    assert_eq!(reload(&db, &stored).await, stored);
    assert_eq!(
        db.rename_storage(&mine.id, &stored.id, &name("Neu")).await,
        Ok(true)
    );
    assert_eq!(reload(&db, &stored).await.display_name, name("Neu"));
    assert_eq!(
        db.rename_storage(&mine.id, &StorageId::generate(), &name("x"))
            .await,
        Ok(false)
    );
}

fn with_other_role(stored: &Storage) -> Storage {
    let mut changed = stored.clone();
    changed.connection.settings.access = Access::Read;
    if let Credentials::Role { role_arn, .. } = &mut changed.connection.credentials {
        *role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/other").unwrap();
    }
    changed
}

async fn a_connection_changes_only_at_the_expected_revision(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let changed = with_other_role(&stored);
    let update =
        |expected| db.update_connection(&mine.id, &stored.id, &changed.connection, expected);
    assert_eq!(update(0).await, Ok(false));
    assert_eq!(update(2).await, Ok(false));
    assert_eq!(reload(&db, &stored).await, stored);
    assert_eq!(update(1).await, Ok(true));
    assert_eq!(update(1).await, Ok(false));
    let now = reload(&db, &stored).await;
    assert_eq!(now.connection, changed.connection);
    assert_eq!((now.revision, now.verified_revision), (2, 1));
    assert!(!now.is_verified());

    // The service's own credentials are nothing that a workspace may store.
    let mut own = changed.connection.clone();
    own.credentials = Credentials::Service;
    assert!(
        db.update_connection(&mine.id, &stored.id, &own, 2)
            .await
            .is_err()
    );
    // Nor is an external ID that belongs to another setup.
    let foreign = storage(&db, &workspace(&db).await.id).await;
    assert!(matches!(
        db.update_connection(&mine.id, &stored.id, &foreign.connection, 2)
            .await,
        Err(StoreError::Conflict(_))
    ));
}

async fn bucket_and_prefix_are_fixed_while_projects_use_them(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let stored = storage(&db, &mine.id).await;
    let project = project(&db, &mine.id, Some(&stored.id)).await;
    let mut bucket = stored.connection.clone();
    bucket.bucket = BucketName::parse("elsewhere").unwrap();
    let mut prefix = stored.connection.clone();
    prefix.settings.prefix = BucketPrefix::parse("TEAM/ä b").unwrap();
    for connection in [&bucket, &prefix] {
        assert_eq!(
            db.update_connection(&mine.id, &stored.id, connection, 1)
                .await,
            Ok(false)
        );
    }
    let role = with_other_role(&stored).connection;
    assert_eq!(
        db.update_connection(&mine.id, &stored.id, &role, 1).await,
        Ok(true)
    );
    assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
    assert_eq!(
        db.update_connection(&mine.id, &stored.id, &bucket, 2).await,
        Ok(true)
    );
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
        db.delete_storage(&mine.id, &stored.id).await,
        Ok(StorageDeletion::InUse(3))
    );
    for project in projects {
        assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(true));
        assert_eq!(db.delete_project(&mine.id, &project.id).await, Ok(false));
    }
    assert_eq!(reload(&db, &stored).await.project_count, 0);
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id).await,
        Ok(StorageDeletion::Deleted)
    );
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id).await,
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
            db.delete_storage(&mine.id, &stored.id)
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
    assert_eq!(db.record_check(&mine.id, &target, &check).await, Ok(true));
    assert_eq!(
        db.set_default_storage(&mine.id, &StorageRef::Own(stored.id.clone()))
            .await,
        Ok(true)
    );
    assert_eq!(
        db.delete_storage(&mine.id, &stored.id).await,
        Ok(StorageDeletion::Deleted)
    );
    assert_eq!(db.check(&mine.id, &check.id).await, Ok(None));
    assert_eq!(
        db.workspace(&mine.id)
            .await
            .unwrap()
            .unwrap()
            .default_storage,
        StorageRef::BuiltIn
    );
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
            db.delete_storage(&mine.id, &stored.id).await,
            Ok(StorageDeletion::Deleted)
        );
    }
}
