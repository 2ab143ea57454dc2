//! Buckets and folders to choose from, before a connection is finished.

use crate::it::connections::custom_endpoints::{app_allowing, user_key};
use crate::it::support::app::{Answer, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::{Dialog, Scene};
use serde_json::{Value, json};

async fn ask(dialog: &Dialog<'_>, below: &str) -> Answer {
    let path = dialog.path(below);
    dialog.app.get(&path, &dialog.workspace.admin).await
}

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

fn allow(mut policy: Value, action: &str, resource: &str) -> Value {
    let more = json!({"Effect": "Allow", "Action": [action], "Resource": [resource]});
    policy["Statement"].as_array_mut().unwrap().push(more);
    policy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_lists_what_it_may() {
    let app = TestApp::spawn_on_emulator().await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let (dialog, customer) = (&applied.dialog, &applied.customer);
    for key in ["team/x.txt", "team/inner/y.txt", "other/z.txt", "a b/ü.txt"] {
        customer.put_object(&applied.bucket, key, "x").await;
    }
    // What the documents do not grant is named.
    let denied = ask(dialog, "/buckets").await;
    let problem = denied.problem(424, "storage_access_denied");
    let missing = json!([{"action": "s3:ListAllMyBuckets", "resource": "*"}]);
    assert_eq!(problem["missing"], missing, "{problem:#}");

    let policy = allow(applied.permissions.clone(), "s3:ListAllMyBuckets", "*");
    let name = format!("{}-eu", applied.bucket);
    let further = customer.create_bucket_in(&name, "eu-west-1").await;
    customer
        .s3_in("eu-west-1")
        .put_object()
        .bucket(&further)
        .key("deep/er/a")
        .send()
        .await
        .unwrap();
    let arn = format!("arn:aws:s3:::{further}");
    let policy = allow(policy, "s3:ListBucket", &arn);
    customer
        .put_role(&applied.role, &applied.trust, &policy)
        .await;

    let listed = ask(dialog, "/buckets").await.expect(200);
    let mut found = names(&listed["buckets"]);
    found.sort_unstable();
    assert_eq!(found, [applied.bucket.as_str(), further.as_str()]);
    let options = ask(dialog, "/buckets?format=options").await.expect(200);
    assert_eq!(options.as_array().unwrap().len(), 2);
    assert_eq!(options[0]["text"], options[0]["value"]);

    let root = ask(dialog, "/folders").await.expect(200);
    assert_eq!(root["folder"], "/");
    assert_eq!(names(&root["folders"]), ["a b", "other", "team"]);
    assert_eq!(root["folders"][2]["key"], "/team/");
    let inner = ask(dialog, "/folders?folder=/team").await.expect(200);
    assert_eq!(inner["folder"], "/team/");
    assert_eq!(
        inner["folders"],
        json!([{"key": "/team/inner/", "name": "inner"}])
    );
    // A chosen folder is a prefix as it is, and hides nothing of the bucket.
    dialog.patch(json!({"prefix": "/team/"})).await.expect(200);
    let root = ask(dialog, "/folders?folder=/").await.expect(200);
    assert_eq!(names(&root["folders"]), ["a b", "other", "team"]);

    // Page by page.
    let first = ask(dialog, "/folders?page_size=1").await.expect(200);
    assert_eq!(names(&first["folders"]).len(), 1);
    let token = first["next_page_token"].as_str().unwrap();
    let next = ask(
        dialog,
        &format!("/folders?page_size=100&page_token={token}"),
    )
    .await;
    assert_eq!(names(&next.expect(200)["folders"]).len(), 2);
    let elsewhere = ask(dialog, &format!("/folders?folder=/team&page_token={token}")).await;
    elsewhere.refused_field("page_token");

    // Another bucket, in another Region, by its address too.
    for bucket in [further.as_str(), arn.as_str()] {
        let other = ask(dialog, &format!("/folders?bucket={bucket}")).await;
        assert_eq!(names(&other.expect(200)["folders"]), ["deep"]);
    }
    ask(dialog, "/folders?bucket=x")
        .await
        .refused_field("bucket");
    ask(dialog, "/folders?folder=/a/../b")
        .await
        .refused_field("folder");
}

/// Otherwise an admin could name the role of another customer, and look around in its account.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_lets_others_in_lists_nothing() {
    let app = TestApp::spawn_on_emulator().await;
    let applied = Scene::on(Emulator).apply(&app).await;
    ask(&applied.dialog, "/folders").await.expect(200);
    let mut open = applied.trust.clone();
    open["Statement"][0]
        .as_object_mut()
        .unwrap()
        .remove("Condition");
    let stranger = Scene::on(Emulator).apply(&app).await;
    stranger.trust(&open).await;
    for below in ["/buckets", "/folders"] {
        let refused = ask(&stranger.dialog, below).await;
        refused.problem(409, "role_not_proven");
    }
    // A role that is not there, or refuses us.
    let absent = json!({"role_arn": format!("{}x", applied.role_arn)});
    applied.dialog.patch(absent).await.expect(200);
    for below in ["/buckets", "/folders"] {
        let refused = ask(&applied.dialog, below).await;
        refused.problem(424, "role_refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_key_lists_what_it_may() {
    let app = app_allowing("127.0.0.0/8").await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "team/a.txt", "hello").await;
    let dialog = Dialog::open(&app, json!({"auth": "access_key"})).await;
    let incomplete = ask(&dialog, "/buckets").await;
    let problem = incomplete.problem(409, "setup_incomplete");
    assert_eq!(problem["errors"][0]["field"], "access_key_id");
    assert_eq!(problem["errors"][1]["field"], "secret_access_key");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "s3:ListBucket"], "Resource": ["*"]}
    ]});
    let (id, secret) = user_key(&customer, &policy).await;
    let key = json!({
        "access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url(),
    });
    dialog.patch(key).await.expect(200);
    let listed = ask(&dialog, "/buckets").await.expect(200);
    assert_eq!(names(&listed["buckets"]), [bucket.as_str()]);
    let incomplete = ask(&dialog, "/folders").await;
    let problem = incomplete.problem(409, "setup_incomplete");
    assert_eq!(problem["errors"][0]["field"], "bucket");
    let folders = ask(&dialog, &format!("/folders?bucket={bucket}")).await;
    assert_eq!(names(&folders.expect(200)["folders"]), ["team"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_for_the_setup_s_admins() {
    let app = TestApp::spawn_on_emulator().await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let dialog = &applied.dialog;
    let other = app.workspace().await;
    for below in ["/buckets", "/folders"] {
        let path = dialog.path(below);
        let member = app.get(&path, &dialog.workspace.member).await;
        member.problem(403, "admin_required");
        app.get(&path, &other.admin).await.problem(404, "not_found");
    }
    dialog
        .app
        .delete(&dialog.path(""), &dialog.workspace.admin)
        .await;
    ask(dialog, "/folders").await.problem(409, "setup_closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_fills_the_fields() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let open = async |body: Value| {
        app.post("/v1/storage-setups", &workspace.admin, &body)
            .await
    };
    let console =
        "https://s3.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/";
    let setup = open(json!({"bucket": console})).await.expect(201);
    assert_eq!(setup["bucket"], "acme-data");
    assert_eq!(setup["prefix"], "team/");
    assert_eq!(setup["region"], "eu-west-1");
    let given = json!({"bucket": console, "prefix": "own", "region": ""});
    let setup = open(given).await.expect(201);
    assert_eq!(setup["prefix"], "own/");
    assert_eq!(setup["region"], json!(null));
    let point = json!({"bucket": "arn:aws:s3:eu-west-1:123456789012:accesspoint/a"});
    let refused = open(point).await;
    let problem = refused.refused_field("bucket");
    assert!(
        problem["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("access point")
    );
    // Every field that is wrong is named.
    let both = json!({"bucket": "https://example.com/x", "role_arn": "https://example.com/y"});
    let problem = open(both).await.problem(422, "invalid_request");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let role = "https://signin.aws.amazon.com/switchrole?roleName=acme&account=222222222222";
    let setup = open(json!({"role_arn": role})).await.expect(201);
    assert_eq!(setup["role_arn"], "arn:aws:iam::222222222222:role/acme");
}
