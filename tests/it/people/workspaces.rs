//! Workspaces, their tokens, and the audit log.

use crate::it::support::app::{OPERATOR, TestApp};
use reqwest::Method;
use serde_json::json;

const ABSENT: &str = "wrk_00000000000000000000000000000000";

#[tokio::test]
async fn a_workspace_is_made_listed_read_and_deleted() {
    let app = TestApp::spawn().await;
    let answer = app
        .post("/v1/workspaces", OPERATOR, &json!({"name": " Ünïcode "}))
        .await;
    let made = answer.expect(201);
    let path = answer.header("location").unwrap();
    assert_eq!(
        path,
        format!("/v1/workspaces/{}", made["id"].as_str().unwrap())
    );
    assert_eq!(made["name"], "Ünïcode");
    assert!(made["created_at"].as_str().unwrap().ends_with('Z'));

    assert_eq!(app.get(path, OPERATOR).await.expect(200), made);
    let list = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    assert_eq!(list, json!({"workspaces": [made]}));

    app.delete(path, OPERATOR).await.expect(204);
    app.get(path, OPERATOR).await.problem(404, "not_found");
    app.delete(path, OPERATOR).await.problem(404, "not_found");
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let app = TestApp::spawn().await;
    for name in ["a", "b", "c", "d", "e"] {
        let body = json!({"name": name});
        app.post("/v1/workspaces", OPERATOR, &body)
            .await
            .expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/v1/workspaces?page_size=2".to_owned();
    for _ in 0..3 {
        let page = app.get(&path, OPERATOR).await.expect(200);
        for workspace in page["workspaces"].as_array().unwrap() {
            names.push(workspace["name"].as_str().unwrap().to_owned());
        }
        match page["next_page_token"].as_str() {
            Some(token) => path = format!("/v1/workspaces?page_size=2&page_token={token}"),
            None => assert!(page.get("next_page_token").is_none()),
        }
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let app = TestApp::spawn().await;
    let (one, other) = (app.workspace().await, app.workspace().await);
    let tokens = |id: &str| format!("/v1/workspaces/{id}/tokens?page_size=1");
    let page = app.get(&tokens(&one.id), OPERATOR).await.expect(200);
    let token = page["next_page_token"].as_str().unwrap();

    let own = format!("{}&page_token={token}", tokens(&one.id));
    app.get(&own, OPERATOR).await.expect(200);
    for elsewhere in [
        format!("{}&page_token={token}", tokens(&other.id)),
        format!("/v1/workspaces?page_token={token}"),
        format!("{}&page_token=x{token}", tokens(&one.id)),
        format!("{}&page_token=", tokens(&one.id)),
    ] {
        let refused = app
            .get(&elsewhere, OPERATOR)
            .await
            .refused_field("page_token");
        assert_eq!(refused["errors"][0]["code"], "invalid_page_token");
    }

    // The same between the audit logs of two workspaces.
    for workspace in [&one, &other] {
        for _ in 0..2 {
            app.post("/v1/workspaces", &workspace.admin, &json!({}))
                .await;
        }
    }
    let audit = "/v1/audit-events?page_size=1";
    let page = app.get(audit, &one.admin).await.expect(200);
    let token = page["next_page_token"].as_str().unwrap();
    let next = format!("{audit}&page_token={token}");
    app.get(&next, &one.admin).await.expect(200);
    app.get(&next, &other.admin)
        .await
        .refused_field("page_token");
    app.get(&next, OPERATOR).await.refused_field("page_token");
}

#[tokio::test]
async fn a_token_opens_its_own_workspace_until_it_is_revoked() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let tokens = format!("/v1/workspaces/{}/tokens", workspace.id);
    let body = json!({"name": "backend", "role": "admin"});
    let answer = app.post(&tokens, OPERATOR, &body).await;
    let made = answer.expect(201);
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("spt_") && secret.len() == 47);
    assert_eq!(made["role"], "admin");
    assert!(made["expires_at"].is_null());
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let list = app.get(&tokens, OPERATOR).await.expect(200);
    assert_eq!(list["tokens"].as_array().unwrap().len(), 3);
    assert!(!list.to_string().contains(secret));

    app.get("/v1/audit-events", secret).await.expect(200);
    let path = answer.header("location").unwrap();
    app.delete(path, OPERATOR).await.expect(204);
    app.get("/v1/audit-events", secret)
        .await
        .problem(401, "unauthenticated");
    app.delete(path, OPERATOR).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_expired_token_is_refused_like_an_unknown_one() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let tokens = format!("/v1/workspaces/{}/tokens", workspace.id);
    let soon = time::OffsetDateTime::now_utc() + time::Duration::milliseconds(700);
    let soon = soon
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    let body = json!({"name": "short", "role": "admin", "expires_at": soon});
    let made = app.post(&tokens, OPERATOR, &body).await.expect(201);
    let secret = made["token"].as_str().unwrap();
    app.get("/v1/audit-events", secret).await.expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    let expired = app.get("/v1/audit-events", secret).await;
    let unknown = app.get("/v1/audit-events", "spt_unknown").await;
    assert_eq!(
        expired.problem(401, "unauthenticated")["detail"],
        unknown.problem(401, "unauthenticated")["detail"]
    );
}

#[tokio::test]
async fn another_workspace_s_token_is_not_revoked() {
    let app = TestApp::spawn().await;
    let (one, other) = (app.workspace().await, app.workspace().await);
    let path = format!("/v1/workspaces/{}/tokens", one.id);
    let list = app.get(&path, OPERATOR).await.expect(200);
    let token = list["tokens"][0]["id"].as_str().unwrap();
    let wrong = format!("/v1/workspaces/{}/tokens/{token}", other.id);
    app.delete(&wrong, OPERATOR).await.problem(404, "not_found");
    let absent = format!("/v1/workspaces/{ABSENT}/tokens");
    app.get(&absent, OPERATOR).await.problem(404, "not_found");
    let body = json!({"name": "x", "role": "member"});
    app.post(&absent, OPERATOR, &body)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_deleted_workspace_s_tokens_open_nothing() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    app.delete(&format!("/v1/workspaces/{}", workspace.id), OPERATOR)
        .await
        .expect(204);
    app.get("/v1/audit-events", &workspace.admin)
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn changes_and_refusals_are_in_the_audit_log() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}", workspace.id);
    let refused = app.delete(&path, &workspace.member).await;
    refused.problem(403, "operator_required");
    app.get(&path, "").await.problem(401, "unauthenticated");
    let bad = app
        .post("/v1/workspaces", OPERATOR, &json!({"name": ""}))
        .await;
    bad.problem(422, "invalid_request");

    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    let events = log["audit_events"].as_array().unwrap();
    let summary: Vec<_> = events
        .iter()
        .map(|e| {
            (
                e["actor"].as_str().unwrap().split('_').next().unwrap(),
                e["action"].as_str().unwrap(),
                e["result"].as_str().unwrap(),
                e["code"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        summary,
        [
            (
                "operator",
                "create_workspace",
                "refused",
                Some("invalid_request")
            ),
            (
                "anonymous",
                "get_workspace",
                "refused",
                Some("unauthenticated")
            ),
            (
                "tok",
                "delete_workspace",
                "refused",
                Some("operator_required")
            ),
            ("operator", "create_token", "done", None),
            ("operator", "create_token", "done", None),
            ("operator", "create_workspace", "done", None),
        ]
    );
    let member = &events[2];
    assert_eq!(member["workspace_id"], workspace.id);
    assert_eq!(member["target"], workspace.id);
    assert_eq!(member["remote_addr"], "127.0.0.1");
    assert_eq!(
        member["request_id"].as_str(),
        refused.header("x-request-id")
    );
    assert!(events[3]["target"].as_str().unwrap().starts_with("tok_"));
    assert_eq!(events[3]["workspace_id"], workspace.id);
    assert_eq!(events[5]["target"], workspace.id);

    // Admins see their own workspace's, members nothing, and nobody changes it.
    let own = app
        .get("/v1/audit-events", &workspace.admin)
        .await
        .expect(200);
    let own = own["audit_events"].as_array().unwrap();
    assert!(own.len() >= 4);
    assert!(own.iter().all(|e| e["workspace_id"] == workspace.id));
    app.get("/v1/audit-events", &workspace.member)
        .await
        .problem(403, "admin_required");
    app.delete("/v1/audit-events", OPERATOR)
        .await
        .problem(405, "method_not_allowed");
    let other = app.workspace().await;
    let others = app.get("/v1/audit-events", &other.admin).await.expect(200);
    assert!(!others.to_string().contains(&workspace.id));
}

#[tokio::test]
async fn a_workspace_is_erased_with_a_report() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    for _ in 0..2 {
        app.post("/v1/storage-setups", &workspace.admin, &json!({}))
            .await;
    }
    let path = format!("/v1/workspaces/{}", workspace.id);
    let unknown = app.delete(&format!("{path}?erased=true"), OPERATOR).await;
    unknown.refused_field("erased");
    let answer = app.delete(&format!("{path}?erase=true"), OPERATOR).await;
    let report = answer.expect(200);
    assert_eq!(report["id"], workspace.id);
    assert_eq!(report["deleted"]["tokens"], 2);
    assert_eq!(report["deleted"]["storages"], 0);
    assert_eq!(report["deleted"]["project_files"], 0);
    assert_eq!(report["kept"], json!(["audit_events", "external_ids"]));
    app.get(&path, OPERATOR).await.problem(404, "not_found");
    app.delete(&format!("{path}?erase=true"), OPERATOR)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_audit_log_is_filtered_over_the_api_as_on_the_page() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    app.get("/v1/workspaces", &workspace.member)
        .await
        .problem(403, "operator_required");
    let found = async |query: &str| -> Vec<String> {
        let path = format!("/v1/audit-events?{query}");
        let log = app.get(&path, OPERATOR).await.expect(200);
        let events = log["audit_events"].as_array().unwrap().iter();
        let action = |event: &serde_json::Value| event["action"].as_str().unwrap().to_owned();
        events.map(action).collect()
    };
    assert_eq!(found("action=create_workspace").await, ["create_workspace"]);
    assert_eq!(found("result=refused").await, ["list_workspaces"]);
    assert_eq!(found("actor=operator&result=done").await.len(), 3);
    assert_eq!(found("since=2020-01-01T00:00:00Z").await.len(), 4);
    assert!(found("before=2020-01-01T00:00:00Z").await.is_empty());
    // A day in UTC: `since` begins with it, and `until` has all of it.
    let today = time::OffsetDateTime::now_utc().date();
    let (yesterday, tomorrow) = (today.previous_day().unwrap(), today.next_day().unwrap());
    let all = found("").await.len();
    for (query, expected) in [
        (format!("since={yesterday}&until={tomorrow}"), all),
        (format!("since=2020-01-01&until={tomorrow}"), all),
        (format!("before={tomorrow}"), all),
        ("until=2020-01-01".to_owned(), 0),
        ("before=2020-01-01".to_owned(), 0),
        ("since=2100-01-01".to_owned(), 0),
    ] {
        assert_eq!(found(&query).await.len(), expected, "{query}");
    }
    let first = app
        .get("/v1/audit-events?actor=operator&page_size=1", OPERATOR)
        .await
        .expect(200);
    let token = first["next_page_token"].as_str().unwrap();
    let next = found(&format!("actor=operator&page_size=1&page_token={token}")).await;
    assert_eq!(next, ["create_token"]);
    // A page goes on in its own list only.
    let other = format!("/v1/audit-events?page_token={token}");
    app.get(&other, OPERATOR).await.refused_field("page_token");
    for (query, field) in [
        ("actor=nobody", "actor"),
        ("result=fine", "result"),
        ("since=yesterday", "since"),
        ("before=2020-13-01", "before"),
        ("until=2020-01-32", "until"),
    ] {
        let path = format!("/v1/audit-events?{query}");
        app.get(&path, OPERATOR).await.refused_field(field);
    }
}

#[tokio::test]
async fn the_audit_log_outlives_its_workspace() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}", workspace.id);
    app.send_text(Method::DELETE, &path, OPERATOR, "")
        .await
        .expect(204);
    let log = app.get("/v1/audit-events", OPERATOR).await.expect(200);
    let last = &log["audit_events"][0];
    assert_eq!(last["action"], "delete_workspace");
    assert_eq!(last["workspace_id"], workspace.id);
    assert_eq!(log["audit_events"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_product_finds_a_workspace_by_its_own_id_and_notes_things_with_it() {
    let app = TestApp::spawn().await;
    let new = json!({"name": "Acme", "external_id": "tenant-7", "metadata": {"plan": "pro"}});
    let made = app.post("/v1/workspaces", OPERATOR, &new).await.expect(201);
    assert_eq!(made["external_id"], "tenant-7");
    assert_eq!(made["metadata"], json!({"plan": "pro"}));
    let id = made["id"].as_str().unwrap();
    let taken = app.post("/v1/workspaces", OPERATOR, &new).await.expect(409);
    assert_eq!(taken["code"], "external_id_taken");

    let found = app
        .get("/v1/workspaces?external_id=tenant-7", OPERATOR)
        .await
        .expect(200);
    assert_eq!(found["workspaces"].as_array().unwrap().len(), 1);
    assert_eq!(found["workspaces"][0]["id"], id);
    let none = app
        .get("/v1/workspaces?external_id=tenant-8", OPERATOR)
        .await
        .expect(200);
    assert_eq!(none["workspaces"], json!([]));

    // What is left out stays; two without an external ID do not collide.
    let path = format!("/v1/workspaces/{id}");
    let change = json!({"external_id": null, "metadata": {"seats": "3"}});
    let changed = app.patch(&path, OPERATOR, &change).await.expect(200);
    assert_eq!(changed["name"], "Acme");
    assert_eq!(changed["external_id"], json!(null));
    assert_eq!(changed["metadata"], json!({"seats": "3"}));
    let other = app.post("/v1/workspaces", OPERATOR, &new).await.expect(201);
    let back = json!({"external_id": "tenant-7"});
    let taken = app.patch(&path, OPERATOR, &back).await.expect(409);
    assert_eq!(taken["code"], "external_id_taken");
    let renamed = app
        .patch(&path, OPERATOR, &json!({"name": "Acme II"}))
        .await
        .expect(200);
    assert_eq!(renamed["name"], "Acme II");
    assert_eq!(renamed["metadata"], json!({"seats": "3"}));
    let kept = app.get(&path, OPERATOR).await.expect(200);
    assert_eq!(kept, renamed);
    assert_ne!(other["id"], id);

    let many: serde_json::Map<_, _> = (0..21).map(|n| (n.to_string(), json!(""))).collect();
    for (body, field) in [
        (json!({"external_id": "a b"}), "external_id"),
        (json!({"metadata": many}), "metadata"),
        (json!({"metadata": {"": "x"}}), "metadata"),
        (json!({"name": ""}), "name"),
        (json!({"metadata": {"a": 1}}), "metadata.a"),
    ] {
        let refused = app.patch(&path, OPERATOR, &body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let absent = "/v1/workspaces/wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e";
    app.patch(absent, OPERATOR, &back).await.expect(404);
}
