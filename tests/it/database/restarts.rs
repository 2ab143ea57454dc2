//! PostgreSQL ends connections between two requests, and what is sent besides the statements: nothing.

use crate::application::kept::store::{Store, WorkspaceStore};
use crate::database::{Database, DatabaseUrl};
use crate::it::database::contract::samples::{all, new_workspace};
use crate::it::support::app::{Answer, OPERATOR, TestApp};
use crate::it::support::database::{TestDb, drop_postgres, empty_postgres};
use crate::it::support::database_line::{Line, Proxy};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use std::time::Duration;

/// A connection that was heard of within less than this is used without a test.
const LONGER_THAN_TRUSTED: Duration = Duration::from_millis(700);

/// Ends every connection of the service, as a restart of the server does, and waits until they are gone.
pub(super) async fn end_all(options: &PgConnectOptions) {
    let mut raw: PgConnection = options.connect().await.unwrap();
    let others = "FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    loop {
        let ended = format!("SELECT COUNT(pg_terminate_backend(pid)) {others}");
        let ended: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(ended))
            .fetch_one(&mut raw)
            .await
            .unwrap();
        if ended == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Has several connections opened.
async fn use_several(database: &Database) {
    let many = (0..12).map(|_| database.ping());
    for answer in futures_util::future::join_all(many).await {
        assert_eq!(answer, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_statements_loses_none() {
    let db = TestDb::postgres().await;
    db.run(|db| async move {
        let DatabaseUrl::Postgres(options) = &db.url else {
            panic!("not PostgreSQL");
        };
        let made = new_workspace();
        db.database.create_workspace(&made, None).await.unwrap();
        for _ in 0..3 {
            // A statement that reads.
            use_several(&db.database).await;
            end_all(options).await;
            let found = db.database.workspace(&made.id).await;
            assert_eq!(found, Ok(Some(made.clone())));
            // A transaction.
            use_several(&db.database).await;
            end_all(options).await;
            let another = new_workspace();
            let created = db.database.create_workspace(&another, None).await;
            assert_eq!(created, Ok(()));
            // A statement that must not be sent twice: its connection is tested, unless it has answered just now.
            use_several(&db.database).await;
            end_all(options).await;
            tokio::time::sleep(LONGER_THAN_TRUSTED).await;
            let replaced = db.database.replace_remembered("restart", b"x").await;
            assert_eq!(replaced, Ok(()));
        }
        assert_eq!(db.database.list_workspaces(&all()).await.unwrap().len(), 4);
    })
    .await;
}

/// Repeats a request while the service looks whether the server is there, after its own connections for work in the
/// background were ended: nothing was changed by then.
async fn in_a_moment(request: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..40 {
        let answer = request().await;
        if answer.status != 503 {
            return answer;
        }
        answer.problem(503, "database_unavailable");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    request().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_after_a_restart_are_answered_or_may_be_repeated_at_once() {
    let url = empty_postgres().await;
    let DatabaseUrl::Postgres(options) = &url else {
        panic!("not PostgreSQL");
    };
    let app = TestApp::spawn_with(|settings| {
        settings.database_url = Some(options.to_url_lossy().to_string());
        settings.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
        settings.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let workspace = app.workspace().await;
    for _ in 0..3 {
        end_all(options).await;
        let list = async || app.get("/v1/storage-setups", &workspace.admin).await;
        in_a_moment(list).await.expect(200);
        end_all(options).await;
        // Some of its statements write and must not be sent twice.
        tokio::time::sleep(LONGER_THAN_TRUSTED).await;
        let body = json!({"bucket": "acme-data"});
        let make = async || {
            app.post("/v1/storage-setups", &workspace.admin, &body)
                .await
        };
        in_a_moment(make).await.expect(201);
        end_all(options).await;
        let list = async || app.get("/v1/workspaces", OPERATOR).await;
        in_a_moment(list).await.expect(200);
    }
    app.stop().await.unwrap();
    drop_postgres(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_died_in_silence_keeps_nobody_waiting() {
    let proxy = Proxy::start(Line::Up).await;
    let database = Database::connect(&proxy.url).await.unwrap();
    let made = new_workspace();
    database.create_workspace(&made, None).await.unwrap();
    use_several(&database).await;
    // What is open is never answered again, and new connections are.
    proxy.set(Line::Silent);
    tokio::time::sleep(LONGER_THAN_TRUSTED).await;
    proxy.set(Line::Up);
    assert_eq!(database.workspace(&made.id).await, Ok(Some(made)));
    let another = new_workspace();
    assert_eq!(database.create_workspace(&another, None).await, Ok(()));
    database.close().await;
    drop_postgres(&proxy.direct).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_takes_one_round_trip() {
    let proxy = Proxy::start(Line::Up).await;
    let database = Database::connect(&proxy.url).await.unwrap();
    let made = new_workspace();
    database.create_workspace(&made, None).await.unwrap();
    let read = async || {
        assert!(database.workspace(&made.id).await.unwrap().is_some());
    };
    let write = async || {
        let written = database.replace_remembered("flights", b"x").await;
        assert_eq!(written, Ok(()));
    };
    // Each is prepared the first time.
    read().await;
    write().await;
    for _ in 0..5 {
        let before = proxy.flights();
        read().await;
        write().await;
        assert_eq!(proxy.flights() - before, 2);
    }
    database.close().await;
    drop_postgres(&proxy.direct).await;
}
