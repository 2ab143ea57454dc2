//! The pages for admins: tokens, sessions, the audit log.

use crate::it::support::app::{Answer, TestApp};
use crate::it::support::pages::{Visitor, hidden, redirect};
use serde_json::Value;

/// The text between two others.
#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).unwrap().0
}

#[track_caller]
fn shows(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text.contains(words), "{words} in {}", answer.text);
}

/// Creates a token by the form. Gives its ID and its secret.
async fn create(admin: &Visitor<'_>, name: &str, role: &str) -> (String, String) {
    let form = admin.get("/settings/tokens").await;
    let once = hidden(&form.text, "once");
    let fields = [
        ("name", name),
        ("role", role),
        ("life", "30"),
        ("once", &once),
    ];
    let made = admin.post("/settings/tokens", &fields).await;
    shows(&made, 201, "It is not shown again.");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let secret = between(&made.text, "data-copy=\"spt_", "\"");
    let id = made.header("location").unwrap().rsplit('/').next().unwrap();
    // The same form again makes nothing, and does not show the secret again.
    let again = admin.post("/settings/tokens", &fields).await;
    assert_eq!(redirect(&again), "/settings/tokens?done=token_made_before");
    let list = admin.get(redirect(&again)).await;
    shows(&list, 200, "This form was sent twice.");
    assert!(!list.text.contains("spt_"), "{}", list.text);
    (id.to_owned(), format!("spt_{secret}"))
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let (id, secret) = create(&admin, "import <job>", "member").await;
    let me = app.get("/v1/workspace", &secret).await.expect(200);
    assert_eq!(me["id"], workspace.id);
    // A member's: it does not reach what admins do.
    app.get("/v1/sessions", &secret)
        .await
        .problem(403, "admin_required");
    let list = admin.get("/settings/tokens").await;
    shows(&list, 200, "import &#60;job&#62;");

    let once = hidden(&list.text, "once");
    let nameless = [
        ("name", " "),
        ("role", "member"),
        ("life", "30"),
        ("once", &once),
    ];
    shows(
        &admin.post("/settings/tokens", &nameless).await,
        422,
        "id=\"name-error\"",
    );

    let path = format!("/settings/tokens/{id}/revoke");
    let revoked = admin.post(&path, &[]).await;
    assert_eq!(redirect(&revoked), "/settings/tokens?done=token_revoked");
    assert_eq!(app.get("/v1/workspace", &secret).await.status, 401);
    assert_eq!(admin.post(&path, &[]).await.status, 404);

    let log = app
        .get("/v1/audit-events", &workspace.admin)
        .await
        .expect(200);
    let events = log["audit_events"].as_array().unwrap();
    let of = |action: &str, result: &str| -> &Value {
        events
            .iter()
            .find(|event| event["action"] == action && event["result"] == result)
            .unwrap_or_else(|| panic!("{action} {result} in {log}"))
    };
    for event in [of("create_token", "done"), of("revoke_token", "done")] {
        assert!(
            event["actor"].as_str().unwrap().starts_with("ses_"),
            "{event}"
        );
    }
    assert_eq!(of("revoke_token", "done")["target"], id);
    assert!(!log.to_string().contains(&secret));
}

#[tokio::test]
async fn a_session_that_is_ended_is_refused() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let list = admin.get("/settings/sessions").await;
    shows(&list, 200, "This session");
    assert_eq!(list.text.matches("/end\"").count(), 2, "{}", list.text);
    // Neither cookie is on the page: an ID opens nothing.
    for visitor in [&member, &admin] {
        let (_, secret) = visitor.cookie().split_once('=').unwrap();
        assert!(!list.text.contains(secret));
    }
    // The member's began first.
    let path = format!(
        "/settings/sessions/{}/end",
        between(&list.text, "/settings/sessions/", "/end")
    );
    assert_eq!(
        redirect(&admin.post(&path, &[]).await),
        "/settings/sessions?done=session_ended"
    );
    assert_eq!(member.get("/projects").await.status, 401);
    let list = admin.get("/settings/sessions").await;
    let own = format!(
        "/settings/sessions/{}/end",
        between(&list.text, "/settings/sessions/", "/end")
    );
    let ended = admin.post(&own, &[]).await;
    assert_eq!(redirect(&ended), "/signed-out");
    assert_eq!(admin.get("/projects").await.status, 401);
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_exported() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let elsewhere = Visitor::sign_in(&app, &other.admin, "admin").await;
    create(&elsewhere, "of another workspace", "member").await;
    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let (id, secret) = create(&admin, "import job", "member").await;
    app.get("/v1/sessions", &secret)
        .await
        .problem(403, "admin_required");

    let all = admin.get("/settings/audit-log").await;
    shows(&all, 200, "Create token");
    shows(&all, 200, "You, in this session");
    shows(&all, 200, "admin_required");
    assert!(!all.text.contains("of another workspace"));

    let refused = admin.get("/settings/audit-log?result=refused").await;
    shows(&refused, 200, "Token “import job”");
    assert!(!refused.text.contains("Create token"), "{}", refused.text);
    let by_token = admin.get(&format!("/settings/audit-log?actor={id}")).await;
    shows(&by_token, 200, "List sessions");
    assert!(!by_token.text.contains("You, in this session"));
    let made = admin.get("/settings/audit-log?action=create_token").await;
    shows(&made, 200, "Create token");
    assert!(!made.text.contains("List sessions"));
    let past = admin.get("/settings/audit-log?to=2001-01-01").await;
    shows(&past, 200, "No entries match");
    for bad in ["from=soon", "result=odd", "actor=x", "key=%00", "unknown=1"] {
        let answer = admin.get(&format!("/settings/audit-log?{bad}")).await;
        assert_eq!(answer.status, 422, "{bad}: {answer:?}");
    }

    let export = admin
        .get("/settings/audit-log/export?action=create_token")
        .await;
    assert_eq!(export.status, 200);
    assert!(
        export
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment; filename=\"audit-log-")
    );
    let lines: Vec<Value> = export
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The repetition is one more: it changed nothing, and was asked for.
    assert!(!lines.is_empty());
    for line in &lines {
        assert_eq!(line["action"], "create_token");
        assert_eq!(line["workspace_id"], workspace.id);
    }
    assert!(!export.text.contains("spt_"));
    let none = admin.get("/settings/audit-log/export?to=2001-01-01").await;
    assert_eq!((none.status.as_u16(), none.text.as_str()), (200, ""));
}

#[tokio::test]
async fn only_admins_of_the_workspace_see_and_change_any_of_it() {
    let app = TestApp::spawn().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let theirs = Visitor::sign_in(&app, &other.admin, "admin").await;
    let (token, secret) = create(&theirs, "theirs", "admin").await;
    let list = theirs.get("/settings/sessions").await;
    let session = between(&list.text, "/settings/sessions/", "/end").to_owned();

    let admin = Visitor::sign_in(&app, &workspace.admin, "admin").await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let revoke = format!("/settings/tokens/{token}/revoke");
    let end = format!("/settings/sessions/{session}/end");
    for path in [&revoke, &end] {
        assert_eq!(admin.post(path, &[]).await.status, 404, "{path}");
    }
    for page in [
        "/settings/tokens",
        "/settings/sessions",
        "/settings/audit-log",
        "/settings/audit-log/export",
    ] {
        shows(&member.get(page).await, 403, "admin_required");
        let nobody = app
            .request(reqwest::Method::GET, page, "")
            .header("Accept", "text/html");
        assert_eq!(Answer::of(nobody).await.status, 401, "{page}");
    }
    let own = admin.get("/settings/tokens").await;
    assert!(!own.text.contains("theirs"), "{}", own.text);
    for path in ["/settings/tokens", revoke.as_str(), end.as_str()] {
        shows(&member.post(path, &[]).await, 403, "admin_required");
        // Without a token of its own page.
        let forged = admin.post_bare(path, &[("csrf", "made-up")]).await;
        assert_eq!(forged.status, 403, "{path}: {forged:?}");
    }
    // A member's bar does not lead there.
    assert!(
        !member
            .get("/projects")
            .await
            .text
            .contains("/settings/tokens")
    );
    // Nothing of it was done.
    app.get("/v1/workspace", &secret).await.expect(200);
    assert_eq!(theirs.get("/projects").await.status, 200);
}
