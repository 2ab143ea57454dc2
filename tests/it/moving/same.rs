//! Everything of a workspace is the same afterwards, and nothing else is in the file.

use crate::application::kept::rekey::purpose;
use crate::application::kept::store::{SealedColumn, SealedStore};
use crate::application::kept::vault::MasterKey;
use crate::domain::people::scope::Scope;
use crate::it::keys::{key, vault, with};
use crate::it::moving::kit::{
    delete, export, exported, full, has_parts, import, is_there, opened, shown, start,
};
use crate::it::support::app::{Answer, OPERATOR, TestApp};
use crate::it::support::database::{TestDb, on_both_engines};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

on_both_engines!(
    a_workspace_comes_back_as_it_was,
    without_its_secrets_it_asks_for_them,
    a_suspended_workspace_comes_back_suspended,
    only_the_operator_exports_and_imports,
);

async fn with_key(app: &TestApp, file: &str) -> Answer {
    let request = app
        .request(Method::POST, "/v1/import", OPERATOR)
        .header("idempotency-key", "once")
        .body(file.to_owned());
    Answer::of(request).await
}

async fn a_workspace_comes_back_as_it_was(db: TestDb) {
    let key = key();
    let app = start(&db, &key, None).await;
    let full = full(&app).await;
    let (id, admin) = (&full.workspace.id, &full.workspace.admin);
    let other = app.workspace().await;
    let other_setup = json!({"bucket": "of-somebody-else"});
    let other_setup = app
        .post("/v1/storage-setups", &other.admin, &other_setup)
        .await
        .expect(201);
    let before = shown(&app, &full.workspace).await;

    // By the product's own ID of it, too.
    let answer = export(&app, "tenant-4711", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let name = answer.header("content-disposition").unwrap();
    assert!(name.contains(&format!("sallyport-{id}.ndjson")), "{name}");
    let file = answer.text;

    // Nothing can be read in it, and nothing of somebody else is in it.
    for secret in &full.secrets {
        let coded = STANDARD.encode(secret);
        assert!(!file.contains(secret), "{secret}");
        assert!(!file.contains(coded.trim_end_matches('=')), "{secret}");
    }
    let inside = opened(&vault(&key, &[]), &file);
    assert!(inside.contains(full.setup["external_id"].as_str().unwrap()));
    assert!(inside.contains(id.as_str()));
    for foreign in [
        other.id.as_str(),
        "of-somebody-else",
        other_setup["id"].as_str().unwrap(),
        other_setup["external_id"].as_str().unwrap(),
    ] {
        assert!(!inside.contains(foreign), "{foreign}");
    }
    // Tokens are in no file.
    assert!(!inside.contains(admin.as_str()) && !inside.contains(&full.workspace.member));

    // It is there, so it is not overwritten.
    import(&app, file.clone(), "")
        .await
        .problem(409, "workspace_exists");
    delete(&app, id).await;
    // A client that goes on asking meanwhile is refused, and that is not remembered against it.
    app.get("/v1/storages", admin)
        .await
        .problem(401, "unauthenticated");
    let tried = import(&app, file.clone(), "?dry_run=true").await;
    let tried = tried.expect(200);
    assert_eq!(tried["dry_run"], true);
    assert!(!is_there(&app, id).await);

    let report = with_key(&app, &file).await;
    assert_eq!(
        report.header("location"),
        Some(format!("/v1/workspaces/{id}").as_str())
    );
    let report = report.expect(201);
    assert_eq!(report["workspace_id"], id.as_str());
    assert_eq!(report["name"], "Acme");
    assert_eq!(report["warnings"], json!([]), "{report:#}");
    for (what, count) in [
        ("tokens", 2),
        ("storages", 2),
        ("projects", 1),
        ("project_files", 2),
        ("webhooks", 1),
        ("origins", 1),
    ] {
        assert_eq!(report["imported"][what], count, "{what}: {report:#}");
        assert_eq!(tried["imported"][what], count, "{what}: {tried:#}");
    }
    assert!(report["imported"]["storage_setups"].as_u64().unwrap() >= 3);
    assert!(report["imported"]["checks"].as_u64().unwrap() >= 2);
    assert!(report["left_out"]["audit_events"].as_u64().unwrap() > 0);
    for needed in report["secrets_needed"].as_object().unwrap().values() {
        assert_eq!(needed, &json!([]), "{report:#}");
    }
    assert_eq!(shown(&app, &full.workspace).await, before);

    // Once more: with the same key the same answer, without it a refusal.
    let again = with_key(&app, &file).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), report);
    import(&app, file.clone(), "")
        .await
        .problem(409, "workspace_exists");
    assert!(!has_parts(&db).await);

    // The customers change nothing: each storage is used at once, and its check passes.
    for storage in &full.storages {
        let files = format!("{storage}/files");
        app.get(&files, &full.workspace.member).await.expect(200);
        let shown = app.get(storage, admin).await.expect(200);
        let state = shown["health"]["state"].as_str().unwrap();
        assert!(matches!(state, "unknown" | "healthy"), "{shown:#}");
        let (path, nothing) = (format!("{storage}/check"), json!({}));
        let report = app.post(&path, admin, &nothing);
        assert_eq!(report.await.expect(200)["outcome"], "passed");
    }

    let log = app.get("/v1/audit-events?page_size=1000", OPERATOR).await;
    let log = log.expect(200);
    let events = log["audit_events"].as_array().unwrap();
    for action in [
        "export_workspace",
        "import_workspace",
        "import_workspace_dry_run",
    ] {
        let entry = events
            .iter()
            .find(|event| event["action"] == action && event["result"] == "done");
        let entry = entry.unwrap_or_else(|| panic!("{action}: {log:#}"));
        assert_eq!(entry["workspace_id"], id.as_str(), "{entry:#}");
        assert_eq!(entry["actor"], "operator");
    }
    // A dry run that was refused is one, too.
    import(&app, file.clone(), "?dry_run=true")
        .await
        .problem(409, "workspace_exists");
    let refused = "/v1/audit-events?action=import_workspace_dry_run&result=refused";
    let refused = app.get(refused, OPERATOR).await.expect(200);
    assert_eq!(refused["audit_events"].as_array().unwrap().len(), 1);
    let feed = app.get("/v1/events?types=workspace.imported", OPERATOR);
    let feed = feed.await.expect(200);
    assert_eq!(feed["events"].as_array().unwrap().len(), 1, "{feed:#}");
    assert_eq!(feed["events"][0]["data"]["workspace_id"], id.as_str());
}

/// What a column's values are, in the order of their rows.
async fn secrets(db: &TestDb, key: &str, column: SealedColumn) -> Vec<(String, Vec<u8>)> {
    let vault = vault(key, &[]);
    let values = db.database.sealed_values(column, "", 1_000).await.unwrap();
    let opened = values.into_iter().map(|value| {
        let plain = vault.open(purpose(column), value.place.as_bytes(), &value.sealed);
        (value.row, plain.unwrap())
    });
    opened.collect()
}

/// The ones that move.
const MOVING: [SealedColumn; 3] = [
    SealedColumn::SetupSecrets,
    SealedColumn::StorageSecrets,
    SealedColumn::WebhookSecrets,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_moves_to_a_service_with_another_database_and_key() {
    let target = TestDb::postgres().await;
    target
        .run(|target| async move { moves_to(TestDb::sqlite().await, target).await })
        .await;
}

async fn moves_to(source: TestDb, target: TestDb) {
    let (old, new) = (key(), key());
    let (shared, wrong) = (key(), key());
    let app = start(&source, &old, Some(&shared)).await;
    let full = full(&app).await;
    let id = &full.workspace.id;
    let before = shown(&app, &full.workspace).await;
    let own = exported(&app, id, "").await;
    let file = exported(&app, id, "&sealed_with=transfer_key").await;
    for secret in &full.secrets {
        assert!(!file.contains(secret), "{secret}");
    }

    // Without the right key nobody takes it.
    let there = start(&target, &new, None).await;
    import(&there, file.clone(), "")
        .await
        .problem(422, "export_key_needed");
    export(&there, id, "&sealed_with=transfer_key")
        .await
        .problem(409, "transfer_key_missing");
    there.stop().await.unwrap();
    let there = start(&target, &new, Some(&wrong)).await;
    import(&there, file.clone(), "")
        .await
        .problem(422, "export_key_needed");
    there.stop().await.unwrap();
    let there = start(&target, &new, Some(&shared)).await;
    import(&there, own, "")
        .await
        .problem(422, "export_key_needed");
    assert!(!is_there(&there, id).await && !has_parts(&target).await);

    let report = import(&there, file.clone(), "").await.expect(201);
    assert_eq!(report["warnings"], json!([]), "{report:#}");
    assert_eq!(shown(&there, &full.workspace).await, before);
    for column in MOVING {
        let theirs = secrets(&source, &old, column).await;
        assert!(!theirs.is_empty(), "{column:?}");
        assert_eq!(secrets(&target, &new, column).await, theirs, "{column:?}");
    }
    for storage in &full.storages {
        let files = format!("{storage}/files");
        there.get(&files, &full.workspace.member).await.expect(200);
    }
    // And back, where it was deleted.
    delete(&app, id).await;
    let back = exported(&there, id, "&sealed_with=transfer_key").await;
    import(&app, back, "").await.expect(201);
    assert_eq!(shown(&app, &full.workspace).await, before);

    // A service that the customers' roles do not trust says so.
    let stranger = TestDb::sqlite().await;
    let own = key();
    let third = TestApp::spawn_with(|options| {
        with(&stranger, &own, "")(options);
        options.transfer_key = Some(shared.clone());
        options.service_principal = Some("arn:aws:iam::222222222222:root".into());
    })
    .await;
    let report = import(&third, file, "").await.expect(201);
    let warning = &report["warnings"][0];
    assert_eq!(warning["code"], "service_principal_differs", "{report:#}");
    let detail = warning["detail"].as_str().unwrap();
    assert!(
        detail.contains("arn:aws:iam::111111111111:root"),
        "{detail}"
    );
}

async fn without_its_secrets_it_asks_for_them(db: TestDb) {
    let key = key();
    let app = start(&db, &key, None).await;
    let full = full(&app).await;
    let (id, admin) = (&full.workspace.id, &full.workspace.admin);
    let file = exported(&app, id, "&secrets=false").await;
    let inside = opened(&vault(&key, &[]), &file);
    for secret in &full.secrets[..3] {
        assert!(!inside.contains(&STANDARD.encode(secret)), "{secret}");
        assert!(!inside.contains(secret), "{secret}");
    }
    delete(&app, id).await;
    let report = import(&app, file, "").await.expect(201);
    let needed = &report["secrets_needed"];
    let end = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(needed["storages"], json!([end(&full.storages[1])]));
    assert_eq!(needed["webhooks"], json!([end(&full.webhook)]));
    assert_eq!(needed["storage_setups"], json!([full.setup["id"]]));

    let by_key = app.get(&full.storages[1], admin).await.expect(200);
    assert_eq!(by_key["health"]["state"], "broken", "{by_key:#}");
    assert_eq!(by_key["health"]["code"], "credentials_lost");
    let files = format!("{}/files", full.storages[1]);
    app.get(&files, admin)
        .await
        .problem(424, "storage_credentials_rejected");
    // The one by a role needs no secret.
    let files = format!("{}/files", full.storages[0]);
    app.get(&files, admin).await.expect(200);
    let hook = app.get(&full.webhook, admin).await.expect(200);
    assert_eq!(hook["is_enabled"], false);
    let setup = full.setup["id"].as_str().unwrap();
    let setup = app.get(&format!("/v1/storage-setups/{setup}"), admin).await;
    assert_eq!(setup.expect(200)["external_id"], full.setup["external_id"]);
}

async fn a_suspended_workspace_comes_back_suspended(db: TestDb) {
    let key = key();
    let app = TestApp::spawn_with(with(&db, &key, "")).await;
    let workspace = app.workspace().await;
    let path = format!("/v1/workspaces/{}", workspace.id);
    let suspend = json!({"state": "suspended", "reason": "moves"});
    let before = app.patch(&path, OPERATOR, &suspend).await.expect(200);
    let file = exported(&app, &workspace.id, "").await;
    delete(&app, &workspace.id).await;
    let report = import(&app, file, "").await.expect(201);
    let codes: Vec<&Value> = report["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| &warning["code"])
        .collect();
    assert_eq!(codes, ["workspace_is_suspended"]);
    assert_eq!(app.get(&path, OPERATOR).await.expect(200), before);
    app.get("/v1/storages", &workspace.admin)
        .await
        .problem(403, "workspace_suspended");
}

async fn only_the_operator_exports_and_imports(db: TestDb) {
    let key = MasterKey::generate().unwrap().1;
    let app = TestApp::spawn_with(with(&db, &key, "")).await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    let file = exported(&app, &mine.id, "").await;
    let path = format!("/v1/export?workspace_id={}", mine.id);
    for token in [&mine.admin, &mine.member, &other.admin] {
        app.get(&path, token)
            .await
            .problem(403, "operator_required");
        let request = app.request(Method::POST, "/v1/import", token);
        let answer = Answer::of(request.body(file.clone())).await;
        answer.problem(403, "operator_required");
    }
    for (scope, status) in [(Scope::WorkspacesCreate, 403), (Scope::Operator, 200)] {
        let body = json!({"name": "moving", "scopes": [scope.as_str()]});
        let made = app.post("/v1/keys", OPERATOR, &body).await.expect(201);
        let answer = app.get(&path, made["key"].as_str().unwrap()).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let absent = "wrk_00000000000000000000000000000000";
    export(&app, absent, "").await.problem(404, "not_found");
    export(&app, "no such", "").await.problem(404, "not_found");
    export(&app, &mine.id, "&sealed_with=hope")
        .await
        .refused_field("sealed_with");
    app.get("/v1/export", OPERATOR)
        .await
        .refused_field("workspace_id");
}
