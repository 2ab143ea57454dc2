//! What an operator does on the second day: suspend, limit, see what is used, end sessions, ship the audit log.

use crate::domain::people::scope::Scope;
use crate::it::people::keys::key;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace, app_on};
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::{Dialog, Scene};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const FILES: &str = "/v1/storages/built-in/files";

fn path_of(workspace: &TestWorkspace, below: &str) -> String {
    format!("/v1/workspaces/{}{below}", workspace.id)
}

async fn change(app: &TestApp, workspace: &TestWorkspace, body: &Value) -> Value {
    let answer = app.patch(&path_of(workspace, ""), OPERATOR, body).await;
    answer.expect(200)
}

/// The path of an absolute address of the service's.
fn local(url: &Value) -> String {
    let url = url::Url::parse(url.as_str().unwrap()).unwrap();
    url.path().to_owned()
}

async fn in_workspace(app: &TestApp, path: &str, token: &str, workspace: &TestWorkspace) -> Answer {
    let request = app.request(Method::GET, path, token);
    Answer::of(request.header("Sallyport-Workspace", &workspace.id)).await
}

async fn from_page(app: &TestApp, token: &str) -> Answer {
    let request = app.request(Method::GET, FILES, token);
    Answer::of(request.header("Origin", ORIGIN)).await
}

async fn sign_in_link(app: &TestApp, token: &str) -> String {
    let body = json!({"role": "admin", "purpose": "projects"});
    let made = app.post("/v1/sign-in-links", token, &body).await;
    local(&made.expect(201)["url"])
}

async fn browser_token(app: &TestApp, token: &str) -> String {
    let body = json!({"storage_id": "built-in", "operations": ["list"], "origin": ORIGIN});
    let made = app.post("/v1/browser-tokens", token, &body).await;
    made.expect(201)["token"].as_str().unwrap().to_owned()
}

/// Opens a link as a browser does that follows nothing.
async fn open(app: &TestApp, path: &str) -> u16 {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    client
        .get(app.url(path))
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn everything_of_a_suspended_workspace_is_refused_until_it_is_active_again() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let workspace = dialog.workspace.clone();
    let other = app.workspace().await;
    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let link = sign_in_link(&app, &workspace.admin).await;
    let path = dialog.path("/administrator-links");
    let made = app.post(&path, &workspace.admin, &json!({})).await;
    let administrator = local(&made.expect(201)["url"]);
    let page = browser_token(&app, &workspace.admin).await;
    let acting = key(&app, &[Scope::StoragesRead, Scope::LinksCreate])
        .await
        .1;
    // It leads on to its page.
    assert_eq!(open(&app, &administrator).await, 303);
    from_page(&app, &page).await.expect(200);

    let reason = "leaked token, ticket 4711";
    let body = json!({"state": "suspended", "reason": reason});
    let changed = change(&app, &workspace, &body).await;
    assert_eq!(changed["state"], "suspended");
    assert_eq!(changed["suspension"]["reason"], reason);
    for token in [&workspace.admin, &workspace.member] {
        for path in ["/v1/storages", "/v1/workspace", FILES] {
            let refused = app.get(path, token).await;
            refused.problem(403, "workspace_suspended");
            assert!(
                !refused.text.contains("4711"),
                "the reason is the operator's"
            );
        }
    }
    let create = json!({"name": "x", "folder": "/"});
    app.post("/v1/projects", &workspace.admin, &create)
        .await
        .problem(403, "workspace_suspended");
    for token in [OPERATOR, acting.as_str()] {
        in_workspace(&app, "/v1/storages", token, &workspace)
            .await
            .problem(403, "workspace_suspended");
        let body = json!({"role": "admin", "purpose": "settings"});
        app.post(&path_of(&workspace, "/sign-in-links"), token, &body)
            .await
            .problem(403, "workspace_suspended");
    }
    let refused = visitor.get("/projects").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("suspended"), "{}", refused.text);
    assert_eq!(open(&app, &link).await, 403);
    assert_eq!(open(&app, &administrator).await, 403);
    from_page(&app, &page)
        .await
        .problem(403, "workspace_suspended");
    // Nobody else feels it, and the operator still sees all of it.
    app.get("/v1/storages", &other.admin).await.expect(200);
    for below in ["", "/tokens", "/sessions", "/storages", "/usage"] {
        app.get(&path_of(&workspace, below), OPERATOR)
            .await
            .expect(200);
    }

    let changed = change(&app, &workspace, &json!({"state": "active"})).await;
    assert_eq!(
        (&changed["state"], &changed["suspension"]),
        (&json!("active"), &Value::Null)
    );
    app.get("/v1/storages", &workspace.member).await.expect(200);
    assert_eq!(visitor.get("/projects").await.status, 200);
    assert_eq!(open(&app, &link).await, 303, "it was not used up");
    assert_eq!(open(&app, &administrator).await, 303);
    from_page(&app, &page).await.expect(200);

    // Refusals are written with the token that they were of.
    let log = app
        .get("/v1/audit-events?result=refused&page_size=1000", OPERATOR)
        .await
        .expect(200);
    let refused = log["audit_events"].as_array().unwrap().iter();
    let mut refused = refused.filter(|event| event["code"] == "workspace_suspended");
    assert!(refused.any(|event| {
        event["workspace_id"] == workspace.id
            && event["actor"].as_str().unwrap().starts_with("tok_")
    }));
}

#[tokio::test]
async fn who_suspended_a_workspace_is_named_and_a_key_needs_the_scope_for_it() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = path_of(&workspace, "");
    let product = key(&app, &[Scope::WorkspacesCreate]).await.1;
    let (id, staff) = key(&app, &[Scope::Operator]).await;
    let renamed = app.patch(&path, &product, &json!({"name": "Other"})).await;
    renamed.expect(200);
    for body in [
        json!({"state": "suspended"}),
        json!({"state": "active"}),
        json!({"limits": {"storages": 5}}),
        json!({"limits": {"storages": null}}),
    ] {
        let refused = app.patch(&path, &product, &body).await;
        assert_eq!(refused.problem(403, "missing_scope")["scope"], "operator");
    }
    let body = json!({"state": "suspended", "reason": "ticket 1"});
    app.patch(&path, &staff, &body).await.expect(200);
    app.patch(&path, &staff, &json!({"state": "active"}))
        .await
        .expect(200);
    for action in ["suspend_workspace", "activate_workspace"] {
        let query = format!("/v1/audit-events?action={action}&result=done");
        let log = app.get(&query, OPERATOR).await.expect(200);
        let [event] = &log["audit_events"].as_array().unwrap()[..] else {
            panic!("{log}");
        };
        assert_eq!(event["actor"], id.as_str());
        assert_eq!(event["actor_name"], "web tier");
        assert_eq!(event["workspace_id"], workspace.id.as_str());
    }
    for (body, field) in [
        (json!({"state": "deleted"}), "state"),
        (json!({"reason": "x"}), "reason"),
        (json!({"state": "active", "reason": "x"}), "reason"),
        (json!({"state": "suspended", "reason": " "}), "reason"),
        (
            json!({"limits": {"transfers": 1_000_001}}),
            "limits.transfers",
        ),
        (
            json!({"limits": {"requests_per_minute": 0}}),
            "limits.requests_per_minute",
        ),
        (json!({"limits": {"storages": -1}}), "limits.storages"),
    ] {
        let refused = app.patch(&path, OPERATOR, &body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let unknown = json!({"limits": {"tokens": 1}});
    app.patch(&path, OPERATOR, &unknown).await.expect(422);
}

#[tokio::test]
async fn limits_are_shown_and_hold_for_their_workspace_alone() {
    let app = TestApp::spawn_on_emulator().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let none = json!({"storages": null, "requests_per_minute": null, "transfers": null});
    let shown = app.get(&path_of(&workspace, ""), OPERATOR).await;
    assert_eq!(shown.expect(200)["limits"], none);

    // A file that is not there is looked for, and with the limit it is not.
    let absent = format!("{FILES}/content?key=/absent");
    app.get(&absent, &workspace.admin)
        .await
        .problem(404, "file_not_found");
    change(&app, &workspace, &json!({"limits": {"transfers": 0}})).await;
    let refused = app.get(&absent, &workspace.admin).await;
    refused.problem(429, "too_many_transfers");
    assert_eq!(refused.header("retry-after"), Some("2"));
    let upload = app
        .request(Method::PUT, &absent, &workspace.admin)
        .body("content");
    Answer::of(upload).await.problem(429, "too_many_transfers");
    app.get(FILES, &workspace.admin).await.expect(200);
    app.get(&absent, &other.admin)
        .await
        .problem(404, "file_not_found");

    let visitor = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let limits = json!({"limits": {"transfers": null, "requests_per_minute": 3, "storages": 7}});
    let changed = change(&app, &workspace, &limits).await;
    assert_eq!(
        changed["limits"],
        json!({"storages": 7, "requests_per_minute": 3, "transfers": null})
    );
    for _ in 0..3 {
        app.get("/v1/workspace", &workspace.member)
            .await
            .expect(200);
    }
    let refused = app.get("/v1/workspace", &workspace.admin).await;
    refused.problem(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    let page = visitor.get("/settings/storages").await;
    assert_eq!(page.status, 429, "{page:?}");
    assert!(page.text.contains("too_many_requests") && page.header("retry-after").is_some());
    app.get("/v1/workspace", &other.admin).await.expect(200);
    let without = json!({"limits": {"requests_per_minute": null}});
    change(&app, &workspace, &without).await;
    app.get("/v1/workspace", &workspace.admin).await.expect(200);
}

/// Asks until the answer has this status.
async fn until(app: &TestApp, token: &str, status: u16) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = app.get("/v1/workspace", token).await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_workspace_has_so_many_requests_in_progress_and_leaves_room_for_another() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.requests_at_once = Some("3".into());
    })
    .await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    // Uploads whose bodies do not come, until they take all places. One that meets a question below may be refused.
    let mut uploads = Vec::new();
    let mut answer = app.get("/v1/workspace", &workspace.admin).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while answer.status != 429 {
        assert!(Instant::now() < deadline, "{answer:?}");
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!(
            "PUT {FILES}/content?key=/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Length: 1000000\r\n\r\n",
            uploads.len(),
            workspace.admin
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        uploads.push(stream);
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = app.get("/v1/workspace", &workspace.admin).await;
    }
    // The other token's requests count too: they are of the same workspace.
    for token in [&workspace.admin, &workspace.member] {
        let refused = until(&app, token, 429).await;
        refused.problem(429, "too_many_in_progress");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    app.get("/v1/workspace", &other.admin).await.expect(200);
    drop(uploads);
    until(&app, &workspace.admin, 200).await;
}

#[tokio::test]
async fn a_revoked_token_takes_with_it_what_it_made() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let workspace = dialog.workspace.clone();
    let kept = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let kept_link = sign_in_link(&app, &workspace.admin).await;
    let body = json!({"name": "leaked", "role": "admin"});
    let made = app
        .post(&path_of(&workspace, "/tokens"), OPERATOR, &body)
        .await
        .expect(201);
    let leaked = made["token"].as_str().unwrap();
    let visitor = Visitor::sign_in(&app, leaked, "admin").await;
    let link = sign_in_link(&app, leaked).await;
    let path = dialog.path("/administrator-links");
    let administrator = app.post(&path, leaked, &json!({})).await.expect(201);
    let administrator = local(&administrator["url"]);
    let page = browser_token(&app, leaked).await;
    let sessions = app
        .get(&path_of(&workspace, "/sessions"), OPERATOR)
        .await
        .expect(200);
    let makers: Vec<&Value> = sessions["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| &session["made_by"])
        .collect();
    assert_eq!(makers[1], &made["id"]);
    assert_ne!(makers[0], makers[1]);

    let revoke = path_of(
        &workspace,
        &format!("/tokens/{}", made["id"].as_str().unwrap()),
    );
    app.delete(&revoke, OPERATOR).await.expect(204);
    assert_eq!(visitor.get("/projects").await.status, 401);
    assert_eq!(open(&app, &link).await, 401);
    assert_eq!(open(&app, &administrator).await, 404);
    from_page(&app, &page).await.problem(401, "unauthenticated");
    assert_eq!(kept.get("/projects").await.status, 200);
    assert_eq!(open(&app, &kept_link).await, 303);

    // The same with a key of the product's.
    let (id, leaked) = key(&app, &[Scope::LinksCreate]).await;
    let body = json!({"role": "admin", "purpose": "projects"});
    let links = path_of(&workspace, "/sign-in-links");
    let unused = app.post(&links, &leaked, &body).await.expect(201);
    app.delete(&format!("/v1/keys/{id}"), OPERATOR)
        .await
        .expect(204);
    assert_eq!(open(&app, &local(&unused["url"])).await, 401);
}

#[tokio::test]
async fn the_operator_lists_and_ends_the_sessions_of_a_workspace() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let first = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let second = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let unused = sign_in_link(&app, &workspace.admin).await;
    let elsewhere = Visitor::sign_in(&app, &other.admin, "admin").await;
    let path = path_of(&workspace, "/sessions");
    let list = app.get(&path, OPERATOR).await.expect(200);
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["role"], "admin");
    let page = app.get(&format!("{path}?page_size=1"), OPERATOR).await;
    let token = page.expect(200)["next_page_token"].clone();
    let next = format!("{path}?page_size=1&page_token={}", token.as_str().unwrap());
    let next = app.get(&next, OPERATOR).await.expect(200);
    assert_eq!(next["sessions"][0]["id"], sessions[1]["id"]);

    let id = sessions[0]["id"].as_str().unwrap();
    let wrong = path_of(&other, &format!("/sessions/{id}"));
    app.delete(&wrong, OPERATOR).await.problem(404, "not_found");
    assert_eq!(first.get("/projects").await.status, 200);
    app.delete(&format!("{path}/{id}"), OPERATOR)
        .await
        .expect(204);
    assert_eq!(first.get("/projects").await.status, 401);
    assert_eq!(second.get("/projects").await.status, 200);

    app.delete(&path, OPERATOR).await.expect(204);
    assert_eq!(second.get("/projects").await.status, 401);
    assert_eq!(open(&app, &unused).await, 401);
    let left = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!(left, json!({"sessions": []}));
    assert_eq!(elsewhere.get("/projects").await.status, 200);
    let absent = format!("/v1/workspaces/wrk_{}/sessions", "0".repeat(32));
    app.get(&absent, OPERATOR).await.problem(404, "not_found");
    app.delete(&absent, OPERATOR)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_operator_lists_the_storages_of_a_workspace_which_has_as_many_as_it_may() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let (dialog, workspace) = (&applied.dialog, &applied.dialog.workspace);
    let path = path_of(workspace, "/storages");
    let list = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!(list, json!({"storages": []}));
    dialog.check().await.works();
    change(&app, workspace, &json!({"limits": {"storages": 0}})).await;
    dialog
        .complete()
        .await
        .problem(409, "storage_limit_reached");
    change(&app, workspace, &json!({"limits": {"storages": 1}})).await;
    let storage = dialog.complete().await.expect(201);

    let list = app.get(&path, OPERATOR).await.expect(200);
    let [found] = &list["storages"].as_array().unwrap()[..] else {
        panic!("{list}");
    };
    assert_eq!(found["id"], storage["id"]);
    assert_eq!(found["workspace_id"], workspace.id.as_str());
    assert_eq!(found["health"]["state"], "healthy");
    let other = app.workspace().await;
    let none = app.get(&path_of(&other, "/storages"), OPERATOR).await;
    assert_eq!(none.expect(200)["storages"], json!([]));
    let absent = format!("/v1/workspaces/wrk_{}/storages", "0".repeat(32));
    app.get(&absent, OPERATOR).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_a_workspace_uses_is_counted_by_day() {
    let app = TestApp::spawn_on_emulator().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let usage = path_of(&workspace, "/usage");
    let nothing = app.get(&usage, OPERATOR).await.expect(200);
    assert_eq!(nothing["usage"], json!([]));
    assert_eq!(nothing["total"]["requests"], 0);

    let content = format!("{FILES}/content?key=/usage.txt");
    let upload = app
        .request(Method::PUT, &content, &workspace.admin)
        .body("twelve bytes");
    assert!(Answer::of(upload).await.status.is_success());
    let read = app.get(&content, &workspace.admin).await;
    assert_eq!(
        (read.status.as_u16(), read.text.as_str()),
        (200, "twelve bytes")
    );
    let body = json!({"keys": ["/usage.txt", "/other.txt"]});
    app.post(&format!("{FILES}/sign"), &workspace.admin, &body)
        .await
        .expect(200);
    app.post("/v1/storages/built-in/check", &workspace.admin, &json!({}))
        .await
        .expect(200);
    app.get("/v1/storages/nothing", &workspace.member)
        .await
        .problem(404, "not_found");

    let used = app.get(&usage, OPERATOR).await.expect(200);
    let [today] = &used["usage"].as_array().unwrap()[..] else {
        panic!("{used}");
    };
    assert_eq!(today["day"], used["to"]);
    assert_eq!(today["requests"], 5, "also the one that was refused");
    assert_eq!(today["urls_signed"], 2);
    assert_eq!(today["checks"], 1);
    let bytes = |name: &str| today[name].as_u64().unwrap();
    assert!(
        bytes("bytes_in") >= 12 + body.to_string().len() as u64,
        "{today}"
    );
    assert!(bytes("bytes_out") >= 12, "{today}");
    assert_eq!(used["total"]["requests"], today["requests"]);
    // The operator's own requests are nobody's, and each workspace has its own.
    let others = app.get(&path_of(&other, "/usage"), OPERATOR).await;
    assert_eq!(others.expect(200)["usage"], json!([]));
    let day = used["to"].as_str().unwrap();
    let of_day = app
        .get(&format!("{usage}?from={day}&to={day}"), OPERATOR)
        .await
        .expect(200);
    assert_eq!(of_day["usage"], used["usage"]);
    let before = app
        .get(&format!("{usage}?from=2020-01-01&to=2020-12-31"), OPERATOR)
        .await
        .expect(200);
    assert_eq!(before["usage"], json!([]));
    for (query, field) in [
        ("from=2020-02-01&to=2020-01-31", "from"),
        ("from=2020-01-01&to=2021-01-02", "from"),
        ("from=soon", "from"),
        ("to=2020-13-01", "to"),
    ] {
        let path = format!("{usage}?{query}");
        app.get(&path, OPERATOR).await.refused_field(field);
    }
    for token in [&workspace.admin, &other.admin] {
        app.get(&usage, token)
            .await
            .problem(403, "operator_required");
    }
}

#[tokio::test]
async fn tokens_and_keys_say_when_they_were_last_used() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let tokens = path_of(&workspace, "/tokens");
    let list = app.get(&tokens, OPERATOR).await.expect(200);
    assert_eq!(list["tokens"][0]["last_used_at"], Value::Null);
    app.get("/v1/workspace", &workspace.admin).await.expect(200);
    let list = app.get(&tokens, OPERATOR).await.expect(200);
    let admin = list["tokens"][0]["last_used_at"].as_str().unwrap();
    assert!(admin >= list["tokens"][0]["created_at"].as_str().unwrap());
    assert_eq!(list["tokens"][1]["last_used_at"], Value::Null);

    let (id, secret) = key(&app, &[Scope::WorkspacesRead]).await;
    let path = format!("/v1/keys/{id}");
    let unused = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!(unused["last_used_at"], Value::Null);
    app.get("/v1/workspaces", &secret).await.expect(200);
    let used = app.get(&path, OPERATOR).await.expect(200);
    assert!(used["last_used_at"].is_string(), "{used}");
}

/// The audit log as lines of JSON.
async fn lines(app: &TestApp, query: &str, token: &str) -> Vec<Value> {
    let path = format!("/v1/audit-events?{query}");
    let request = app.request(Method::GET, &path, token);
    let answer = Answer::of(request.header(ACCEPT, "application/x-ndjson")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let lines = answer.text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_audit_log_is_shipped_oldest_first_and_goes_on_after_the_last_line() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let all = lines(&app, "", OPERATOR).await;
    let actions: Vec<&str> = all.iter().map(|e| e["action"].as_str().unwrap()).collect();
    let each = ["create_workspace", "create_token", "create_token"];
    assert_eq!(actions, [each, each].concat());
    let page = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    let mut newest_first = page["audit_events"].as_array().unwrap().clone();
    newest_first.reverse();
    assert_eq!(all, newest_first, "the same entries in the same form");

    let after = |event: &Value| format!("after={}", event["id"].as_str().unwrap());
    assert_eq!(lines(&app, &after(&all[1]), OPERATOR).await, all[2..]);
    assert!(lines(&app, &after(&all[5]), OPERATOR).await.is_empty());
    change(&app, &workspace, &json!({"name": "Other"})).await;
    let next = lines(&app, &after(&all[5]), OPERATOR).await;
    assert_eq!(next.len(), 1);
    assert_eq!(next[0]["action"], "change_workspace");

    let query = format!("workspace_id={}&action=create_token", other.id);
    assert_eq!(lines(&app, &query, OPERATOR).await, all[4..]);
    assert!(
        lines(&app, "until=2020-01-01T00:00:00Z", OPERATOR)
            .await
            .is_empty()
    );
    let own = lines(&app, "", &workspace.admin).await;
    assert!(
        own.iter()
            .all(|event| event["workspace_id"] == workspace.id)
    );
    assert_eq!(own.len(), 4);
    for (query, field) in [
        ("page_size=5", "page_size"),
        ("page_token=x", "page_token"),
        ("after=x", "after"),
        ("until=soon", "until"),
        (
            "since=2020-01-01T00:00:00Z&before=2020-01-01T00:00:00Z&until=2020-01-01T00:00:00Z",
            "before",
        ),
        ("workspace_id=x", "workspace_id"),
    ] {
        let path = format!("/v1/audit-events?{query}");
        let request = app.request(Method::GET, &path, OPERATOR);
        let refused = Answer::of(request.header(ACCEPT, "application/x-ndjson")).await;
        refused.refused_field(field);
    }
    app.get(&format!("/v1/audit-events?{}", after(&all[1])), OPERATOR)
        .await
        .refused_field("after");
}

#[tokio::test]
async fn the_audit_log_of_one_workspace_is_a_filter_of_the_operator_s() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let query = |id: &str| format!("/v1/audit-events?workspace_id={id}&page_size=1");
    let first = app.get(&query(&workspace.id), OPERATOR).await.expect(200);
    let token = first["next_page_token"].as_str().unwrap();
    let next = format!("{}&page_token={token}", query(&workspace.id));
    let next = app.get(&next, OPERATOR).await.expect(200);
    for page in [&first, &next] {
        let events = page["audit_events"].as_array().unwrap();
        assert_eq!(events[0]["workspace_id"], workspace.id.as_str());
    }
    for elsewhere in [query(&other.id), "/v1/audit-events?page_size=1".to_owned()] {
        let path = format!("{elsewhere}&page_token={token}");
        app.get(&path, OPERATOR).await.refused_field("page_token");
    }
    // An admin names the own workspace, or none.
    app.get(&query(&workspace.id), &workspace.admin)
        .await
        .expect(200);
    app.get(&query(&other.id), &workspace.admin)
        .await
        .problem(403, "other_workspace");
    let until = "/v1/audit-events?until=2020-01-01T00:00:00Z";
    let none = app.get(until, OPERATOR).await.expect(200);
    assert_eq!(none["audit_events"], json!([]));
}

#[tokio::test]
async fn an_erasure_says_what_is_gone_and_what_stays() {
    let app = TestApp::spawn_with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let workspace = app.workspace().await;
    let link = sign_in_link(&app, &workspace.admin).await;
    let request = app
        .request(Method::POST, "/v1/storage-setups", &workspace.admin)
        .header("Sallyport-Actor", "ada@acme.example")
        .header("Idempotency-Key", "once")
        .header("content-type", "application/json")
        .body("{}");
    Answer::of(request).await.expect(201);
    let path = path_of(&workspace, "?erase=true");
    let report = app.delete(&path, OPERATOR).await.expect(200);
    let deleted = &report["deleted"];
    assert_eq!(deleted["tokens"], 2);
    assert_eq!(deleted["links"], 1);
    assert_eq!(deleted["storage_setups"], 1);
    assert_eq!(deleted["kept_answers"], 1);
    // Two tokens, the workspace, the link and the setup.
    assert_eq!(report["pseudonymised"]["audit_events"], 5);
    assert_eq!(report["kept"], json!(["audit_events", "external_ids"]));
    assert!(
        report["elsewhere"]
            .as_array()
            .unwrap()
            .contains(&json!("backups"))
    );
    assert_eq!(open(&app, &link).await, 401);

    let log = lines(&app, &format!("workspace_id={}", workspace.id), OPERATOR).await;
    let (erasure, before) = log.split_last().unwrap();
    assert_eq!(before.len(), 5);
    for event in before {
        assert_eq!(event["remote_addr"], Value::Null, "{event}");
        assert!(!event.to_string().contains("acme.example"), "{event}");
    }
    let mut people = before
        .iter()
        .filter_map(|event| event["on_behalf_of"].as_str());
    assert!(people.next().unwrap().starts_with("erased-"));
    assert_eq!(erasure["action"], "delete_workspace");
    assert_eq!(
        erasure["remote_addr"], "127.0.0.1",
        "who erased stays known"
    );
    app.delete(&path, OPERATOR).await.problem(404, "not_found");
}
