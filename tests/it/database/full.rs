//! A database without room.

use crate::application::kept::store::{StoreError, WorkspaceStore};
use crate::database::Database;
use crate::it::database::contract::samples::{all, name, new_workspace};

#[tokio::test]
async fn a_full_database_refuses_what_does_not_fit_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.db");
    // The schema alone has fewer.
    let database = Database::connect_within(&path, 150).await.unwrap();
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
    for _ in 0..3 {
        let again = database.create_workspace(&new_workspace(), None).await;
        assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");
    }
    // Room that is made is used.
    for gone in &made[..known.min(100)] {
        assert_eq!(database.delete_workspace(&gone.id).await, Ok(true));
    }
    assert_eq!(
        database.create_workspace(&new_workspace(), None).await,
        Ok(())
    );
}
