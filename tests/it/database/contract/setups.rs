use crate::application::kept::store::{
    CheckStore, CheckTarget, Completion, Recorded, SetupStore, StorageStore, StoreError,
};
use crate::domain::check::StepStatus;
use crate::domain::connection::access::Access;
use crate::domain::ids::{CheckId, SetupId, WorkspaceId};
use crate::domain::setup::SetupStatus;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(
    setups_come_back_as_they_were,
    an_external_id_is_used_once,
    a_draft_changes_only_at_the_expected_revision,
    a_closed_setup_stays_closed_and_forgets_the_secret,
    completion_needs_the_very_revision_and_check,
    completion_is_all_or_nothing,
    one_of_many_completions_wins,
    damaged_setups_are_not_read,
);

async fn setups_come_back_as_they_were(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let made = [
        setup(&db, &mine.id, Default::default()).await,
        setup(&db, &mine.id, role_draft()).await,
        setup(&db, &mine.id, access_key_draft()).await,
    ];
    for one in &made {
        assert_eq!(db.setup(&mine.id, &one.id).await, Ok(Some(one.clone())));
        assert_eq!(db.setup(&other.id, &one.id).await, Ok(None));
    }
    assert_eq!(db.list_setups(&mine.id, &all()).await.unwrap(), made);
    let second = page(Some(made[0].id.as_str()), 1);
    assert_eq!(db.list_setups(&mine.id, &second).await.unwrap(), made[1..2]);
    assert_eq!(db.list_setups(&other.id, &all()).await, Ok(vec![]));
    let homeless = new_setup(&WorkspaceId::generate());
    assert!(matches!(
        db.create_setup(&homeless, None).await,
        Err(StoreError::Conflict(_))
    ));
}

async fn an_external_id_is_used_once(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let first = setup(&db, &mine.id, role_draft()).await;
    for workspace in [&mine.id, &other.id] {
        let mut thief = new_setup(workspace);
        thief.external_id = first.external_id.clone();
        let made = db.create_setup(&thief, None).await;
        assert!(matches!(made, Err(StoreError::Conflict(_))), "{made:?}");
        assert_eq!(db.setup(workspace, &thief.id).await, Ok(None));
    }
    // The record of them cannot be thinned out, and a failed setup leaves none behind.
    assert_eq!(
        tester
            .texts("SELECT external_id FROM external_ids", "external_id")
            .await,
        [first.external_id.to_string()]
    );
    if tester.is_postgres() {
        return; // `tamper` works as a superuser who has switched triggers off.
    }
    assert!(tester.tamper("DELETE FROM external_ids").await.is_err());
}

async fn a_draft_changes_only_at_the_expected_revision(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let made = setup(&db, &mine.id, role_draft()).await;
    let mut draft = access_key_draft();
    draft.settings.access = Access::Read;
    let update = |workspace: &WorkspaceId, id: &SetupId, expected| {
        let (db, workspace, id, draft) = (db.clone(), workspace.clone(), id.clone(), draft.clone());
        async move {
            db.update_draft(&workspace, &id, &draft, expected, expected + 1)
                .await
        }
    };
    assert_eq!(update(&mine.id, &made.id, 0).await, Ok(false));
    assert_eq!(update(&other.id, &made.id, 1).await, Ok(false));
    assert_eq!(update(&mine.id, &SetupId::generate(), 1).await, Ok(false));
    assert_eq!(db.setup(&mine.id, &made.id).await, Ok(Some(made.clone())));
    assert_eq!(update(&mine.id, &made.id, 1).await, Ok(true));
    assert_eq!(update(&mine.id, &made.id, 1).await, Ok(false));
    let changed = db.setup(&mine.id, &made.id).await.unwrap().unwrap();
    assert_eq!(changed.draft, draft);
    assert_eq!(changed.revision, 2);
    assert_eq!(changed.external_id, made.external_id);
    assert_eq!(db.close_setup(&mine.id, &made.id).await, Ok(true));
    assert_eq!(update(&mine.id, &made.id, 2).await, Ok(false));
}

async fn a_closed_setup_stays_closed_and_forgets_the_secret(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let made = setup(&db, &mine.id, access_key_draft()).await;
    assert_eq!(db.close_setup(&other.id, &made.id).await, Ok(false));
    assert_eq!(db.close_setup(&mine.id, &made.id).await, Ok(true));
    assert_eq!(db.close_setup(&mine.id, &made.id).await, Ok(false));
    let closed = db.setup(&mine.id, &made.id).await.unwrap().unwrap();
    assert_eq!(closed.status, SetupStatus::Closed);
    assert_eq!(closed.draft.sign_in.access_key.secret, None);
    assert_eq!(closed.external_id, made.external_id);
}

async fn completion_needs_the_very_revision_and_check(db: TestDb) {
    let db = db.database;
    let (mine, other) = (workspace(&db).await, workspace(&db).await);
    let made = setup(&db, &mine.id, access_key_draft()).await;
    let target = CheckTarget::Setup(made.id.clone());
    let older = report(made.id.as_str(), 1, StepStatus::Passed);
    let latest = report(made.id.as_str(), 1, StepStatus::Passed);
    for check in [&older, &latest] {
        let recorded = db.record_check(&mine.id, &target, check).await;
        assert_eq!(recorded, Ok(Recorded::Stored));
    }
    let storage = storage_of(&made);
    for (workspace, revision, check) in [
        (&mine.id, 2, &latest.id),
        (&mine.id, 1, &older.id),
        (&mine.id, 1, &CheckId::generate()),
        (&other.id, 1, &latest.id),
    ] {
        assert_eq!(
            db.complete_setup(workspace, &made.id, revision, check, &storage, None)
                .await,
            Ok(Completion::Changed)
        );
        assert_eq!(db.list_storages(&mine.id, &all()).await, Ok(vec![]));
    }
    let complete = || db.complete_setup(&mine.id, &made.id, 1, &latest.id, &storage, None);
    assert_eq!(complete().await, Ok(Completion::Completed));
    assert_eq!(complete().await, Ok(Completion::Changed));
    assert_eq!(db.close_setup(&mine.id, &made.id).await, Ok(false));
    let completed = db.setup(&mine.id, &made.id).await.unwrap().unwrap();
    assert_eq!(completed.status, SetupStatus::Completed);
    assert_eq!(completed.draft.sign_in.access_key.secret, None);
    assert_eq!(reload(&db, &storage).await, storage);
    assert_eq!(db.list_storages(&mine.id, &all()).await, Ok(vec![storage]));
}

async fn completion_is_all_or_nothing(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let existing = storage(&db, &mine.id).await;
    let made = setup(&db, &mine.id, role_draft()).await;
    let check = report(made.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Setup(made.id.clone());
    let recorded = db.record_check(&mine.id, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    let before = db.setup(&mine.id, &made.id).await.unwrap();

    // The second half fails: the ID exists already; the external ID is another setup's.
    let mut twin = storage_of(&made);
    twin.id = existing.id.clone();
    let mut borrowed = storage_of(&made);
    borrowed.connection = existing.connection.clone();
    for storage in [twin, borrowed] {
        let done = db
            .complete_setup(&mine.id, &made.id, 1, &check.id, &storage, None)
            .await;
        assert!(matches!(done, Err(StoreError::Conflict(_))), "{done:?}");
        assert_eq!(db.setup(&mine.id, &made.id).await.unwrap(), before);
    }
    assert_eq!(db.list_storages(&mine.id, &all()).await, Ok(vec![existing]));
}

async fn one_of_many_completions_wins(db: TestDb) {
    let db = db.database;
    let mine = workspace(&db).await;
    let made = setup(&db, &mine.id, role_draft()).await;
    let check = report(made.id.as_str(), 1, StepStatus::Passed);
    let target = CheckTarget::Setup(made.id.clone());
    let recorded = db.record_check(&mine.id, &target, &check).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    let mut racers = Vec::new();
    for _ in 0..20 {
        let (db, made, check) = (db.clone(), made.clone(), check.id.clone());
        racers.push(tokio::spawn(async move {
            db.complete_setup(
                &made.workspace,
                &made.id,
                1,
                &check,
                &storage_of(&made),
                None,
            )
            .await
            .unwrap()
        }));
    }
    let mut winners = 0;
    for racer in racers {
        winners += usize::from(racer.await.unwrap() == Completion::Completed);
    }
    assert_eq!(winners, 1);
    assert_eq!(db.list_storages(&mine.id, &all()).await.unwrap().len(), 1);
}

async fn damaged_setups_are_not_read(db: TestDb) {
    let (tester, db) = (db.clone(), db.database);
    let mine = workspace(&db).await;
    for (column, bad) in [
        ("external_id", ""),
        ("external_id", "acme"),
        ("role_arn", "arn:aws:iam::123456789012:role/*"),
        ("prefix", "team"),
        ("status", "expired"),
        ("bucket", "s3://x"),
        ("display_name", " padded "),
    ] {
        let made = setup(&db, &mine.id, role_draft()).await;
        tester
            .tamper(&format!(
                "UPDATE setups SET {column} = '{bad}' WHERE id = '{}'",
                made.id
            ))
            .await
            .unwrap();
        let read = db.setup(&mine.id, &made.id).await;
        let Err(StoreError::Damaged { record, why }) = read else {
            panic!("{column} = {bad:?}: {read:?}");
        };
        assert_eq!(record, format!("setups/{}", made.id));
        assert!(why.starts_with(column), "{why}");
        assert!(matches!(
            db.list_setups(&mine.id, &all()).await,
            Err(StoreError::Damaged { .. })
        ));
        tester
            .tamper(&format!("DELETE FROM setups WHERE id = '{}'", made.id))
            .await
            .unwrap();
    }
}
