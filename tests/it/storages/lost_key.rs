//! The master key is lost: what dies with it, and what goes on.

use crate::application::clock::SystemClock;
use crate::application::kept::rekey::Rekey;
use crate::application::kept::store::SealedColumn;
use crate::application::lost_key::{LostKey, LostKeyError};
use crate::cli::keys::{self, ReplaceArguments};
use crate::cli::provision::Consent;
use crate::it::connections::custom_endpoints::user_key;
use crate::it::keys::{key, secret, starts, vault, with};
use crate::it::storages::api::Stored;
use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use crate::it::support::database::{TestDb, on_both_engines};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Scene};
use crate::settings::Options;
use crate::startup::StartError;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

on_both_engines!(
    what_the_lost_key_sealed_dies_and_the_rest_goes_on,
    a_key_that_is_there_is_not_lost,
    nothing_dies_before_somebody_agrees,
);

/// The service on this database, with the emulator.
async fn start(db: &TestDb, key: &str) -> TestApp {
    let vendor = Emulator::vendor().await;
    TestApp::spawn_on(&vendor.sdk_config, |options| {
        with(db, key, "")(options);
        options.service_principal = None;
        options.allowed_origins = Some(ORIGIN.into());
        options.endpoint_networks = Some("127.0.0.0/8".into());
    })
    .await
}

fn lost_key(db: &TestDb, key: &str) -> LostKey {
    LostKey {
        store: Arc::new(db.database.clone()),
        vault: Arc::new(vault(key, &[])),
        clock: Arc::new(SystemClock),
    }
}

async fn once(app: &TestApp) -> Answer {
    let request = app
        .request(Method::POST, "/v1/workspaces", OPERATOR)
        .header("idempotency-key", "once")
        .header("content-type", "application/json")
        .body(json!({"name": "Once"}).to_string());
    Answer::of(request).await
}

/// A storage by an access key. Gives its path, and the key.
pub async fn by_key(app: &TestApp, workspace: &TestWorkspace) -> (String, (String, String)) {
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "team/a.txt", "hello").await;
    let methods = ["GET", "PUT", "POST", "HEAD", "DELETE"];
    customer.put_cors(&bucket, &[ORIGIN], &methods).await;
    let settings = json!({"bucket": bucket, "prefix": "team", "auth": "access_key"});
    let dialog = Dialog::open_in(app, workspace.clone(), settings).await;
    let documents = dialog.documents().await;
    let (id, secret) = user_key(&customer, &documents["permission_policy"]).await;
    let key = json!({
        "access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url(),
    });
    dialog.patch(key).await.expect(200);
    let path = Stored::of(&dialog).await.path;
    (path, (id, secret))
}

fn lost(counts: &[crate::application::lost_key::SealedCount], column: SealedColumn) -> u64 {
    let count = counts.iter().find(|count| count.column == column);
    count.unwrap().lost
}

async fn what_the_lost_key_sealed_dies_and_the_rest_goes_on(db: TestDb) {
    let (old, new) = (key(), key());
    let app = start(&db, &old).await;
    let workspace = app.workspace().await;
    let by_role = Scene::on(Emulator).connect_in(&app, &workspace).await;
    by_role.put("/a.txt", "text").await;
    let role_path = by_role.path("");
    let role_before = app.get(&role_path, &workspace.admin).await.expect(200);
    let (path, (id, secret_key)) = by_key(&app, &workspace).await;
    let open_setup = app
        .post("/v1/storage-setups", &workspace.admin, &secret())
        .await
        .expect(201);
    let hook = json!({"url": "https://127.0.0.1:9/hooks"});
    let hook = app.post("/v1/webhooks", &workspace.admin, &hook).await;
    let hook = hook.expect(201)["id"].as_str().unwrap().to_owned();
    let hook = format!("/v1/webhooks/{hook}");
    once(&app).await.expect(201);
    app.stop().await.unwrap();

    // The refusal names the way out.
    let refused = starts(&db, &new, "").await.unwrap_err();
    assert!(matches!(refused, StartError::WrongMasterKey), "{refused}");
    let said = refused.to_string();
    assert!(said.contains("sallyport keys replace --lost"), "{said}");

    let work = lost_key(&db, &new);
    let counts = work.survey().await.unwrap();
    assert_eq!(lost(&counts, SealedColumn::StorageSecrets), 1);
    assert!(lost(&counts, SealedColumn::SetupSecrets) >= 1);
    assert_eq!(lost(&counts, SealedColumn::WebhookSecrets), 1);
    assert_eq!(lost(&counts, SealedColumn::IdempotentAnswers), 1);
    assert_eq!(work.survey().await.unwrap(), counts, "it changes nothing");
    assert_eq!(work.replace().await.unwrap(), counts);
    let again = work.survey().await;
    assert!(matches!(again, Err(LostKeyError::NotLost)), "{again:?}");

    let app = start(&db, &new).await;
    // Roles go on, with the same external ID.
    let role_after = app.get(&role_path, &workspace.admin).await.expect(200);
    assert_eq!(role_after["external_id"], role_before["external_id"]);
    assert_ne!(role_after["health"]["state"], "broken");
    let files = app.get(&by_role.path("/files"), &workspace.member).await;
    assert_eq!(files.expect(200)["files"][0]["key"], "/a.txt");

    let storage = Stored {
        app: &app,
        workspace: &workspace,
        path,
    };
    let health = storage.get().await["health"].clone();
    assert_eq!(
        (&health["state"], &health["code"]),
        (&json!("broken"), &json!("credentials_lost"))
    );
    let below = format!("{}/files", storage.path);
    let listed = app.get(&below, &workspace.admin).await;
    let problem = listed.problem(424, "storage_credentials_rejected");
    assert_eq!(problem["cause"], "credentials_lost", "{problem:#}");
    // A check finds the same.
    let report = storage.check().await;
    assert_eq!(report.code("get_bucket_location"), Some("credentials_lost"));
    assert_eq!(storage.get().await["health"]["code"], "credentials_lost");

    // Its owner enters the key again.
    let again = json!({"access_key_id": id, "secret_access_key": secret_key});
    storage.patch(again).await.expect(200);
    storage.check_pending().await.works();
    assert_eq!(storage.get().await["health"]["state"], "healthy");
    storage.files().await.expect(200);

    // What was done once is not done twice, and is no 500.
    once(&app).await.problem(409, "kept_response_lost");
    let names = app.get("/v1/workspaces", OPERATOR).await.expect(200);
    let made = names["workspaces"].as_array().unwrap().iter();
    assert_eq!(made.filter(|one| one["name"] == "Once").count(), 1);

    // The webhook is silent until it has a secret that somebody knows.
    let shown = app.get(&hook, &workspace.admin).await.expect(200);
    assert_eq!(shown["is_enabled"], false);
    let rotate = format!("{hook}/rotate-secret");
    let rotated = app.post(&rotate, &workspace.admin, &json!({})).await;
    assert!(rotated.expect(200)["secret"].is_string());
    let enabled = json!({"is_enabled": true});
    app.patch(&hook, &workspace.admin, &enabled)
        .await
        .expect(200);

    // A setup is where it was, without the secret.
    let setup = format!("/v1/storage-setups/{}", open_setup["id"].as_str().unwrap());
    let setup = app.get(&setup, &workspace.admin).await.expect(200);
    assert_eq!(setup["external_id"], open_setup["external_id"]);

    let log = app.get("/v1/audit-events?page_size=1000", OPERATOR).await;
    let log = log.expect(200);
    let events: Vec<&Value> = log["audit_events"].as_array().unwrap().iter().collect();
    let of = |action: &str| {
        let mut events = events.iter();
        events.any(|event| event["action"] == action && event["result"] == "done")
    };
    assert!(of("replace_lost_master_key"), "{log:#}");
    let told = events.iter().find(|event| {
        event["action"] == "storage.health_changed" && event["code"] == "credentials_lost"
    });
    assert_eq!(told.unwrap()["target"], storage.id());
    let feed = app.get("/v1/events?types=storage.broken", &workspace.admin);
    let feed = feed.await.expect(200);
    assert_eq!(feed["events"][0]["data"]["code"], "credentials_lost");
    app.stop().await.unwrap();

    // Nothing is left that the new key does not open.
    let newest = key();
    let rekey = Rekey {
        store: Arc::new(db.database.clone()),
        vault: Arc::new(vault(&newest, &[&new])),
        settle: Duration::from_millis(50),
    };
    rekey.run().await.unwrap();
}

async fn a_key_that_is_there_is_not_lost(db: TestDb) {
    // A database without any key has lost none.
    let own = key();
    let nothing = lost_key(&db, &own).replace().await;
    assert!(matches!(nothing, Err(LostKeyError::NotLost)), "{nothing:?}");
    starts(&db, &own, "").await.unwrap();
    let there = lost_key(&db, &own).replace().await;
    assert!(matches!(there, Err(LostKeyError::NotLost)), "{there:?}");
}

async fn nothing_dies_before_somebody_agrees(db: TestDb) {
    let (old, new) = (key(), key());
    starts(&db, &old, "").await.unwrap();
    let work = lost_key(&db, &new);
    let replace = async |yes: bool, consent: Consent| {
        let arguments = ReplaceArguments {
            lost: true,
            yes,
            options: Options::default(),
        };
        let mut out = Vec::new();
        let done = keys::replace(&arguments, &work, || Ok(consent), &mut out).await;
        (done, String::from_utf8(out).unwrap())
    };
    for consent in [Consent::Refused, Consent::NobodyToAsk] {
        let (done, said) = replace(false, consent).await;
        assert!(done.is_err());
        assert!(said.contains("secrets of storages: 0 lost"), "{said}");
        assert!(said.contains("external IDs stay"), "{said}");
    }
    // The old key still does, because nothing was changed.
    starts(&db, &old, "").await.unwrap();
    let (done, said) = replace(true, Consent::NobodyToAsk).await;
    done.unwrap();
    assert!(said.contains("0 values were given up"), "{said}");
    starts(&db, &new, "").await.unwrap();
    assert!(starts(&db, &old, "").await.is_err());
}
