//! What is acknowledged is stored, and what is refused is not: also while the database fails.

use crate::database::DatabaseUrl;
use crate::it::support::app::{Answer, OPERATOR, TestApp, no_aws};
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::database::drop_postgres;
use crate::it::support::database_line::{Line, Proxy};
use aws_config::SdkConfig;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use std::time::{Duration, Instant};

/// A connection to the service's SQLite file, beside the service.
async fn beside(app: &TestApp) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(app.folder.path().join("sallyport.db"))
        .connect()
        .await
        .unwrap()
}

async fn run(database: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(database)
        .await
        .unwrap();
}

async fn with_key(app: &TestApp, path: &str, token: &str, key: &str, body: &Value) -> Answer {
    let request = app
        .request(Method::POST, path, token)
        .header("Idempotency-Key", key)
        .header("Content-Type", "application/json")
        .body(body.to_string());
    Answer::of(request).await
}

async fn names(app: &TestApp) -> Vec<String> {
    let list = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    let list = list["workspaces"].as_array().unwrap().iter();
    list.map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn setups(app: &TestApp, token: &str) -> usize {
    let list = app.get("/v1/storage-setups", token).await.expect(200);
    list["storage_setups"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_setup_that_a_locked_database_did_not_take_is_not_acknowledged() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |_| {}).await;
    let admin = app.workspace().await.admin;
    let mut other = beside(&app).await;
    // Longer than the service waits for another writer.
    run(&mut other, "BEGIN IMMEDIATE").await;
    let body = json!({"bucket": "acme-data"});
    let answer = app.post("/v1/storage-setups", &admin, &body).await;
    let problem = answer.problem(503, "database_unavailable");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Nothing was changed")
    );
    assert!(answer.header("retry-after").is_some());
    run(&mut other, "ROLLBACK").await;
    assert_eq!(setups(&app, &admin).await, 0);
    let made = app
        .post("/v1/storage-setups", &admin, &body)
        .await
        .expect(201);
    let path = format!("/v1/storage-setups/{}", made["id"].as_str().unwrap());
    app.get(&path, &admin).await.expect(200);
}

#[tokio::test]
async fn a_setup_that_the_database_refuses_is_not_acknowledged() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |_| {}).await;
    let admin = app.workspace().await.admin;
    let mut other = beside(&app).await;
    run(
        &mut other,
        "CREATE TRIGGER no_setup BEFORE INSERT ON setups BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    let body = json!({"bucket": "acme-data"});
    for key in ["", "key"] {
        let answer = match key {
            "" => app.post("/v1/storage-setups", &admin, &body).await,
            key => with_key(&app, "/v1/storage-setups", &admin, key, &body).await,
        };
        answer.problem(500, "internal_error");
    }
    run(&mut other, "DROP TRIGGER no_setup").await;
    assert_eq!(setups(&app, &admin).await, 0);
    // The refused request gave its key back.
    let made = with_key(&app, "/v1/storage-setups", &admin, "key", &body).await;
    made.expect(201);
    let again = with_key(&app, "/v1/storage-setups", &admin, "key", &body).await;
    assert_eq!(again.expect(201), made.json());
    assert_eq!(setups(&app, &admin).await, 1);
}

/// Both halves of what a request leaves: where the answer cannot be kept, nothing is made.
#[tokio::test]
async fn what_cannot_be_kept_with_its_answer_is_not_made() {
    let app = TestApp::spawn().await;
    let mut other = beside(&app).await;
    run(
        &mut other,
        "CREATE TRIGGER no_answer BEFORE UPDATE OF sealed_answer ON idempotency_keys
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    let body = json!({"name": "once"});
    let refused = with_key(&app, "/v1/workspaces", OPERATOR, "key", &body).await;
    refused.problem(500, "internal_error");
    assert!(names(&app).await.is_empty());
    run(&mut other, "DROP TRIGGER no_answer").await;
    with_key(&app, "/v1/workspaces", OPERATOR, "key", &body)
        .await
        .expect(201);
    assert_eq!(names(&app).await, ["once"]);
}

/// A process that was killed in the middle of a request leaves its key held. It is free when its lease ends.
#[tokio::test]
async fn a_request_of_a_killed_process_can_be_repeated() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "once"});
    let mut other = beside(&app).await;
    let lease = "strftime('%s') * 1000000 + 2000000";
    let fingerprint = "zeroblob(32)";
    run(
        &mut other,
        &format!(
            "INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, started_at, held_until)
             VALUES ('operator POST /v1/workspaces', 'key', {fingerprint},
                 strftime('%s') * 1000000 - 3000000, {lease})"
        ),
    )
    .await;
    with_key(&app, "/v1/workspaces", OPERATOR, "key", &body)
        .await
        .problem(409, "idempotency_key_in_progress");
    tokio::time::sleep(Duration::from_secs(3)).await;
    with_key(&app, "/v1/workspaces", OPERATOR, "key", &body)
        .await
        .expect(201);
    assert_eq!(names(&app).await, ["once"]);
}

async fn app_behind(proxy: &Proxy, aws: &SdkConfig) -> TestApp {
    let DatabaseUrl::Postgres(options) = &proxy.url else {
        panic!("not PostgreSQL");
    };
    let url = options.to_url_lossy().to_string();
    TestApp::spawn_on(aws, |options| {
        options.database_url = Some(url);
        options.master_key = Some("dGVzdHMtbWFzdGVyLWtleS1ub3QtZm9yLXByb2R1Y3Q=".into());
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_by_the_key() {
    let proxy = Proxy::start(Line::Up).await;
    let app = app_behind(&proxy, &no_aws()).await;
    let body = json!({"name": "once"});
    // The first commit takes the key.
    proxy.lose_a_commit_after(1);
    let lost = with_key(&app, "/v1/workspaces", OPERATOR, "key", &body).await;
    assert!(proxy.has_lost_a_commit());
    let problem = lost.problem(503, "database_outcome_unknown");
    let text = problem.to_string();
    assert!(!text.contains("Nothing was changed"), "{text}");
    assert!(problem["remedy"].as_str().unwrap().contains("same key"));
    let again = with_key(&app, "/v1/workspaces", OPERATOR, "key", &body).await;
    let again = (
        again.expect(201),
        again.header("idempotent-replayed") == Some("true"),
    );
    assert!(again.1, "{again:?}");
    let list = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    assert_eq!(list["workspaces"], json!([again.0]));

    // Without a key it is not promised that nothing was made either.
    proxy.lose_a_commit_after(0);
    let lost = app.post("/v1/workspaces", OPERATOR, &body).await;
    lost.problem(503, "database_outcome_unknown");
    assert_eq!(names(&app).await, ["once", "once"]);

    // Where the key itself could not be taken for sure, nothing was made.
    proxy.lose_a_commit_after(0);
    let lost = with_key(&app, "/v1/workspaces", OPERATOR, "second", &body).await;
    let problem = lost.problem(503, "database_unavailable");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Nothing was changed")
    );
    assert_eq!(names(&app).await.len(), 2);
    app.stop().await.unwrap();
    drop_postgres(&proxy.direct).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_wait_for_a_database_that_is_known_to_be_away() {
    let stub = AwsStub::start().await;
    for away in [Line::Cut, Line::Silent] {
        let proxy = Proxy::start(Line::Up).await;
        let app = app_behind(&proxy, &stub.sdk_config()).await;
        app.get("/readyz", "").await.expect(200);
        app.get("/v1/workspaces", OPERATOR).await.expect(200);
        proxy.set(away);
        let bounded = |limit: u64, began: Instant| {
            let took = began.elapsed();
            assert!(took < Duration::from_secs(limit), "{away:?}: {took:?}");
        };
        let began = Instant::now();
        let first = app.get("/v1/workspaces", OPERATOR).await;
        first.problem(503, "database_unavailable");
        bounded(4, began);
        let began = Instant::now();
        for _ in 0..5 {
            let again = app.get("/v1/workspaces", OPERATOR).await;
            again.problem(503, "database_unavailable");
            let ready = app.get("/readyz", "").await.expect(503);
            assert_eq!(ready["status"], "not_ready");
        }
        bounded(1, began);
        proxy.set(Line::Up);
        let began = Instant::now();
        while app.get("/v1/workspaces", OPERATOR).await.status != 200 {
            bounded(5, began);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        app.stop().await.unwrap();
        drop_postgres(&proxy.direct).await;
    }
}

/// Each POST that changes something takes a key, or refuses it by name.
#[tokio::test]
async fn no_operation_ignores_an_idempotency_key() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    let only_ask = ["/sign", "/multipart/parts", "/doctor"];
    let mut refusing = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("post") else {
            continue;
        };
        let parameters = operation["parameters"].as_array();
        let takes =
            parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"));
        let token = match path.starts_with("/v1/workspaces") {
            true => OPERATOR,
            false => &workspace.admin,
        };
        let id = "00000000000000000000000000000000";
        let filled = path
            .replace("{workspace_id}", &format!("wrk_{id}"))
            .replace("{setup_id}", &format!("set_{id}"))
            .replace("{storage_id}", &format!("sto_{id}"))
            .replace("{project_id}", &format!("prj_{id}"))
            .replace(['{', '}'], "");
        let answer = with_key(&app, &filled, token, "key", &json!({"odd": 1})).await;
        let refused = answer.json()["code"] == "idempotency_not_supported";
        let asks = only_ask.iter().any(|end| path.ends_with(end));
        assert_eq!(refused, !takes && !asks, "{path}: {answer:?}");
        if refused {
            answer.problem(422, "idempotency_not_supported");
            refusing.push(path.as_str());
        }
    }
    for some in ["/files/copy", "/files/move", "/check"] {
        assert!(
            refusing.iter().any(|path| path.ends_with(some)),
            "{refusing:?}"
        );
    }
    // Other methods have the same effect when they are repeated.
    let list = app
        .request(Method::GET, "/v1/projects", &workspace.member)
        .header("Idempotency-Key", "key");
    Answer::of(list).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_link_is_made_once() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let body = json!({"role": "admin", "purpose": "settings"});
    let of_operator = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    for (path, token) in [
        (of_operator.as_str(), OPERATOR),
        ("/v1/sign-in-links", &workspace.admin),
    ] {
        let first = with_key(&app, path, token, "key", &body).await.expect(201);
        let again = with_key(&app, path, token, "key", &body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(201), first);
    }
}
