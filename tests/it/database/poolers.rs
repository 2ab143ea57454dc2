//! PostgreSQL behind PgBouncer, which gives a session of the server to each transaction: with fewer sessions than the
//! service has connections, so that each is shared.

use crate::application::kept::store::{Store, StoreError, WorkspaceStore};
use crate::database::{Database, DatabaseUrl, Pooler, SchemaChanges};
use crate::it::database::contract::samples::{all, new_workspace};
use crate::it::support::database::{drop_postgres, empty_postgres};
use crate::it::support::server_url;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;

/// The same database by way of the pooler.
fn through(direct: &DatabaseUrl) -> DatabaseUrl {
    let DatabaseUrl::Postgres(direct) = direct else {
        panic!("not PostgreSQL");
    };
    let url = server_url("SALLYPORT_TEST_PGBOUNCER_URL");
    let pooler = PgConnectOptions::from_str(&url).unwrap();
    let database = direct.get_database().unwrap();
    DatabaseUrl::Postgres(Box::new(pooler.database(database)))
}

/// Many calls at once, of each kind.
async fn works(direct: &DatabaseUrl, pooler: Pooler) {
    let url = through(direct);
    let database = Database::connect_through(&url, pooler, SchemaChanges::Refused)
        .await
        .unwrap();
    let before = database.list_workspaces(&all()).await.unwrap().len();
    let mut calls = Vec::new();
    for at in 0..40 {
        let database = database.clone();
        calls.push(tokio::spawn(async move {
            let made = new_workspace();
            database.create_workspace(&made, None).await.unwrap();
            assert_eq!(database.workspace(&made.id).await, Ok(Some(made)));
            let name = format!("pooler/{at}");
            database.replace_remembered(&name, b"x").await.unwrap();
            database.forget_remembered(&name).await.unwrap();
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let found = database.list_workspaces(&all()).await.unwrap().len();
    assert_eq!(found, before + 40);
    assert_eq!(database.remembered("pooler").await, Ok(Vec::new()));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_works_where_sessions_are_shared() {
    let direct = empty_postgres().await;
    // Its locks belong to sessions, so the schema is changed without the pooler.
    let made =
        Database::connect_through(&through(&direct), Pooler::Unprepared, SchemaChanges::Made).await;
    let Err(StoreError::Failed(why)) = made.map(drop) else {
        panic!("the schema was changed through the pooler");
    };
    assert!(why.contains("sallyport migrate"), "{why}");
    // Without the setting it is not let in, and the start says which one it needs.
    let opened =
        Database::connect_through(&through(&direct), Pooler::None, SchemaChanges::Refused).await;
    let Err(StoreError::Failed(why)) = opened.map(drop) else {
        panic!("the pooler let a session in");
    };
    assert!(why.contains("SALLYPORT_DATABASE_POOLER"), "{why}");
    Database::migrate(&direct).await.unwrap();
    works(&direct, Pooler::Unprepared).await;
    // Debian's PgBouncer knows prepared statements since its release 13.
    if std::env::var("SALLYPORT_TEST_PGBOUNCER_PREPARED").is_ok() {
        works(&direct, Pooler::Transaction).await;
    }
    drop_postgres(&direct).await;
}
