//! Changing the master key and the operator's token, while the service runs.

use crate::application::kept::master_key;
use crate::application::kept::rekey::{Rekey, RekeyError};
use crate::application::kept::store::{SealedColumn, SealedStore, Store};
use crate::application::kept::vault::{MasterKey, Purpose, Vault};
use crate::application::people::operator_token::replace_operator_token;
use crate::database::DatabaseUrl;
use crate::it::support::app::{OPERATOR, TestApp, no_aws};
use crate::it::support::database::{TestDb, on_both_engines};
use crate::settings::{Options, Settings};
use crate::startup::{self, StartError};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

on_both_engines!(
    the_master_key_is_changed_while_the_service_runs,
    a_key_that_is_still_in_use_is_not_forgotten,
    what_no_key_opens_stops_the_change,
    the_operator_s_token_is_replaced_while_the_service_runs,
);

/// A key's text.
pub fn key() -> String {
    MasterKey::generate().unwrap().1
}

pub fn vault(present: &str, previous: &[&str]) -> Vault {
    let parse = |text: &str| MasterKey::parse(text).unwrap();
    let previous: Vec<MasterKey> = previous.iter().map(|text| parse(text)).collect();
    Vault::with_previous(&parse(present), &previous).unwrap()
}

/// The settings of a service on this database.
pub fn with(db: &TestDb, key: &str, previous: &str) -> impl FnOnce(&mut Options) {
    let url = match &db.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(options) => {
            let server = std::env::var("SALLYPORT_TEST_POSTGRES_URL").unwrap();
            let mut url = url::Url::parse(&server).unwrap();
            url.set_path(options.get_database().unwrap());
            url.into()
        }
    };
    let (key, previous) = (key.to_owned(), previous.to_owned());
    move |options| {
        options.database_url = Some(url);
        options.master_key = Some(key);
        options.master_key_previous = Some(previous);
        // No AWS is asked.
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    }
}

pub async fn starts(db: &TestDb, key: &str, previous: &str) -> Result<(), StartError> {
    let mut options = Options {
        listen: Some("127.0.0.1:0".into()),
        operator_token: Some(OPERATOR.into()),
        ..Options::default()
    };
    with(db, key, previous)(&mut options);
    startup::build_with(Settings::parse(options).unwrap(), &no_aws())
        .await
        .map(drop)
}

fn rekey(db: &TestDb, vault: Vault) -> Rekey {
    Rekey {
        store: Arc::new(db.database.clone()),
        vault: Arc::new(vault),
        settle: Duration::from_millis(300),
    }
}

/// A setup's settings with an access key.
pub fn secret() -> Value {
    json!({
        "bucket": "datasets", "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    })
}

/// Everything sealed that this vault does not open, and how much there is.
async fn unreadable(db: &TestDb, vault: &Vault) -> (usize, usize) {
    let (mut unreadable, mut count) = (0, 0);
    for column in SealedColumn::ALL {
        let purpose = match column {
            SealedColumn::IdempotentAnswers => Purpose::IdempotentAnswer,
            SealedColumn::WebhookSecrets | SealedColumn::PreviousWebhookSecrets => {
                Purpose::WebhookSecret
            }
            _ => Purpose::AccessKeySecret,
        };
        for value in db.database.sealed_values(column, "", 10_000).await.unwrap() {
            count += 1;
            let opened = vault.open(purpose, value.place.as_bytes(), &value.sealed);
            unreadable += usize::from(opened.is_err());
        }
    }
    (unreadable, count)
}

/// Sends a request until it is not asked to come again, as a client does while the database is too busy.
macro_rules! again {
    ($request:expr, $status:literal) => {
        loop {
            let answer = $request.await;
            if answer.status != 503 {
                break answer.expect($status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
}

async fn the_master_key_is_changed_while_the_service_runs(db: TestDb) {
    let (old, new) = (key(), key());
    let first = TestApp::spawn_with(with(&db, &old, "")).await;
    let workspace = first.workspace().await;
    let mut setups = Vec::new();
    for _ in 0..5 {
        let setup = first
            .post("/v1/storage-setups", &workspace.admin, &secret())
            .await;
        let setup = setup.expect(201);
        setups.push(setup["id"].as_str().unwrap().to_owned());
    }
    let once = async |app: &TestApp| {
        let request = app
            .request(Method::POST, "/v1/workspaces", OPERATOR)
            .header("idempotency-key", "once")
            .header("content-type", "application/json")
            .body(json!({"name": "Once"}).to_string());
        crate::it::support::app::Answer::of(request)
            .await
            .expect(201)
    };
    let answer = once(&first).await;
    // Two secrets that sign: the one of before is kept too.
    let hook = json!({"url": "https://203.0.114.1/hooks"});
    let hook = first.post("/v1/webhooks", OPERATOR, &hook).await;
    let hook = hook.expect(201)["id"].as_str().unwrap().to_owned();
    let rotate = format!("/v1/webhooks/{hook}/rotate-secret");
    first.post(&rotate, OPERATOR, &json!({})).await.expect(200);
    let page = first
        .get("/v1/workspaces?page_size=1", OPERATOR)
        .await
        .expect(200);
    let token = page["next_page_token"].as_str().unwrap().to_owned();
    first.stop().await.unwrap();

    // The new key alone does not do, and nothing is changed by trying.
    for wrong in [starts(&db, &new, "").await, starts(&db, &key(), &new).await] {
        assert!(
            matches!(wrong, Err(StartError::WrongMasterKey)),
            "{wrong:?}"
        );
    }
    let second = TestApp::spawn_with(with(&db, &new, &old)).await;
    // What the previous key sealed is read on.
    assert_eq!(once(&second).await, answer);
    let next = format!("/v1/workspaces?page_size=1&page_token={token}");
    second.get(&next, OPERATOR).await.expect(200);
    let busy = Arc::new(AtomicBool::new(true));
    let rekey = rekey(&db, vault(&new, &[&old]));
    let work = async {
        let counts = rekey.run().await.unwrap();
        busy.store(false, Ordering::SeqCst);
        counts
    };
    // Others change setups all the while, and make new ones.
    let others = async {
        let mut requests = 0;
        while busy.load(Ordering::SeqCst) {
            let setup = &setups[requests % setups.len()];
            let path = format!("/v1/storage-setups/{setup}");
            let name = json!({"display_name": format!("{requests}")});
            again!(second.patch(&path, &workspace.admin, &name), 200);
            again!(
                second.post("/v1/storage-setups", &workspace.admin, &secret()),
                201
            );
            requests += 1;
        }
        requests
    };
    let (counts, requests) = tokio::join!(work, others);
    assert!(requests > 0);
    let setups_done = counts
        .iter()
        .find(|c| c.column == SealedColumn::SetupSecrets);
    assert!(setups_done.unwrap().resealed >= 5, "{counts:?}");
    let (left, count) = unreadable(&db, &vault(&new, &[])).await;
    assert_eq!((left, count > 5), (0, true));
    // Again there is nothing to do.
    let counts = rekey.run().await.unwrap();
    assert!(counts.iter().all(|count| count.resealed == 0), "{counts:?}");
    second.stop().await.unwrap();

    // The previous key is not needed any more, and does not do.
    starts(&db, &new, "").await.unwrap();
    let refused = starts(&db, &old, "").await;
    assert!(
        matches!(refused, Err(StartError::WrongMasterKey)),
        "{refused:?}"
    );
    let third = TestApp::spawn_with(with(&db, &new, "")).await;
    assert_eq!(once(&third).await, answer);
    third.get(&next, OPERATOR).await.refused_field("page_token");
    third.stop().await.unwrap();
}

/// A service that was not restarted says so again, and no start without its key follows.
async fn a_key_that_is_still_in_use_is_not_forgotten(db: TestDb) {
    let (old, new) = (key(), key());
    let store: &dyn Store = &db.database;
    let is_right = async |vault: Vault| master_key::is_right(store, &vault).await.unwrap();
    assert!(is_right(vault(&old, &[])).await);
    // Both are given to every service before the new one seals anything.
    assert!(is_right(vault(&old, &[&new])).await);
    assert!(is_right(vault(&new, &[&old])).await);
    rekey(&db, vault(&new, &[&old])).run().await.unwrap();
    assert!(is_right(vault(&new, &[])).await);
    assert!(!is_right(vault(&old, &[])).await);
    // One that still seals with the old key.
    assert!(is_right(vault(&old, &[&new])).await);
    assert!(!is_right(vault(&new, &[])).await);
    rekey(&db, vault(&new, &[&old])).run().await.unwrap();
    assert!(is_right(vault(&new, &[])).await);
}

async fn what_no_key_opens_stops_the_change(db: TestDb) {
    let (old, new) = (key(), key());
    let app = TestApp::spawn_with(with(&db, &old, "")).await;
    let workspace = app.workspace().await;
    for _ in 0..2 {
        let setup = app
            .post("/v1/storage-setups", &workspace.admin, &secret())
            .await;
        setup.expect(201);
    }
    app.stop().await.unwrap();
    let value = db
        .database
        .sealed_values(SealedColumn::SetupSecrets, "", 1)
        .await
        .unwrap()
        .remove(0);
    let replaced = db
        .database
        .replace_sealed(SealedColumn::SetupSecrets, &value, &[0; 60]);
    assert_eq!(replaced.await, Ok(true));
    // It is not what was read any more.
    let replaced = db
        .database
        .replace_sealed(SealedColumn::SetupSecrets, &value, &[1; 60]);
    assert_eq!(replaced.await, Ok(false));
    let done = rekey(&db, vault(&new, &[&old])).run().await;
    assert!(matches!(done, Err(RekeyError::Unreadable(1))), "{done:?}");
    assert_eq!(unreadable(&db, &vault(&new, &[])).await, (1, 2));
    let refused = starts(&db, &new, "").await;
    assert!(
        matches!(refused, Err(StartError::WrongMasterKey)),
        "{refused:?}"
    );
}

async fn the_operator_s_token_is_replaced_while_the_service_runs(db: TestDb) {
    use secrecy::ExposeSecret;
    let app = TestApp::spawn_with(|options| {
        with(&db, &key(), "")(options);
        options.operator_token = None;
    })
    .await;
    // The one that the start printed is not known here: the first replacement is.
    let first = replace_operator_token(&db.database).await.unwrap();
    let list = async |token: &str| app.get("/v1/workspaces", token).await.status.as_u16();
    let until = async |token: &str, status| {
        for _ in 0..100 {
            if list(token).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not {status} within ten seconds");
    };
    until(first.expose_secret(), 200).await;
    let acme = json!({"name": "Acme"});
    let made = app
        .post("/v1/workspaces", first.expose_secret(), &acme)
        .await;
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/workspaces/{id}/tokens");
    let body = json!({"name": "test", "role": "admin"});
    let admin = app
        .post(&path, first.expose_secret(), &body)
        .await
        .expect(201);
    let second = replace_operator_token(&db.database).await.unwrap();
    until(second.expose_secret(), 200).await;
    assert_eq!(list(first.expose_secret()).await, 401);
    // Others keep theirs.
    let admin = admin["token"].as_str().unwrap();
    app.get("/v1/workspace", admin).await.expect(200);
    app.stop().await.unwrap();
}
