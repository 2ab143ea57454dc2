//! A storage's health over time: since when, of what, what it affects, and what changed.

use crate::domain::cause::meanings::meaning;
use crate::it::checks::health::Stored;
use crate::it::support::app::{ORIGIN, TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, denied, role_denied, s3_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OTHER_ORIGIN: &str = "https://new.example.com";

/// An S3 denial with the reason that AWS gives.
fn explicit_deny(action: &str) -> Reply {
    denied(&format!(
        "User: arn:aws:sts::222222222222:assumed-role/stub/x is not authorized to perform: {action} on resource: \"arn:aws:s3:::x/a.txt\" with an explicit deny in a resource-based policy"
    ))
}

impl Stored<'_> {
    /// The health as admins see it.
    async fn health(&self) -> Value {
        let admin = &self.dialog.workspace.admin;
        self.dialog.app.get(&self.path, admin).await.expect(200)["health"].clone()
    }

    /// The audit log's entries about the storage's health, the oldest first: before, after, code.
    async fn written(&self) -> Vec<(Value, Value, Value)> {
        let admin = &self.dialog.workspace.admin;
        let path = "/v1/audit-events?page_size=1000";
        let log = self.dialog.app.get(path, admin).await.expect(200);
        let events = log["audit_events"].as_array().unwrap().clone();
        let mut of_health: Vec<_> = events
            .into_iter()
            .filter(|event| event["action"] == "storage.health_changed")
            .map(|event| {
                assert_eq!(event["actor"], "service");
                assert!(self.path.ends_with(event["target"].as_str().unwrap()));
                (
                    event["state"]["before"].clone(),
                    event["state"]["after"].clone(),
                    event["code"].clone(),
                )
            })
            .collect();
        of_health.reverse();
        of_health
    }
}

fn sentences(health: &Value) -> Vec<&str> {
    let text = health["change"]["text"].as_array().unwrap();
    text.iter()
        .map(|sentence| sentence.as_str().unwrap())
        .collect()
}

/// Pages of the workspace's own origins use its buckets as the product's do: the documents name them, and the check
/// tries them.
#[tokio::test]
async fn an_origin_of_the_workspace_is_in_its_documents_and_its_checks() {
    const PATTERN: &str = "https://*.new.example.com";
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
    })
    .await;
    let storage = Stored::on(&stub, &app).await;
    let admin = &storage.dialog.workspace.admin;
    let own = json!({"origins": [OTHER_ORIGIN, PATTERN, ORIGIN]});
    app.put("/v1/workspace/origins", admin, &own)
        .await
        .expect(200);
    let all = json!([ORIGIN, OTHER_ORIGIN, PATTERN]);
    let documents = format!("{}/documents", storage.path);
    let documents = app.get(&documents, admin).await.expect(200);
    assert_eq!(documents["cors"][0]["AllowedOrigins"], all);
    let of_setup = async |token: &str| {
        let body = json!({"bucket": "acme-data"});
        let setup = app.post("/v1/storage-setups", token, &body).await;
        setup.expect(201)["allowed_origins"].clone()
    };
    assert_eq!(of_setup(admin).await, all);
    let other = app.workspace().await;
    assert_eq!(of_setup(&other.admin).await, json!([ORIGIN]));

    storage.check().await.passed();
    stub.when(|request| {
        let origin = request.header("origin").unwrap_or_default();
        // A pattern is asked for by an origin that it allows: no browser sends a `*`.
        let of_new = origin.contains("new.example.com") && !origin.contains('*');
        (request.operation() == "CorsPreflight" && of_new)
            .then(|| s3_error(403, "AccessForbidden", "CORSResponse"))
    });
    let report = storage.check().await.failed(&["cors"]);
    let problem = &report.step("cors")["problem"];
    assert_eq!(problem["code"], "cors_origin_missing");
    let words = problem.to_string();
    assert!(
        words.contains(PATTERN) && words.contains(OTHER_ORIGIN),
        "{words}"
    );
    assert_eq!(problem["patch"]["document"][0]["AllowedOrigins"], all);
    assert_eq!(storage.health().await["state"], "degraded");

    // What is taken out is not tried any more.
    let none = json!({"origins": []});
    app.put("/v1/workspace/origins", admin, &none)
        .await
        .expect(200);
    storage.check().await.passed();
}

/// A new origin that the customer has not added yet is no break, and a break shows beside it.
#[tokio::test]
async fn a_missing_origin_is_degraded_and_never_hides_a_deleted_role() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.hurried_sdk_config(), |options| {
        options.allowed_origins = Some(format!("{ORIGIN},{OTHER_ORIGIN}"));
    })
    .await;
    let storage = Stored::on(&stub, &app).await;
    let first = storage.health().await;
    assert_eq!(
        (
            &first["state"],
            first.get("change"),
            first.get("affected_projects")
        ),
        (&json!("healthy"), None, None)
    );
    let no_new_origin = || {
        stub.when(|request| {
            // In whatever form: no rule names it.
            let origin = request.header("origin").unwrap_or_default();
            let of_new = origin.contains("new.example.com");
            (request.operation() == "CorsPreflight" && of_new)
                .then(|| s3_error(403, "AccessForbidden", "CORSResponse"))
        });
    };
    no_new_origin();
    let report = storage.check().await.failed(&["cors"]);
    let degraded = storage.health().await;
    assert_eq!(
        (&degraded["state"], &degraded["code"], &degraded["since"]),
        (
            &json!("degraded"),
            &json!("cors_origin_missing"),
            &report.0["started_at"]
        )
    );
    storage.files().await.expect(200);
    let said = sentences(&degraded);
    assert!(
        said.len() == 1 && said[0].contains("CORS rules"),
        "{said:?}"
    );
    // Again: nothing has changed.
    storage.check().await;
    assert_eq!(storage.health().await["since"], degraded["since"]);
    let member = Visitor::sign_in(&app, &storage.dialog.workspace.admin, "member").await;
    let page = storage.path.replace("/v1/", "/settings/");
    for path in ["/settings/storages", &page] {
        let text = member.get(path).await.text;
        assert!(text.contains("Warning"), "{path}");
        let reason = meaning("cors_origin_missing").unwrap().replace('\'', "’");
        assert!(text.contains(&reason), "{path}: {reason}");
    }

    stub.answer_to("AssumeRole", role_denied());
    let report = storage.check().await;
    let broken = storage.health().await;
    assert_eq!(
        (&broken["state"], &broken["code"], &broken["since"]),
        (
            &json!("broken"),
            &json!("role_refused"),
            &report.0["started_at"]
        )
    );
    let list = member.get("/settings/storages").await.text;
    let reason = "The role’s trust policy does not let the service in";
    assert!(list.contains("Broken") && list.contains(reason), "{list}");
    // What began the spell, and what is wrong now.
    let said = sentences(&broken);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("CORS rules"), "{said:?}");
    assert!(said[1].contains("the role let the service in"), "{said:?}");

    stub.forget_rules();
    storage.check().await.passed();
    let healed = storage.health().await;
    assert_eq!(
        (&healed["state"], healed.get("code")),
        (&json!("healthy"), None)
    );
    let (healthy, degraded, broken) = (json!("healthy"), json!("degraded"), json!("broken"));
    assert_eq!(
        storage.written().await,
        [
            (
                healthy.clone(),
                degraded.clone(),
                json!("cors_origin_missing")
            ),
            (degraded, broken.clone(), json!("role_refused")),
            (broken, healthy, Value::Null),
        ]
    );
}

#[tokio::test]
async fn what_changed_and_whom_it_affects_is_told() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let storage = Stored::on(&stub, &app).await;
    let workspace = &storage.dialog.workspace;
    let body = json!({
        "name": "Cats", "storage_id": storage.path.rsplit('/').next(),
        "files": [{"file_key": "/a.txt"}],
    });
    let project = app.post("/v1/projects", &workspace.member, &body).await;
    let project = project.expect(201);
    let good = storage.check().await.passed();
    stub.answer_to("GetObject", explicit_deny("s3:GetObject"));
    let bad = storage.check().await;
    storage.check().await;
    let health = storage.health().await;
    assert_eq!(health["state"], "broken");
    assert_eq!(health["since"], bad.0["started_at"]);
    let change = &health["change"];
    assert_eq!(change["last_good_check_id"], good.0["id"]);
    assert_eq!(change["first_bad_check_id"], bad.0["id"]);
    let said = sentences(&health);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("reading a file was allowed."), "{said:?}");
    let refused = "AWS refused `s3:GetObject`: a statement in a bucket policy denies it.";
    assert!(said[0].ends_with(refused), "{said:?}");
    let affected = json!({
        "count": 1, "importing": 0, "projects": [{"id": project["id"], "name": "Cats"}],
    });
    assert_eq!(health["affected_projects"], affected);
    // A member sees whom it affects. What a check found, only admins see, and no list has either.
    let of_member = storage.get().await["health"].clone();
    assert_eq!(of_member["affected_projects"], affected);
    assert_eq!(of_member.get("change"), None);
    let list = app.get("/v1/storages", &workspace.admin).await.expect(200);
    let listed = &list["storages"][0]["health"];
    assert_eq!(listed["code"], health["code"]);
    assert_eq!(
        (listed.get("change"), listed.get("affected_projects")),
        (None, None)
    );
    // Both checks stay readable, and the metrics count one change.
    let metrics = app.get("/metrics", "").await.text;
    for line in [
        "sallyport_storage_health_changes_total{to=\"broken\"} 1",
        "sallyport_storage_health_changes_total{to=\"healthy\"} 0",
        "sallyport_storages{health=\"unknown\"} 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

/// The figures of docs/operations.md, with one origin.
#[tokio::test]
async fn a_check_makes_so_many_calls() {
    let mut found = Vec::new();
    for access in ["read", "read_write"] {
        let stub = AwsStub::start().await;
        let app = app_on(&stub.sdk_config()).await;
        let dialog = Scene::on(&stub).access(access).open(&app).await;
        dialog.check().await.passed();
        stub.clear();
        dialog.check().await.passed();
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for logged in stub.log() {
            *calls.entry(logged.operation).or_default() += 1;
        }
        found.push((calls.values().sum::<usize>(), calls));
    }
    let totals: Vec<usize> = found.iter().map(|(total, _)| *total).collect();
    assert_eq!(totals, [12, 23], "{found:?}");
}
