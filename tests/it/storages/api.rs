//! Storages over the API.

use crate::it::support::app::{ORIGIN, TestApp, TestWorkspace, app_on};
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::aws::wire::eventually;
use crate::it::support::emulator::{Emulator, s3_client, trust_policy};
use crate::it::support::scene::{Dialog, Report, Scene};
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::time::Duration;

/// The service's database, without its safeguards.
async fn database(app: &TestApp) -> SqliteConnection {
    let file = app.folder.path().join("sallyport.db");
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false);
    options.connect().await.unwrap()
}

/// The one number that a query gives.
pub async fn rows(app: &TestApp, query: &str) -> i64 {
    let mut database = database(app).await;
    let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
    query.fetch_one(&mut database).await.unwrap()
}

/// Changes a record behind the service's back.
pub async fn damage(app: &TestApp, statement: &str) {
    let mut database = database(app).await;
    let statement = sqlx::query(AssertSqlSafe(statement.to_owned()));
    let done = statement.execute(&mut database).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    // What another process changes is known within a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

/// A storage, driven through the API.
pub struct Stored<'a> {
    pub app: &'a TestApp,
    pub workspace: &'a TestWorkspace,
    pub path: String,
}

impl<'a> Stored<'a> {
    pub async fn of(dialog: &'a Dialog<'_>) -> Self {
        let storage = dialog.finish().await;
        Self {
            app: dialog.app,
            workspace: &dialog.workspace,
            path: format!("/v1/storages/{}", storage["id"].as_str().unwrap()),
        }
    }

    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// As an admin sees it.
    pub async fn get(&self) -> Value {
        self.app
            .get(&self.path, &self.workspace.admin)
            .await
            .expect(200)
    }

    pub async fn files(&self) -> crate::it::support::app::Answer {
        let path = format!("{}/files", self.path);
        self.app.get(&path, &self.workspace.member).await
    }

    pub async fn patch(&self, settings: Value) -> crate::it::support::app::Answer {
        self.app
            .patch(&self.path, &self.workspace.admin, &settings)
            .await
    }

    pub async fn check_pending(&self) -> Report {
        let path = format!("{}/check?pending=true", self.path);
        Report::of(
            &self
                .app
                .post(&path, &self.workspace.admin, &json!({}))
                .await,
        )
    }

    pub async fn check(&self) -> Report {
        let path = format!("{}/check", self.path);
        Report::of(
            &self
                .app
                .post(&path, &self.workspace.admin, &json!({}))
                .await,
        )
    }
}

#[tokio::test]
async fn a_name_is_changed_at_once_and_other_settings_after_their_check() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    let renamed = storage
        .patch(json!({"display_name": "Renamed"}))
        .await
        .expect(200);
    assert_eq!(
        (&renamed["display_name"], &renamed["pending"]),
        (&json!("Renamed"), &json!(null))
    );
    for change in [
        json!({"region": "eu-west-1"}),
        json!({"region": null}),
        json!({"prefix": "team"}),
        json!({"prefix": null, "access": "read"}),
        json!({"role_arn": "arn:aws:iam::222222222222:role/other"}),
    ] {
        let before = storage.get().await;
        let changed = storage.patch(change.clone()).await.expect(200);
        assert_eq!(changed["verified"], true, "{change}");
        for (field, _) in change.as_object().unwrap() {
            assert_eq!(changed[field], before[field], "{change}");
            let changes = changed["pending"]["changes"].as_array().unwrap();
            assert!(changes.contains(&json!(field)), "{changed}");
        }
        storage.files().await.expect(200);
        let report = storage.check_pending().await;
        // A Region that is not the bucket's own is a warning, and the bucket's own is used.
        let warned: &[&str] = match change["region"] {
            Value::String(_) => &["get_bucket_location"],
            _ => &[],
        };
        let mut warnings = report.with_status("warning");
        // The bucket is empty.
        warnings.retain(|step| report.code(step) != Some("nothing_below_prefix"));
        assert_eq!(warnings, warned, "{change}");
        assert!(report.with_status("failed").is_empty(), "{change}");
        let stored = storage.get().await;
        assert_eq!(
            (&stored["verified"], &stored["region"], &stored["pending"]),
            (&json!(true), &json!("us-east-1"), &json!(null))
        );
        storage.files().await.expect(200);
    }
    for (field, value) in [
        ("external_id", json!("x")),
        ("id", json!("x")),
        ("health", json!("healthy")),
        ("verified", json!(true)),
        ("is_default", json!(true)),
        ("project_count", json!(0)),
        ("bucket", json!("A")),
        ("role_arn", json!("x")),
        ("auth", json!("access_key")),
    ] {
        let answer = storage.patch(json!({field: value})).await;
        if field == "auth" {
            assert!(matches!(answer.status.as_u16(), 409 | 422), "{answer:?}");
        } else {
            answer.refused_field(field);
        }
    }
    assert_eq!(
        storage.get().await["external_id"],
        dialog.external_id.as_str()
    );
    // A member may look, and change nothing.
    let answer = app
        .patch(&storage.path, &dialog.workspace.member, &json!({}))
        .await;
    answer.problem(403, "admin_required");
}

#[tokio::test]
async fn bucket_and_prefix_are_fixed_by_projects() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    let count = |n: i64| {
        format!(
            "UPDATE storages SET project_count = {n} WHERE id = '{}'",
            storage.id()
        )
    };
    damage(&app, &count(2)).await;
    for field in ["bucket", "prefix"] {
        let answer = storage.patch(json!({field: "elsewhere"})).await;
        let problem = answer.problem(409, "storage_in_use");
        assert_eq!(problem["errors"][0]["field"], field);
        assert_eq!(problem["project_count"], 2);
    }
    let answer = app.delete(&storage.path, &dialog.workspace.admin).await;
    assert_eq!(answer.problem(409, "storage_in_use")["project_count"], 2);
    // The role may change.
    let role = "arn:aws:iam::222222222222:role/new";
    storage.patch(json!({"role_arn": role})).await.expect(200);
    storage.check_pending().await.works();
    damage(&app, &count(0)).await;
    storage
        .patch(json!({"prefix": "elsewhere"}))
        .await
        .expect(200);
    // A project came meanwhile: its files are where they are.
    damage(&app, &count(1)).await;
    let check = format!("{}/check?pending=true", storage.path);
    let answer = app.post(&check, &dialog.workspace.admin, &json!({})).await;
    let problem = answer.problem(409, "storage_in_use");
    assert_eq!(problem["errors"][0]["field"], "prefix");
    assert_eq!(storage.get().await["prefix"], "");
    storage.files().await.expect(200);
}

#[tokio::test]
async fn a_deleted_storage_makes_no_further_call() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = Stored::of(&dialog).await;
    storage.files().await.expect(200);
    let answer = app.delete(&storage.path, &dialog.workspace.admin).await;
    assert_eq!(answer.status, 204);
    stub.clear();
    storage.files().await.problem(404, "not_found");
    let content = format!("{}/files/content?key=/a.txt", storage.path);
    app.get(&content, &dialog.workspace.member)
        .await
        .problem(404, "not_found");
    let sign = format!("{}/files/sign", storage.path);
    let keys = json!({"key": "/a.txt", "method": "GET"});
    app.post(&sign, &dialog.workspace.member, &keys)
        .await
        .problem(404, "not_found");
    let check = format!("{}/check", storage.path);
    app.post(&check, &dialog.workspace.admin, &json!({}))
        .await
        .problem(404, "not_found");
    assert_eq!(
        app.delete(&storage.path, &dialog.workspace.admin)
            .await
            .status,
        404
    );
    assert_eq!(stub.log().len(), 0);
    // Its setup does not come to life again, and its external ID stays known.
    dialog.complete().await.problem(409, "setup_completed");
}

#[tokio::test]
async fn a_loosened_trust_policy_breaks_the_health_until_it_is_mended() {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let storage = Stored::of(&applied.dialog).await;
    assert_eq!(storage.get().await["health"]["state"], "healthy");
    applied
        .trust(&trust_policy(&Emulator::vendor().await.account, None))
        .await;
    let report = storage.check().await;
    let failed = report.failed(&["refuses_missing_external_id", "refuses_wrong_external_id"]);
    let health = storage.get().await["health"].clone();
    assert_eq!(health["state"], "broken");
    assert_eq!(health["last_check_id"], failed.0["id"]);
    assert_eq!(health["since"], failed.0["started_at"]);
    storage.check().await;
    // Still broken, since then.
    assert_eq!(storage.get().await["health"]["since"], health["since"]);
    applied.trust(&applied.trust).await;
    let mended = storage.check().await.works();
    let health = &storage.get().await["health"];
    assert_eq!(
        (&health["state"], &health["since"]),
        (&json!("healthy"), &mended.0["started_at"])
    );

    let path = format!("{}/checks", storage.path);
    let admin = &applied.dialog.workspace.admin;
    let first = app
        .get(&format!("{path}?page_size=2"), admin)
        .await
        .expect(200);
    let checks = first["checks"].as_array().unwrap();
    assert_eq!(checks[0]["id"], mended.0["id"]);
    assert_eq!((checks.len(), &checks[1]["outcome"]), (2, &json!("failed")));
    let token = first["next_page_token"].as_str().unwrap();
    let next = app
        .get(&format!("{path}?page_size=2&page_token={token}"), admin)
        .await
        .expect(200);
    assert_eq!(next["checks"][0]["id"], failed.0["id"]);
    // The one that the storage came from is the oldest.
    let whole = app.get(&path, admin).await.expect(200);
    let (checks, last) = (whole["checks"].as_array().unwrap(), &next["checks"][1]);
    assert_eq!((checks.len(), checks.last().unwrap()), (4, last));
    assert!(
        last["target"].as_str().unwrap().starts_with("set_"),
        "{last}"
    );
    assert_eq!(last["outcome"], "passed");
    let first = app.get(&format!("{path}?page_size=3"), admin).await;
    let token = first.expect(200)["next_page_token"].clone();
    let token = token.as_str().unwrap();
    let end = app
        .get(&format!("{path}?page_size=3&page_token={token}"), admin)
        .await
        .expect(200);
    assert_eq!(end["checks"], json!([last]));
    assert_eq!(end["next_page_token"], json!(null));
    app.get(&path, &applied.dialog.workspace.member)
        .await
        .problem(403, "admin_required");
}

#[tokio::test]
async fn the_monitor_finds_what_broke_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let aws = &Emulator::vendor().await.sdk_config;
    let start = async || {
        TestApp::spawn_on(aws, |options| {
            options.data_dir = folder.path().to_str().map(str::to_owned);
            options.allowed_origins = Some(ORIGIN.into());
            options.recheck_interval = Some("1s".into());
        })
        .await
    };
    let app = start().await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    let path = Stored::of(&applied.dialog).await.path;
    applied
        .trust(&trust_policy(&Emulator::vendor().await.account, None))
        .await;
    let member = applied.dialog.workspace.member.clone();
    damage_in(folder.path(), "UPDATE jobs SET due_at = 0").await;
    app.stop().await.unwrap();
    let app = start().await;
    eventually("the monitor tells", async || {
        app.get(&path, &member).await.expect(200)["health"]["state"] == "broken"
    })
    .await;
}

async fn damage_in(folder: &std::path::Path, statement: &str) {
    let options = SqliteConnectOptions::new().filename(folder.join("sallyport.db"));
    let mut database = options.connect().await.unwrap();
    let statement = sqlx::query(AssertSqlSafe(statement.to_owned()));
    statement.execute(&mut database).await.unwrap();
}

#[tokio::test]
async fn the_default_storage_is_chosen_and_falls_back() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = Stored::of(&dialog).await;
    let (admin, member) = (&dialog.workspace.admin, &dialog.workspace.member);
    let path = "/v1/workspace/default-storage";
    let default =
        async || app.get("/v1/workspace", member).await.expect(200)["default_storage_id"].clone();
    assert_eq!(default().await, Value::Null);
    let body = json!({"storage_id": storage.id()});
    app.put(path, member, &body)
        .await
        .problem(403, "admin_required");
    app.put(path, admin, &body).await.expect(200);
    assert_eq!(default().await, storage.id());
    assert_eq!(storage.get().await["is_default"], true);
    app.put(path, admin, &json!({"storage_id": "built-in"}))
        .await
        .expect(200);
    assert_eq!(default().await, Value::Null);
    assert_eq!(storage.get().await["is_default"], false);
    app.put(path, admin, &body).await.expect(200);
    // What chooses nothing changes nothing.
    app.put(path, admin, &json!({}))
        .await
        .problem(422, "missing_field");
    assert_eq!(default().await, storage.id());
    for (bad, status) in [
        (json!("x"), 422),
        (json!(1), 422),
        (json!(format!("sto_{}", uuid::Uuid::now_v7().simple())), 404),
    ] {
        assert_eq!(
            app.put(path, admin, &json!({"storage_id": bad}))
                .await
                .status,
            status
        );
    }
    // Another workspace's is none of ours.
    let other = app.workspace().await;
    app.put(path, &other.admin, &body)
        .await
        .problem(404, "not_found");
    // No other becomes the default without a word.
    let refused = app.delete(&storage.path, admin).await;
    refused.problem(409, "storage_is_default");
    for bad in ["x", storage.id(), "sto_00000000000000000000000000000000"] {
        let path = format!("{}?default_storage_id={bad}", storage.path);
        app.delete(&path, admin)
            .await
            .refused_field("default_storage_id");
    }
    assert_eq!(default().await, storage.id());
    let path = format!("{}?default_storage_id=built-in", storage.path);
    assert_eq!(app.delete(&path, admin).await.status, 204);
    assert_eq!(default().await, Value::Null);
}

/// The names of a list's items, narrowed by `name`.
async fn named(app: &TestApp, token: &str, list: &str, name: &str) -> Vec<String> {
    let path = format!("/v1/{list}?name={name}");
    let listed = app.get(&path, token).await.expect(200);
    let items = listed[list.replace('-', "_")].as_array().unwrap();
    let name = |item: &Value| item["display_name"].as_str().unwrap_or("-").to_owned();
    items.iter().map(name).collect()
}

#[tokio::test]
async fn lists_are_narrowed_to_a_part_of_the_name() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let workspace = app.workspace().await;
    let admin = &workspace.admin;
    for name in ["Cats 100%", "Dogs", "more cats"] {
        let settings = json!({"display_name": name});
        Dialog::open_in(&app, workspace.clone(), settings).await;
    }
    Dialog::open_in(&app, workspace.clone(), json!({"bucket": "cat-data"})).await;
    let found = named(&app, admin, "storage-setups", "CAT").await;
    assert_eq!(found, ["Cats 100%", "more cats", "-"]);
    assert_eq!(
        named(&app, admin, "storage-setups", "0%25").await,
        ["Cats 100%"]
    );
    assert_eq!(named(&app, admin, "storage-setups", "").await.len(), 4);
    // A page goes on in its own list only.
    let first = app
        .get("/v1/storage-setups?name=cat&page_size=1", admin)
        .await
        .expect(200);
    let token = first["next_page_token"].as_str().unwrap();
    let next = format!("/v1/storage-setups?name=cat&page_size=1&page_token={token}");
    let next = app.get(&next, admin).await.expect(200);
    assert_eq!(next["storage_setups"][0]["display_name"], "more cats");
    app.get(&format!("/v1/storage-setups?page_token={token}"), admin)
        .await
        .refused_field("page_token");
    let long = format!("/v1/storages?name={}", "x".repeat(201));
    app.get(&long, admin).await.refused_field("name");

    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let storage = Stored::of(&dialog).await;
    storage
        .patch(json!({"display_name": "Acme's data"}))
        .await
        .expect(200);
    let member = &storage.workspace.member;
    assert_eq!(
        named(&app, member, "storages", "acme").await,
        ["Acme's data"]
    );
    assert!(named(&app, member, "storages", "other").await.is_empty());
}

#[tokio::test]
async fn a_setup_says_who_opened_it() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let by = dialog.get().await["created_by"].clone();
    assert!(by.as_str().unwrap().starts_with("tok_"), "{by}");
    let log = app.get("/v1/audit-events", &dialog.workspace.admin).await;
    let log = log.expect(200);
    let opened = log["audit_events"].as_array().unwrap().iter();
    let mut opened = opened.filter(|entry| entry["action"] == "open_storage_setup");
    assert_eq!(opened.next().unwrap()["actor"], by);
}

/// Opens a setup for the stub's bucket in this workspace, whose role then lets it in.
async fn again<'a>(
    stub: &AwsStub,
    app: &'a TestApp,
    workspace: &TestWorkspace,
    prefix: &str,
) -> Dialog<'a> {
    let settings = json!({
        "bucket": stub.bucket, "prefix": prefix, "access": "read", "role_arn": stub.role_arn(),
    });
    let dialog = Dialog::open_in(app, workspace.clone(), settings).await;
    stub.world().external_id = Some(dialog.external_id.clone());
    dialog
}

#[tokio::test]
async fn a_bucket_that_is_added_again_is_warned_of_or_refused() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let workspace = app.workspace().await;
    let first = again(&stub, &app, &workspace, "team").await;
    assert!(first.get().await.get("warnings").is_none());
    let first = first.finish().await;
    assert!(first.get("warnings").is_none());
    for (prefix, code) in [
        ("team/", Some("same_place")),
        ("team/inner", Some("overlapping_place")),
        ("", Some("overlapping_place")),
        ("team2", None),
    ] {
        let dialog = again(&stub, &app, &workspace, prefix).await;
        let setup = dialog.get().await;
        let storage = dialog.finish().await;
        let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
        let read = app.get(&path, &workspace.admin).await.expect(200);
        for found in [&setup, &storage, &read] {
            let warnings = found.get("warnings").cloned().unwrap_or(json!([]));
            let of_first: Vec<&Value> = warnings
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["storage_id"] == first["id"])
                .map(|one| &one["code"])
                .collect();
            assert_eq!(
                of_first,
                code.iter().collect::<Vec<_>>(),
                "{prefix}: {found:#}"
            );
        }
    }
    // The list says the same of each setup, and nothing of those that have ended.
    for (prefix, code) in [("team/", json!("same_place")), ("team2/", Value::Null)] {
        let dialog = again(&stub, &app, &workspace, prefix).await;
        let listed = app.get("/v1/storage-setups", &workspace.admin).await;
        let listed = listed.expect(200);
        for setup in listed["storage_setups"].as_array().unwrap() {
            let first = |warning: &&Value| warning["storage_id"] == first["id"];
            let warnings = setup["warnings"].as_array().map(Vec::as_slice);
            let found = warnings.unwrap_or_default().iter().find(first);
            let found = found.map_or(Value::Null, |warning| warning["code"].clone());
            if setup["id"] == json!(dialog.id) {
                assert_eq!(found, code, "{setup:#}");
            } else if setup["status"] != "open" {
                assert_eq!(found, Value::Null, "{setup:#}");
            }
        }
    }
    // Another workspace's storages are none of ours.
    let other = app.workspace().await;
    let alone = again(&stub, &app, &other, "team").await;
    assert!(alone.finish().await.get("warnings").is_none());

    let strict = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.refuse_overlapping_storages = Some("on".into());
    })
    .await;
    let workspace = strict.workspace().await;
    let first = again(&stub, &strict, &workspace, "team").await;
    let first = first.finish().await;
    let dialog = again(&stub, &strict, &workspace, "team/inner").await;
    dialog.check().await.works();
    let refused = dialog.complete().await.problem(409, "storage_overlaps");
    assert_eq!(refused["storage_ids"], json!([first["id"]]));
    dialog.patch(json!({"prefix": "other"})).await.expect(200);
    dialog.finish().await;
}

#[tokio::test]
async fn the_built_in_storage_is_a_folder_for_each_workspace() {
    let vendor = Emulator::vendor().await;
    let app = TestApp::spawn_on(&vendor.sdk_config, |options| {
        options.built_in_bucket = Some(vendor.bucket.clone());
        options.allowed_origins = Some(ORIGIN.into());
    })
    .await;
    let (first, second) = (app.workspace().await, app.workspace().await);
    let s3 = s3_client(&vendor.sdk_config);
    let put = async |key: String| {
        let put = s3.put_object().bucket(&vendor.bucket).key(key);
        put.body(ByteStream::from_static(b"hello"))
            .send()
            .await
            .unwrap();
    };
    put(format!("workspaces/{}/own.txt", first.id)).await;
    put(format!("workspaces/{}/other.txt", second.id)).await;
    put(format!("workspaces/{}x/outside.txt", first.id)).await;
    let list = app
        .get("/v1/storages/built-in/files?recursive=true", &first.member)
        .await
        .expect(200);
    let keys: Vec<_> = list["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["key"].clone())
        .collect();
    assert_eq!(keys, ["/own.txt"]);
    let read = async |key: &str| {
        let path = format!("/v1/storages/built-in/files/content?key={key}");
        app.get(&path, &first.member).await.status.as_u16()
    };
    assert_eq!(read("/own.txt").await, 200);
    assert_eq!(read("/other.txt").await, 404);
    let over = format!("/../{}/other.txt", second.id);
    assert_eq!(read(&over).await, 422);
    let view = app
        .get("/v1/storages/built-in", &first.member)
        .await
        .expect(200);
    assert_eq!(view["id"], "built-in");
    assert_eq!(view["prefix"], format!("workspaces/{}/", first.id));
    assert_eq!(view["is_default"], true);

    // Where the bucket is, is known by now.
    let location = "/v1/storages/built-in/location";
    let location = app.get(location, &first.member).await.expect(200);
    assert_eq!(view["region"], location["region"]);
    assert!(view["region"].is_string(), "{view}");

    // The service's own bucket is checked like another; its CORS rules are the operator's, and it has none.
    let check = "/v1/storages/built-in/check";
    let report = Report::of(&app.post(check, &first.admin, &json!({})).await).works();
    assert_eq!(report.status("delete_object"), "passed");
    assert_eq!(report.status("cors"), "skipped");
    let checks = app.get("/v1/storages/built-in/checks", &first.admin).await;
    assert_eq!(checks.expect(200)["checks"], json!([]));

    let bare = app_on(&vendor.sdk_config).await;
    let workspace = bare.workspace().await;
    let answer = bare
        .get("/v1/storages/built-in/files", &workspace.member)
        .await;
    answer.problem(409, "built_in_storage_not_configured");
    for below in ["/documents", "/checks"] {
        let path = format!("/v1/storages/built-in{below}");
        let answer = bare.get(&path, &workspace.admin).await;
        answer.problem(409, "built_in_storage_not_configured");
    }
}

#[tokio::test]
async fn the_built_in_storage_has_documents_without_a_role_and_stays_as_it_is() {
    let vendor = Emulator::vendor().await;
    let app = TestApp::spawn_on(&vendor.sdk_config, |options| {
        options.built_in_bucket = Some(vendor.bucket.clone());
        options.allowed_origins = Some(ORIGIN.into());
    })
    .await;
    let workspace = app.workspace().await;
    let admin = &workspace.admin;
    let path = "/v1/storages/built-in";
    let documents = app.get(&format!("{path}/documents"), admin).await;
    let documents = documents.expect(200);
    for absent in [
        "trust_policy",
        "bucket_policy",
        "cli",
        "cloudformation",
        "terraform",
    ] {
        assert_eq!(documents[absent], json!(null), "{absent}");
    }
    let policy = documents["permission_policy"].to_string();
    let objects = format!("{}/workspaces/{}/*", vendor.bucket, workspace.id);
    assert!(policy.contains(&objects), "{policy}");
    assert_eq!(documents["cors"][0]["AllowedOrigins"], json!([ORIGIN]));
    let temp = format!("workspaces/{}/temp/", workspace.id);
    assert_eq!(documents["lifecycle"]["Rules"][0]["Filter"]["Prefix"], temp);
    let file = app
        .get(&format!("{path}/documents/permission_policy"), admin)
        .await;
    assert_eq!(file.expect(200), documents["permission_policy"]);
    let absent = app
        .get(&format!("{path}/documents/trust_policy"), admin)
        .await;
    absent.problem(404, "not_found");
    let of_member = app
        .get(&format!("{path}/documents"), &workspace.member)
        .await;
    of_member.problem(403, "admin_required");

    let fixed = "built_in_storage";
    let body = json!({"display_name": "Mine"});
    app.patch(path, admin, &body).await.problem(409, fixed);
    app.delete(path, admin).await.problem(409, fixed);
    let pending = format!("{path}/pending");
    app.delete(&pending, admin).await.problem(409, fixed);
    let check = format!("{path}/check?pending=true");
    let answer = app.post(&check, admin, &json!({})).await;
    answer.problem(409, "no_pending_change");
    let of_member = app.patch(path, &workspace.member, &body).await;
    of_member.problem(403, "admin_required");
}
