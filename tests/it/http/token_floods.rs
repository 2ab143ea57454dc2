//! Floods of made-up tokens: what they cost, and that nobody else feels them.

use crate::database::DatabaseUrl;
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::database::{drop_postgres, empty_postgres};
use futures_util::StreamExt;
use futures_util::stream;
use sqlx::{ConnectOptions, Connection, Executor};
use std::time::{Duration, Instant};

fn lookups(metrics: &str) -> u64 {
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sallyport_unused_token_lookups_total "));
    value.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_token_that_was_unknown_is_refused_from_memory() {
    let app = TestApp::spawn().await;
    let before = lookups(&app.get("/metrics", "").await.text);
    for _ in 0..200 {
        app.get("/v1/storages", "spt_made-up")
            .await
            .problem(401, "unauthenticated");
    }
    assert_eq!(lookups(&app.get("/metrics", "").await.text), before + 1);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    app.get("/v1/storages", &workspace.member).await.expect(200);
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let list = app.get(&path, OPERATOR).await.expect(200);
    for token in list["tokens"].as_array().unwrap() {
        let id = token["id"].as_str().unwrap();
        app.delete(&format!("{path}/{id}"), OPERATOR)
            .await
            .expect(204);
    }
    app.get("/v1/storages", &workspace.member)
        .await
        .problem(401, "unauthenticated");
}

/// On PostgreSQL, with the table of tokens locked: whatever the flood asks for waits, and shows itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_of_tokens_takes_one_connection_and_refuses_nobody() {
    let url = empty_postgres().await;
    let DatabaseUrl::Postgres(options) = &url else {
        panic!("it is PostgreSQL");
    };
    let app = TestApp::spawn_with(|settings| {
        settings.database_url = Some(options.to_url_lossy().to_string());
        settings.master_key = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into());
    })
    .await;
    let workspace = app.workspace().await;
    let before = lookups(&app.get("/metrics", "").await.text);

    let mut lock = options.connect().await.unwrap();
    let mut locked = lock.begin().await.unwrap();
    locked
        .execute("LOCK TABLE api_tokens IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let flood = stream::iter(0..400)
        .map(|at| {
            let app = &app;
            async move {
                app.get("/v1/storages", &format!("spt_made-up-{at}"))
                    .await
                    .status
            }
        })
        .buffer_unordered(400)
        .collect::<Vec<_>>();
    // A good token that was never used is in the same line as the made-up ones.
    let good = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.get("/v1/storages", &workspace.member).await.status
    };
    let watch = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let mut other = options.connect().await.unwrap();
        let waiting: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut other)
        .await
        .unwrap();
        // What needs no token's row goes on.
        let began = Instant::now();
        app.get("/v1/workspaces", OPERATOR).await.expect(200);
        let took = began.elapsed();
        locked.commit().await.unwrap();
        (waiting, took)
    };
    let (flood, good, (waiting, took)) = tokio::join!(flood, good, watch);
    assert_eq!(waiting, 1);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(good, 200);
    assert!(flood.iter().all(|status| *status == 401), "{flood:?}");
    let statements = lookups(&app.get("/metrics", "").await.text) - before;
    assert!(statements <= 6, "{statements}");
    app.stop().await.unwrap();
    drop_postgres(&url).await;
}
