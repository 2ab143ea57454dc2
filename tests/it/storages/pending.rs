//! Changes of a storage: what was proved stays in use until the change has passed its check.

use crate::it::connections::custom_endpoints::{app_allowing, user_key};
use crate::it::storages::api::{Stored, damage, rows};
use crate::it::support::app::{ORIGIN, app_on, logs};
use crate::it::support::aws::stub::{AwsStub, role_denied};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Scene};
use serde_json::{Value, json};

const OTHER_ROLE: &str = "arn:aws:iam::222222222222:role/other";

/// Which roles were assumed, in order.
fn assumed(stub: &AwsStub) -> Vec<String> {
    let calls = stub.of("AssumeRole").into_iter();
    calls
        .filter_map(|call| call.request.form("RoleArn"))
        .collect()
}

/// The other role lets nobody in.
fn refuse_other_role(stub: &AwsStub) {
    stub.when(|request| {
        let role = request.form("RoleArn");
        (role.as_deref() == Some(OTHER_ROLE)).then(role_denied)
    });
}

#[tokio::test]
async fn a_changed_role_is_used_only_when_it_has_passed_its_check() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    storage.files().await.expect(200);
    let before = storage.get().await;
    refuse_other_role(&stub);

    stub.clear();
    let changed = storage.patch(json!({"role_arn": OTHER_ROLE})).await;
    let changed = changed.expect(200);
    assert_eq!(stub.log().len(), 0, "a change asks nothing of AWS");
    let pending = &changed["pending"];
    assert_eq!(pending["role_arn"], OTHER_ROLE);
    assert_eq!(pending["changes"], json!(["role_arn"]));
    assert_eq!(pending["last_check"], json!(null));
    let mut without = changed.clone();
    without["pending"] = json!(null);
    assert_eq!(without, before);
    // The session is the one of before: no other role is assumed, and not the same one again.
    storage.files().await.expect(200);
    assert_eq!(assumed(&stub), Vec::<String>::new());

    let failed = storage.check_pending().await.role_refused();
    let after = storage.get().await;
    assert_eq!(after["health"], before["health"]);
    assert_eq!(after["role_arn"], before["role_arn"]);
    assert_eq!(after["pending"]["last_check"], failed.0);
    stub.clear();
    storage.files().await.expect(200);
    assert!(!assumed(&stub).contains(&OTHER_ROLE.to_owned()));
    // The history is of what is in use.
    let history = format!("{}/checks", storage.path);
    let history = async || app.get(&history, &dialog.workspace.admin).await.expect(200);
    assert_eq!(history().await["checks"].as_array().unwrap().len(), 1);
    // Its own check is of the role that is in use.
    stub.clear();
    storage.check().await.works();
    assert!(!assumed(&stub).contains(&OTHER_ROLE.to_owned()));
    assert_eq!(storage.get().await["pending"]["last_check"], failed.0);

    stub.forget_rules();
    let passed = storage.check_pending().await.works();
    let now = storage.get().await;
    assert_eq!(now["role_arn"], OTHER_ROLE);
    assert_eq!(
        (&now["pending"], &now["verified"]),
        (&json!(null), &json!(true))
    );
    assert_eq!(now["health"]["last_check_id"], passed.0["id"]);
    assert_eq!(history().await["checks"][0]["id"], passed.0["id"]);
    stub.clear();
    storage.files().await.expect(200);
    assert_eq!(assumed(&stub), [OTHER_ROLE]);
}

#[tokio::test]
async fn changes_add_up_and_a_change_back_is_free() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    let own_role = stub.role_arn();
    let none: [&str; 0] = [];
    for (change, waits) in [
        (json!({"access": "read"}), &["access"][..]),
        (json!({"role_arn": OTHER_ROLE}), &["access", "role_arn"][..]),
        (json!({"access": "read_write"}), &["role_arn"][..]),
        // The name is none of it.
        (json!({"display_name": "New"}), &["role_arn"][..]),
        (
            json!({"browser_access": false}),
            &["browser_access", "role_arn"][..],
        ),
        (
            json!({"role_arn": own_role, "browser_access": null}),
            &none[..],
        ),
        (json!({"role_arn": own_role}), &none[..]),
    ] {
        let changed = storage.patch(change.clone()).await.expect(200);
        let mut changes = match &changed["pending"] {
            Value::Null => Vec::new(),
            pending => serde_json::from_value::<Vec<String>>(pending["changes"].clone()).unwrap(),
        };
        changes.sort();
        assert_eq!(changes, waits, "{change}");
        assert_eq!(changed["verified"], true);
        assert_eq!(changed["role_arn"], own_role);
        storage.files().await.expect(200);
    }
    assert_eq!(storage.get().await["display_name"], "New");
    // A change back needed no check.
    let path = format!("{}/check?pending=true", storage.path);
    let answer = app.post(&path, &dialog.workspace.admin, &json!({})).await;
    answer.problem(409, "no_pending_change");
    assert_eq!(rows(&app, "SELECT COUNT(*) FROM checks").await, 1);
}

#[tokio::test]
async fn a_change_can_be_taken_back_and_is_for_admins() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    let (admin, member) = (&dialog.workspace.admin, &dialog.workspace.member);
    let before = storage.get().await;
    storage
        .patch(json!({"role_arn": OTHER_ROLE}))
        .await
        .expect(200);
    assert!(storage.get().await["pending"].is_object());
    let list = app.get("/v1/storages", admin).await.expect(200);
    assert_eq!(list["storages"][0], storage.get().await);
    let seen = app.get(&storage.path, member).await.expect(200);
    assert_eq!(seen["pending"], json!(null));
    let list = app.get("/v1/storages", member).await.expect(200);
    assert_eq!(list["storages"][0]["pending"], json!(null));

    // The documents are those of either.
    let documents = async |query: &str| {
        let path = format!("{}/documents/terraform{query}", storage.path);
        app.get(&path, admin).await
    };
    let waiting = documents("?pending=true").await;
    assert!(waiting.text.contains("\"other\""), "{}", waiting.text);
    assert!(!documents("").await.text.contains("\"other\""));

    let pending = format!("{}/pending", storage.path);
    let check = format!("{}/check?pending=true", storage.path);
    let refused = "admin_required";
    app.delete(&pending, member).await.problem(403, refused);
    let answer = app.post(&check, member, &json!({})).await;
    answer.problem(403, refused);
    let stranger = app.workspace().await.admin;
    let absent = app.delete(&pending, &stranger).await;
    absent.problem(404, "not_found");
    let answer = app.post(&check, &stranger, &json!({})).await;
    answer.problem(404, "not_found");

    for _ in 0..2 {
        assert_eq!(app.delete(&pending, admin).await.status, 204);
    }
    assert_eq!(storage.get().await, before);
    documents("?pending=true")
        .await
        .problem(409, "no_pending_change");

    storage
        .patch(json!({"role_arn": OTHER_ROLE}))
        .await
        .expect(200);
    storage.check_pending().await.works();
    // Who changed what, and when it came into use.
    let log = app.get("/v1/audit-events", admin).await.expect(200);
    let actions: Vec<&str> = log["audit_events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["target"] == storage.id() && event["result"] == "done")
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions[..4],
        [
            "use_pending_change",
            "change_storage",
            "discard_pending_change",
            "discard_pending_change"
        ],
        "{log:#}"
    );
}

#[tokio::test]
async fn a_new_access_key_waits_beside_the_old_one() {
    let app = app_allowing("127.0.0.0/8").await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "team/a.txt", "hello").await;
    let methods = ["GET", "PUT", "POST", "HEAD", "DELETE"];
    customer.put_cors(&bucket, &[ORIGIN], &methods).await;
    let settings = json!({"bucket": bucket, "prefix": "team", "auth": "access_key"});
    let dialog = Dialog::open(&app, settings).await;
    let documents = dialog.documents().await;
    let policy = &documents["permission_policy"];
    let (id, secret) = user_key(&customer, policy).await;
    let (next_id, next_secret) = user_key(&customer, policy).await;
    let key = json!({
        "access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url(),
    });
    dialog.patch(key).await.expect(200);
    let storage = Stored::of(&dialog).await;
    storage.files().await.expect(200);
    let since = storage.get().await["access_key_set_at"].clone();
    assert!(since.is_string());
    let waiting = "SELECT COUNT(*) FROM pending_connections WHERE secret IS NOT NULL";

    // The same secret is no change, however it is sealed.
    let same = storage.patch(json!({"secret_access_key": secret})).await;
    assert_eq!(same.expect(200)["pending"], json!(null));

    // A wrong one is found out before it is used.
    let wrong = "0123456789012345678901234567890123456789";
    let changed = storage.patch(json!({"secret_access_key": wrong})).await;
    let changed = changed.expect(200);
    assert_eq!(changed["pending"]["changes"], json!(["secret_access_key"]));
    let report = storage.check_pending().await;
    assert_eq!(report.code("list_bucket"), Some("secret_wrong"));
    storage.files().await.expect(200);
    assert_eq!(storage.get().await["health"]["state"], "healthy");

    // The right one, in two steps.
    let changed = storage.patch(json!({"access_key_id": next_id})).await;
    assert_eq!(
        changed.expect(200)["pending"]["changes"],
        json!(["access_key_id", "secret_access_key"])
    );
    assert_eq!(storage.check_pending().await.0["outcome"], "failed");
    let changed = storage
        .patch(json!({"secret_access_key": next_secret}))
        .await;
    changed.expect(200);
    storage.files().await.expect(200);
    assert_eq!(rows(&app, waiting).await, 1);
    storage.check_pending().await.works();
    assert_eq!(rows(&app, waiting).await, 0);
    let now = storage.get().await;
    assert_eq!(now["access_key_id"], next_id);
    let replaced = now["access_key_set_at"].clone();
    assert!(replaced.as_str().unwrap() > since.as_str().unwrap());
    assert_eq!(now["access_key_warning"], json!(null));
    storage.files().await.expect(200);
    storage.check().await.works();

    // A change of something else keeps the secret that was proved.
    storage.patch(json!({"access": "read"})).await.expect(200);
    storage.check_pending().await.works();
    storage.files().await.expect(200);
    assert_eq!(storage.get().await["access_key_set_at"], replaced);

    // A hundred days later.
    damage(
        &app,
        "UPDATE storages SET access_key_set_at = access_key_set_at - 8640000000000",
    )
    .await;
    let old = storage.get().await;
    assert_eq!(old["access_key_warning"]["days"], 100);
    let said = old["access_key_warning"]["detail"].as_str().unwrap();
    assert!(said.contains("given to us 100 days ago"), "{said}");

    // What is taken back is gone.
    storage
        .patch(json!({"secret_access_key": wrong}))
        .await
        .expect(200);
    assert_eq!(rows(&app, waiting).await, 1);
    let pending = format!("{}/pending", storage.path);
    let gone = app.delete(&pending, &dialog.workspace.admin).await;
    assert_eq!(gone.status, 204);
    assert_eq!(rows(&app, waiting).await, 0);
    storage.files().await.expect(200);

    for text in [&secret, &next_secret, wrong] {
        assert!(!logs().contains(text));
        for file in std::fs::read_dir(app.folder.path()).unwrap().flatten() {
            let bytes = std::fs::read(file.path()).unwrap();
            let mut parts = bytes.windows(text.len());
            assert!(!parts.any(|part| part == text.as_bytes()));
        }
    }
}

#[tokio::test]
async fn two_changes_at_once_do_not_overwrite_each_other() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let storage = Stored::of(&dialog).await;
    for round in 0..5 {
        let role = json!({"role_arn": format!("{OTHER_ROLE}-{round}")});
        let access = json!({"kms_key_arn": format!(
            "arn:aws:kms:us-east-1:222222222222:key/0000000{round}"
        )});
        let (one, other) = tokio::join!(storage.patch(role), storage.patch(access));
        for answer in [&one, &other] {
            if answer.status != 200 {
                answer.problem(409, "changed_meanwhile");
            }
        }
        let pending = storage.get().await["pending"].clone();
        let took = |answer: &crate::it::support::app::Answer| answer.status == 200;
        let text = pending.to_string();
        assert!(
            !took(&one) || text.contains(&format!("other-{round}")),
            "{text}"
        );
        assert!(
            !took(&other) || text.contains(&format!("0000000{round}")),
            "{text}"
        );
        let path = format!("{}/pending", storage.path);
        app.delete(&path, &dialog.workspace.admin).await;
    }
}
