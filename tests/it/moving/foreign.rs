//! Rows that name what is another workspace's. Only who has the key makes such a file, so they are written without one.

use crate::application::kept::store::{
    Cell, MovedRows, MovingStore, NotWritten, PendingStore, RoleWaitStore, StoreResult,
    WorkspaceStore,
};
use crate::database::Database;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::WorkspaceId;
use crate::domain::setup::Setup;
use crate::it::database::contract::imports::import;
use crate::it::database::contract::samples::*;
use crate::it::support::database::{TestDb, on_both_engines};

on_both_engines!(what_is_another_workspace_s_is_not_named);

/// A workspace with a storage by access key, one by a role with a change that waits, an import, and an open setup that
/// waits for its role; and an open setup and a project of it about which nothing else is stored.
async fn full(store: &Database) -> (WorkspaceId, Setup, String) {
    let id = workspace(store).await.id;
    let by_key = setup(store, &id, access_key_draft()).await;
    complete(store, &by_key).await;
    let by_role = storage(store, &id).await;
    let change = put(&with_other_role(&by_role).connection);
    let changed = store.change_storage(&id, &by_role.id, seen(1, None), &change);
    assert_eq!(changed.await, Ok(true));
    import(store, &id).await;
    let project = project(store, &id, Some(&by_role.id)).await;
    let open = setup(store, &id, role_draft()).await;
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/acme").unwrap();
    let waits = store.wait_for_role(&id, &open.id, &role, now(), now());
    waits.await.unwrap();
    let open = setup(store, &id, role_draft()).await;
    (id, open, project.id.to_string())
}

async fn rows_of(store: &Database, id: &WorkspaceId) -> StoreResult<Vec<MovedRows>> {
    let mut reader = store.read_workspace(id).await?.unwrap();
    let mut all = Vec::new();
    while let Some(rows) = reader.next().await? {
        all.push(rows);
    }
    Ok(all)
}

/// With this text in a row of the table: in that of the storage by access key, whose external ID nothing else refers
/// to, or in the first.
fn with(rows: &[MovedRows], table: &str, column: &str, text: &str) -> Vec<MovedRows> {
    let mut rows = rows.to_vec();
    let of_table = rows.iter_mut().find(|rows| rows.table == table).unwrap();
    let at = |column: &str| of_table.columns.iter().position(|name| name == column);
    let place = at(column).unwrap();
    let row = match (table, at("external_id")) {
        ("storages", Some(at)) => of_table.rows.iter().position(|row| row[at] == Cell::Null),
        _ => Some(0),
    };
    of_table.rows[row.unwrap()][place] = Cell::Text(text.to_owned());
    rows
}

/// Writes all of it, and stores nothing.
async fn tried(store: &Database, id: &WorkspaceId, rows: &[MovedRows]) -> Result<(), NotWritten> {
    let mut writer = store.write_workspace(id).await?;
    for some in rows {
        writer.write(some.clone()).await?;
    }
    writer.written().map(drop)
}

async fn what_is_another_workspace_s_is_not_named(db: TestDb) {
    let store = &db.database;
    let (other, other_setup, other_project) = full(store).await;
    let (id, ..) = full(store).await;
    let rows = rows_of(store, &id).await.unwrap();
    assert_eq!(store.delete_workspace(&id).await, Ok(true));
    assert_eq!(tried(store, &id, &rows).await, Ok(()));
    let external_id = other_setup.external_id.to_string();
    for (table, column, text) in [
        ("checks", "workspace_id", other.as_str()),
        ("role_waits", "setup_id", other_setup.id.as_str()),
        ("storages", "setup_id", other_setup.id.as_str()),
        ("storages", "external_id", external_id.as_str()),
        ("pending_connections", "external_id", external_id.as_str()),
        ("projects", "workspace_id", other.as_str()),
        ("jobs", "subject_id", other_project.as_str()),
        ("jobs", "kind", "check"),
    ] {
        let changed = with(&rows, table, column, text);
        let refused = tried(store, &id, &changed).await;
        assert!(
            matches!(refused, Err(NotWritten::Unfit(_))),
            "{table}.{column}: {refused:?}"
        );
    }
    // PostgreSQL has no text with a zero byte in it.
    let zero = with(&rows, "projects", "name", "a\0b");
    let written = tried(store, &id, &zero).await;
    match db.is_postgres() {
        true => assert!(matches!(written, Err(NotWritten::Unfit(_))), "{written:?}"),
        false => assert_eq!(written, Ok(())),
    }
    // All of it, and nothing of the other one.
    let mut writer = store.write_workspace(&id).await.unwrap();
    for some in &rows {
        writer.write(some.clone()).await.unwrap();
    }
    assert_eq!(writer.finish(None).await, Ok(()));
    let again = rows_of(store, &id).await.unwrap();
    // The checks of storages have jobs of their own, which do not move.
    assert_eq!(again, rows);
}
