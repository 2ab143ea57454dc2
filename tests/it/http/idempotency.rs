//! Requests with an idempotency key are done once.

use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

async fn create(app: &TestApp, path: &str, key: &str, body: &Value) -> Answer {
    let request = app
        .request(Method::POST, path, OPERATOR)
        .header("Idempotency-Key", key)
        .header("Content-Type", "application/json")
        .body(body.to_string());
    Answer::of(request).await
}

async fn count(app: &TestApp, list: &str, name: &str) -> usize {
    let list = app.get(list, OPERATOR).await.expect(200);
    list[name].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_again() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let body = json!({"name": "ci", "role": "member"});
    let first = create(&app, &path, "key-1", &body).await;
    let again = create(&app, &path, "key-1", &body).await;
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(count(&app, &path, "tokens").await, 3);

    // The kept answer holds a token, and is sealed.
    let secret = first.json()["token"].as_str().unwrap().to_owned();
    app.get("/v1/workspaces", &secret)
        .await
        .problem(403, "operator_required");
    for file in std::fs::read_dir(app.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for text in [secret.as_str(), OPERATOR] {
            let found = bytes.windows(text.len()).any(|w| w == text.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn the_same_key_elsewhere_is_another_key() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let body = json!({"name": "x"});
    let one = create(&app, "/v1/workspaces", "same", &body).await;
    one.expect(201);
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let token = json!({"name": "x", "role": "member"});
    create(&app, &path, "same", &token).await.expect(201);

    create(&app, "/v1/workspaces", "same", &json!({"name": "y"}))
        .await
        .problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_refused_request_gives_its_key_back() {
    let app = TestApp::spawn().await;
    let absent = "/v1/workspaces/wrk_00000000000000000000000000000000/tokens";
    let body = json!({"name": "x", "role": "member"});
    for _ in 0..2 {
        create(&app, absent, "k", &body)
            .await
            .problem(404, "not_found");
    }
    let bad = json!({"name": ""});
    create(&app, "/v1/workspaces", "k2", &bad)
        .await
        .problem(422, "invalid_request");
    let good = json!({"name": "good"});
    create(&app, "/v1/workspaces", "k2", &good)
        .await
        .expect(201);
}

#[tokio::test]
async fn concurrent_duplicates_make_one_thing() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "once"});
    let answers = join_all((0..20).map(|_| create(&app, "/v1/workspaces", "race", &body))).await;
    let mut ids = Vec::new();
    for answer in &answers {
        if answer.status == 201 {
            ids.push(answer.json()["id"].clone());
        } else {
            answer.problem(409, "idempotency_key_in_progress");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    assert!(!ids.is_empty());
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(count(&app, "/v1/workspaces", "workspaces").await, 1);
}

#[tokio::test]
async fn ill_formed_keys_are_refused() {
    let app = TestApp::spawn().await;
    let body = json!({"name": "x"});
    for key in ["", "two words", &"k".repeat(256)] {
        create(&app, "/v1/workspaces", key, &body)
            .await
            .refused_field("Idempotency-Key");
    }
    create(&app, "/v1/workspaces", &"k".repeat(255), &body)
        .await
        .expect(201);
}

/// A generated client need not write the members of an object in the same order each time.
#[tokio::test]
async fn the_same_json_in_another_order_is_the_same_request() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let send = async |body: &str| {
        let request = app
            .request(Method::POST, &path, OPERATOR)
            .header("Idempotency-Key", "order")
            .header("Content-Type", "application/json")
            .body(body.to_owned());
        Answer::of(request).await
    };
    let first = send(r#"{"name":"ci","role":"member"}"#).await.expect(201);
    let again = send("{ \"role\": \"member\",\n  \"name\": \"\\u0063i\" }\n").await;
    assert_eq!(again.expect(201), first);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    send(r#"{"name":"ci","role":"admin"}"#)
        .await
        .problem(422, "idempotency_key_reused");
}

/// What an admin was answered is for admins, also where members may send the same request.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_is_for_callers_with_the_same_role() {
    let place = Scene::on(Emulator).connect().await;
    let (app, workspace) = (&place.app, &place.workspace);
    place.put_at("a.txt", "hello").await;
    let other_admin = app.token(&workspace.id, "admin").await;
    let body = json!({
        "name": "Cats", "storage_id": place.storage.id, "files": [{"file_key": "/a.txt"}],
    });
    let send = async |token: &str| {
        let request = app
            .request(Method::POST, "/v1/projects", token)
            .header("Idempotency-Key", "project")
            .header("Content-Type", "application/json")
            .body(body.to_string());
        Answer::of(request).await
    };
    let first = send(&workspace.admin).await.expect(201);
    send(&workspace.member)
        .await
        .problem(422, "idempotency_key_reused");
    let again = send(&other_admin).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    let list = app.get("/v1/projects", &workspace.member).await.expect(200);
    assert_eq!(list["projects"].as_array().unwrap().len(), 1);
}

/// A repetition gets the same token, by the caller alone and for the same person.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_browser_is_made_once_for_its_key_and_caller() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.browser_tokens_per_minute = Some("4".into());
    })
    .await;
    let workspace = app.workspace().await;
    let other = app.token(&workspace.id, "admin").await;
    let whole = json!({"storage_id": "built-in", "origin": ORIGIN});
    let reading = json!({"storage_id": "built-in", "origin": ORIGIN, "operations": ["read"]});
    let send = async |token: &str, actor: Option<&str>, body: &Value| {
        let request = app
            .request(Method::POST, "/v1/browser-tokens", token)
            .header("Idempotency-Key", "once")
            .header("content-type", "application/json")
            .body(body.to_string());
        Answer::of(match actor {
            Some(actor) => request.header("Sallyport-Actor", actor),
            None => request,
        })
        .await
    };
    let admin = workspace.admin.as_str();
    let first = send(admin, None, &whole).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let first = first.expect(201);
    // Repetitions make nothing, so the limit does not count them.
    for _ in 0..5 {
        let again = send(admin, None, &whole).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(201), first);
    }
    let path = "/v1/storages/built-in/files/content?key=/absent";
    let token = first["token"].as_str().unwrap();
    let read = app
        .request(Method::GET, path, token)
        .header("origin", ORIGIN);
    Answer::of(read).await.problem(404, "file_not_found");

    // Another body, and another person, are another request.
    for refused in [
        send(admin, None, &reading).await,
        send(admin, Some("user-1"), &whole).await,
    ] {
        refused.problem(422, "idempotency_key_reused");
    }
    // Another caller has keys of its own, whatever its role: the token ends with the secret that made it.
    for maker in [other.as_str(), workspace.member.as_str()] {
        let own = send(maker, None, &whole).await;
        assert_eq!(own.header("idempotent-replayed"), None);
        assert_ne!(own.expect(201)["token"], first["token"]);
    }
    // A refused request gives its key back.
    let elsewhere = json!({"storage_id": "built-in", "origin": "https://evil.example"});
    let request = async |body: &Value| {
        let request = app
            .request(Method::POST, "/v1/browser-tokens", admin)
            .header("Idempotency-Key", "refused-first")
            .header("content-type", "application/json")
            .body(body.to_string());
        Answer::of(request).await
    };
    request(&elsewhere).await.refused_field("origin");
    request(&whole).await.expect(201);
}
