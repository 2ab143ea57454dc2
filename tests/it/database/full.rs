//! A SQLite database without room, and what else ends a transaction in its middle.

use crate::application::kept::store::{StoreError, WorkspaceStore};
use crate::database::Database;
use crate::it::database::contract::samples::{all, name, new_workspace};
use crate::it::support::database::TestDb;

#[tokio::test]
async fn a_full_database_refuses_what_does_not_fit_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.db");
    // The schema alone has fewer.
    let database = Database::connect_within(&path, 200).await.unwrap();
    let mut made = Vec::new();
    let refused = loop {
        let mut workspace = new_workspace();
        workspace.name = name(&"x".repeat(200));
        match database.create_workspace(&workspace, None).await {
            Ok(()) => made.push(workspace),
            Err(error) => break error,
        }
        assert!(made.len() < 10_000, "it never becomes full");
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    // It can still be read, and nothing that was acknowledged is lost.
    let mut found = database.list_workspaces(&all()).await.unwrap();
    let known = found.len().min(made.len());
    found.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    made.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    assert_eq!(found[..known], made[..known]);
    assert!(known > 10);
    // A smaller one may still find room on a page.
    while database
        .create_workspace(&new_workspace(), None)
        .await
        .is_ok()
    {}
    for _ in 0..3 {
        let again = database.create_workspace(&new_workspace(), None).await;
        assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");
    }
    // Room that is made is used, for what makes room too: it is noted for other replicas.
    database.close().await;
    let database = Database::connect_within(&path, 300).await.unwrap();
    for gone in &made[..known.min(100)] {
        assert_eq!(database.delete_workspace(&gone.id).await, Ok(true));
    }
    assert_eq!(
        database.create_workspace(&new_workspace(), None).await,
        Ok(())
    );
}

/// SQLite rolls a transaction back by itself on a full disk, for one. The connection works afterwards.
#[tokio::test]
async fn a_transaction_that_sqlite_ends_by_itself_spoils_no_connection() {
    let db = TestDb::sqlite().await;
    db.tamper(
        "CREATE TRIGGER ends_it BEFORE INSERT ON workspaces
         BEGIN SELECT RAISE(ROLLBACK, 'on purpose'); END",
    )
    .await
    .unwrap();
    // More often than there are connections.
    for _ in 0..20 {
        let refused = db.database.create_workspace(&new_workspace(), None).await;
        let why = format!("{refused:?}");
        assert!(why.contains("on purpose"), "{why}");
    }
    db.tamper("DROP TRIGGER ends_it").await.unwrap();
    for _ in 0..20 {
        let made = db.database.create_workspace(&new_workspace(), None).await;
        assert_eq!(made, Ok(()));
    }
    assert_eq!(db.database.list_workspaces(&all()).await.unwrap().len(), 20);
}
