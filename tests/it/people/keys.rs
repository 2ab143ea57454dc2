//! Keys of the product, the workspace that they act in, and for whom.

use crate::application::people::admission::Place;
use crate::domain::people::scope::Scope;
use crate::it::people::routes::operations;
use crate::it::support::app::{Answer, OPERATOR, TestApp, TestWorkspace};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;

const WORKSPACE: &str = "Sallyport-Workspace";
const ACTOR: &str = "Sallyport-Actor";

/// Makes a key; its ID and its secret.
pub(super) async fn key(app: &TestApp, scopes: &[Scope]) -> (String, String) {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = json!({"name": "web tier", "scopes": scopes});
    let made = app.post("/v1/keys", OPERATOR, &body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut request = app.request(method, path, token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    Answer::of(request).await
}

async fn get(app: &TestApp, path: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    send(app, Method::GET, path, token, headers, None).await
}

#[tokio::test]
async fn a_key_is_shown_once_and_works_until_it_is_deleted() {
    let app = TestApp::spawn().await;
    let body =
        json!({"name": "web tier", "scopes": ["workspaces:read", "links:create", "links:create"]});
    let answer = app.post("/v1/keys", OPERATOR, &body).await;
    let made = answer.expect(201);
    let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(id.starts_with("key_") && secret.starts_with("sk_") && secret.len() == 46);
    assert_eq!(made["scopes"], json!(["workspaces:read", "links:create"]));
    let path = format!("/v1/keys/{id}");
    assert_eq!(answer.header("location"), Some(path.as_str()));

    let list = app.get("/v1/keys", OPERATOR).await.expect(200);
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
    let one = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!((&one["name"], &one["id"]), (&json!("web tier"), &json!(id)));
    assert!(!list.to_string().contains(secret) && !one.to_string().contains(secret));

    app.get("/v1/workspaces", secret).await.expect(200);
    app.delete(&path, OPERATOR).await.expect(204);
    app.get("/v1/workspaces", secret)
        .await
        .problem(401, "unauthenticated");
    app.delete(&path, OPERATOR).await.problem(404, "not_found");
    app.get(&path, OPERATOR).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_bad_key_is_refused_with_all_that_is_wrong() {
    let app = TestApp::spawn().await;
    let make = async |body: Value| app.post("/v1/keys", OPERATOR, &body).await;
    let body = json!({"name": "x", "scopes": ["files:read", "everything"]});
    make(body).await.refused_field("scopes[1]");
    make(json!({"name": "x", "scopes": []}))
        .await
        .refused_field("scopes");
    let past = json!({"name": "x", "scopes": ["files:read"], "expires_at": "2020-01-01T00:00:00Z"});
    make(past).await.refused_field("expires_at");
    let workspace = app.workspace().await;
    let body = json!({"name": "x", "scopes": ["operator"]});
    for token in [&workspace.admin, &workspace.member] {
        app.post("/v1/keys", token, &body)
            .await
            .problem(403, "operator_required");
    }
}

/// Each route of the API has one scope, and a key without it is refused by the scope's name.
#[tokio::test]
async fn every_route_refuses_a_key_without_its_scope() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let mut with = HashMap::new();
    let mut without = HashMap::new();
    for scope in Scope::ALL {
        let others = Scope::ALL.into_iter().filter(|other| {
            // The operator's scope has all others in it.
            *other != scope && *other != Scope::Operator
        });
        without.insert(scope, key(&app, &others.collect::<Vec<_>>()).await.1);
        with.insert(scope, key(&app, &[scope]).await.1);
    }
    let headers = [(WORKSPACE, workspace.id.as_str())];
    for operation in operations() {
        let scope = operation.gate.scope;
        let refused = operation.send(&app, &without[&scope], &headers).await;
        assert_eq!(refused.status, 403, "{}: {refused:?}", operation.id);
        if operation.method != Method::HEAD {
            let problem = refused.problem(403, "missing_scope");
            assert_eq!(problem["scope"], scope.as_str(), "{}", operation.id);
            // A workspace would not help: which one is missing is said to keys that have the scope.
            let nowhere = operation.send(&app, &without[&scope], &[]).await;
            let problem = nowhere.problem(403, "missing_scope");
            assert_eq!(problem["scope"], scope.as_str(), "{}", operation.id);
        }
        for scope in [scope, Scope::Operator] {
            let allowed = operation.send(&app, &with[&scope], &headers).await;
            let status = allowed.status.as_u16();
            assert!(
                status != 401 && status != 403,
                "{}: {allowed:?}",
                operation.id
            );
        }
    }
}

/// Without a workspace these are about all of them.
const SHARED: [&str; 3] = ["/v1/audit-events", "/v1/events", "/v1/webhooks"];

#[tokio::test]
async fn without_the_header_a_key_and_the_operator_are_in_no_workspace() {
    let app = TestApp::spawn().await;
    let all = key(&app, &Scope::ALL).await.1;
    for operation in operations() {
        if operation.gate.place == Place::Service
            || SHARED
                .iter()
                .any(|shared| operation.pattern.starts_with(shared))
        {
            continue;
        }
        for token in [all.as_str(), OPERATOR] {
            let refused = operation.send(&app, token, &[]).await;
            assert_eq!(refused.status, 403, "{}: {refused:?}", operation.id);
            if operation.method != Method::HEAD {
                refused.problem(403, "workspace_token_required");
            }
        }
    }
}

#[tokio::test]
async fn the_header_names_the_workspace() {
    let app = TestApp::spawn().await;
    let (one, other) = (app.workspace().await, app.workspace().await);
    let path = format!("/v1/workspaces/{}", one.id);
    let change = json!({"external_id": "tenant-1"});
    app.patch(&path, OPERATOR, &change).await.expect(200);
    let secret = key(&app, &[Scope::WorkspacesRead]).await.1;
    for token in [secret.as_str(), OPERATOR] {
        for (named, id) in [
            (one.id.as_str(), &one.id),
            ("external:tenant-1", &one.id),
            (other.id.as_str(), &other.id),
        ] {
            let own = get(&app, "/v1/workspace", token, &[(WORKSPACE, named)]).await;
            assert_eq!(own.expect(200)["id"], id.as_str());
        }
        let absent = format!("wrk_{}", "0".repeat(32));
        for named in [
            absent.as_str(),
            "external:tenant-2",
            "tenant-1",
            "external:",
            "",
        ] {
            get(&app, "/v1/workspace", token, &[(WORKSPACE, named)])
                .await
                .problem(404, "not_found");
        }
        let twice = [(WORKSPACE, one.id.as_str()), (WORKSPACE, other.id.as_str())];
        get(&app, "/v1/workspace", token, &twice)
            .await
            .refused_field(WORKSPACE);
    }
    // A workspace's own token may name its workspace, and no other.
    for named in [one.id.as_str(), "external:tenant-1"] {
        let headers = [(WORKSPACE, named)];
        get(&app, "/v1/workspace", &one.member, &headers)
            .await
            .expect(200);
        get(&app, "/v1/workspace", &other.admin, &headers)
            .await
            .problem(403, "other_workspace");
    }
    get(
        &app,
        "/v1/workspace",
        &one.admin,
        &[(WORKSPACE, "external:tenant-2")],
    )
    .await
    .problem(403, "other_workspace");
}

#[tokio::test]
async fn the_audit_log_says_who_acted_and_for_whom() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let (id, secret) = key(&app, &[Scope::StoragesWrite]).await;
    let body = json!({"storage_id": null});
    for (token, subject) in [
        (secret.as_str(), "user-1"),
        (OPERATOR, "user-2"),
        (workspace.admin.as_str(), "user-3"),
    ] {
        let headers = [(WORKSPACE, workspace.id.as_str()), (ACTOR, subject)];
        let path = "/v1/workspace/default-storage";
        send(&app, Method::PUT, path, token, &headers, Some(&body))
            .await
            .expect(200);
    }
    let log = app
        .get("/v1/audit-events", &workspace.admin)
        .await
        .expect(200);
    let entries = log["audit_events"].as_array().unwrap();
    let entry = |subject: &str| {
        let mut entries = entries.iter();
        entries
            .find(|entry| entry["on_behalf_of"] == subject)
            .unwrap()
    };
    let by_key = entry("user-1");
    assert_eq!(by_key["actor"], id.as_str());
    assert_eq!(by_key["actor_name"], "web tier");
    assert_eq!(by_key["workspace_id"], workspace.id.as_str());
    assert_eq!(entry("user-2")["actor"], "operator");
    assert!(
        entry("user-3")["actor"]
            .as_str()
            .unwrap()
            .starts_with("tok_")
    );
    assert!(entry("user-3")["actor_name"].is_null());

    let filtered = "/v1/audit-events?on_behalf_of=user-1";
    let found = app.get(filtered, &workspace.admin).await.expect(200);
    assert_eq!(found["audit_events"].as_array().unwrap().len(), 1);
    let elsewhere = app.get(filtered, &other.admin).await.expect(200);
    assert_eq!(elsewhere["audit_events"], json!([]));

    // What the operator does for somebody in no workspace is written, too.
    let name = json!({"name": "Made for somebody"});
    let headers = [(ACTOR, "user-4")];
    send(
        &app,
        Method::POST,
        "/v1/workspaces",
        OPERATOR,
        &headers,
        Some(&name),
    )
    .await
    .expect(201);
    let found = app
        .get("/v1/audit-events?on_behalf_of=user-4", OPERATOR)
        .await;
    let found = found.expect(200);
    assert_eq!(found["audit_events"][0]["action"], "create_workspace");

    for bad in ["a b", &"x".repeat(129)] {
        get(&app, "/v1/workspace", &workspace.admin, &[(ACTOR, bad)])
            .await
            .refused_field(ACTOR);
    }
    let mine = app
        .get(&format!("/v1/audit-events?actor={id}"), OPERATOR)
        .await;
    assert_eq!(
        mine.expect(200)["audit_events"].as_array().unwrap().len(),
        1
    );
}

/// The entries of one action, as actor and person.
async fn looks(app: &TestApp, workspace: &TestWorkspace, action: &str) -> Vec<(String, String)> {
    let path = format!("/v1/audit-events?action={action}");
    let log = app.get(&path, &workspace.admin).await.expect(200);
    let entries = log["audit_events"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = entries.map(|entry| (text(&entry["actor"]), text(&entry["on_behalf_of"])));
    found.collect()
}

#[tokio::test]
async fn what_a_key_or_the_operator_looks_at_is_in_the_workspace_s_log() {
    for reads in ["off", "on"] {
        let app = TestApp::spawn_with(|options| options.audit_reads = Some(reads.into())).await;
        let (workspace, other) = (app.workspace().await, app.workspace().await);
        let (id, secret) = key(&app, &[Scope::StoragesRead, Scope::WorkspacesRead]).await;
        let headers = [(WORKSPACE, workspace.id.as_str()), (ACTOR, "user-1")];
        for _ in 0..3 {
            get(&app, "/v1/storages", &secret, &headers)
                .await
                .expect(200);
        }
        let operator = [(WORKSPACE, workspace.id.as_str())];
        get(&app, "/v1/storages", OPERATOR, &operator)
            .await
            .expect(200);
        get(&app, "/v1/workspace", &secret, &headers[..1])
            .await
            .expect(200);
        // The workspace's own tokens, and whoever is in no workspace, look without a trace.
        app.get("/v1/storages", &workspace.admin).await.expect(200);
        app.get("/v1/workspaces", OPERATOR).await.expect(200);

        let of_key = (id.clone(), "user-1".to_owned());
        let mut expected = vec![("operator".to_owned(), String::new())];
        let times = match reads {
            "off" => 1,
            _ => 3,
        };
        expected.extend(vec![of_key; times]);
        assert_eq!(looks(&app, &workspace, "list_storages").await, expected);
        let own = looks(&app, &workspace, "get_own_workspace").await;
        assert_eq!(own, [(id, String::new())]);
        assert!(looks(&app, &other, "list_storages").await.is_empty());
        assert!(looks(&app, &workspace, "list_workspaces").await.is_empty());
    }
}

#[tokio::test]
async fn a_list_over_all_workspaces_needs_a_filter() {
    let app = TestApp::spawn().await;
    let reads = key(&app, &[Scope::StoragesRead]).await.1;
    for token in [reads.as_str(), OPERATOR] {
        for empty in [
            "/v1/storages",
            "/v1/storages?name=",
            "/v1/storages?page_size=5",
        ] {
            app.get(empty, token)
                .await
                .problem(403, "workspace_token_required");
        }
        for filter in [
            "health=broken",
            "name=x",
            "bucket=some-bucket",
            "external_id=x",
        ] {
            let path = format!("/v1/storages?{filter}");
            let found = app.get(&path, token).await.expect(200);
            assert_eq!(found["storages"], json!([]), "{filter}");
        }
        app.get("/v1/storages?health=odd", token)
            .await
            .refused_field("health");
    }
    let workspace = app.workspace().await;
    let own = app
        .get("/v1/storages?health=broken", &workspace.member)
        .await;
    assert_eq!(own.expect(200)["storages"], json!([]));
}
