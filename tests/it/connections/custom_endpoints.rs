//! Access keys, and stores that are not AWS's.

use crate::it::setups::pages::{Browser, shows};
use crate::it::support::app::{Answer, ORIGIN, TestApp, logs};
use crate::it::support::aws::stub::{AwsStub, s3_error};
use crate::it::support::aws::wire::{Reply, Wire};
use crate::it::support::emulator::{Customer, Emulator, random_name};
use crate::it::support::scene::{Dialog, Report};
use futures_util::FutureExt;
use serde_json::{Value, json};

/// The service where customers' endpoints may be in these networks.
pub async fn app_allowing(networks: &str) -> TestApp {
    TestApp::spawn_on(&Emulator::vendor().await.sdk_config, |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.endpoint_networks = Some(networks.into());
    })
    .await
}

/// A user of the customer's with a key, which may do this.
pub async fn user_key(customer: &Customer, policy: &Value) -> (String, String) {
    let (iam, name) = (customer.iam(), random_name("user"));
    iam.create_user().user_name(&name).send().await.unwrap();
    let put = iam.put_user_policy().user_name(&name).policy_name("access");
    put.policy_document(policy.to_string())
        .send()
        .await
        .unwrap();
    let made = iam
        .create_access_key()
        .user_name(&name)
        .send()
        .await
        .unwrap();
    let key = made.access_key.unwrap();
    (key.access_key_id, key.secret_access_key)
}

#[tokio::test]
async fn an_access_key_connects_and_stays_secret() {
    let app = app_allowing("127.0.0.0/8").await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "team/a.txt", "hello").await;
    let methods = ["GET", "PUT", "POST", "HEAD", "DELETE"];
    customer.put_cors(&bucket, &[ORIGIN], &methods).await;
    let dialog = Dialog::open(
        &app,
        json!({"bucket": bucket, "prefix": "team", "auth": "access_key"}),
    )
    .await;
    let documents = dialog.documents().await;
    let (id, secret) = user_key(&customer, &documents["permission_policy"]).await;
    let check = app
        .post(&dialog.path("/check"), &dialog.workspace.admin, &json!({}))
        .await;
    check.problem(409, "setup_incomplete");
    let settings =
        json!({"access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url()});
    dialog.patch(settings).await.expect(200);
    let report = dialog.check().await.works();
    assert_eq!(
        report.with_status("skipped"),
        [
            "assume_role",
            "refuses_missing_external_id",
            "refuses_wrong_external_id",
            "bucket_owner"
        ]
    );
    let storage = dialog.complete().await.expect(201);
    assert_eq!(
        (&storage["auth"], &storage["access_key_id"]),
        (&json!("access_key"), &json!(id))
    );
    assert!(!storage.to_string().contains(&secret));
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    let files = app
        .get(&format!("{path}/files"), &dialog.workspace.member)
        .await
        .expect(200);
    assert_eq!(files["files"][0]["key"], "/a.txt");
    let answer = app
        .get(&format!("{path}/documents"), &dialog.workspace.admin)
        .await;
    // What applies at a store that has no IAM.
    let documents = answer.expect(200);
    for absent in [
        "trust_policy",
        "role",
        "user",
        "cli",
        "cloudformation",
        "terraform",
    ] {
        assert!(documents[absent].is_null(), "{absent}");
    }
    let admin = Browser::signed_in(&app, &dialog.workspace, "admin").await;
    let page = admin.get(&path.replace("/v1/", "/settings/")).await;
    shows(&page, 200, "What is applied at the store for this storage");
    shows(&page, 200, "S3 deletes files after 7 days");
    assert!(!page.text.contains("/documents/trust_policy"));
    for there in ["permission_policy", "cors", "lifecycle"] {
        assert!(!documents[there].is_null(), "{there}");
        shows(&page, 200, &format!("/documents/{there}\""));
    }
    for file in std::fs::read_dir(app.folder.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
    assert!(!logs().contains(&secret));

    // A wrong secret is reported as such.
    let wrong = json!({"secret_access_key": "0123456789012345678901234567890123456789"});
    app.patch(&path, &dialog.workspace.admin, &wrong)
        .await
        .expect(200);
    let answer = app
        .post(
            &format!("{path}/check?pending=true"),
            &dialog.workspace.admin,
            &json!({}),
        )
        .await;
    let report = Report::of(&answer);
    assert_eq!(report.0["outcome"], "failed");
    assert_eq!(report.code("list_bucket"), Some("secret_wrong"));
}

/// Stores differ in GetBucketLocation: some do not have it, some answer with Regions of their own. The other
/// steps decide whether the bucket can be used.
#[tokio::test]
async fn a_store_need_not_say_where_its_buckets_are() {
    let app = app_allowing("127.0.0.0/8").await;
    let own_region = "<LocationConstraint>a region of its own</LocationConstraint>";
    for (what, reply) in [
        ("not there", s3_error(501, "NotImplemented", "x")),
        ("no such method", s3_error(405, "MethodNotAllowed", "x")),
        ("no such key", s3_error(404, "NoSuchKey", "x")),
        ("refused", s3_error(400, "InvalidArgument", "x")),
        ("nonsense", Reply::answer(200, "not xml")),
        ("a name of its own", Reply::answer(200, own_region)),
    ] {
        let stub = AwsStub::start().await;
        stub.answer_to("GetBucketLocation", reply);
        let dialog = Dialog::open(&app, json!({
            "bucket": stub.bucket, "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "0123456789012345678901234567890123456789", "endpoint": stub.url,
        }))
        .await;
        let report = dialog.check().await;
        assert_eq!(
            report.0["outcome"], "passed_with_warnings",
            "{what} {:#}",
            report.0
        );
        assert_eq!(report.with_status("warning"), ["get_bucket_location"]);
        let code = report.code("get_bucket_location");
        assert_eq!(code, Some("location_not_supported"), "{what}");
        dialog.complete().await.expect(201);
    }
}

fn silent() -> Reply {
    Reply::answer(200, "")
}

#[tokio::test]
async fn an_endpoint_in_a_private_network_is_never_connected_to() {
    let app = app_allowing("192.0.2.0/24").await;
    let wire = Wire::serve(|_| async { silent() }.boxed()).await;
    let port = wire.url.rsplit(':').next().unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ] {
        let workspace = app.workspace().await;
        let dialog = Dialog::open_in(&app, workspace, json!({
            "bucket": "acme-data", "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "0123456789012345678901234567890123456789",
        }))
        .await;
        let endpoint = format!("http://{host}:{port}");
        let settings = json!({
            "endpoint": endpoint,
            "secret_access_key": "0123456789012345678901234567890123456789",
        });
        let answer = dialog.patch(settings).await;
        if answer.status == 422 {
            answer.refused_field("endpoint");
            continue;
        }
        answer.expect(200);
        let report = dialog.check().await;
        assert_eq!(report.0["outcome"], "failed", "{host}");
        assert_eq!(
            report.code("get_bucket_location"),
            Some("endpoint_not_allowed"),
            "{host} {:#}",
            report.0
        );
        dialog.refused().await;
    }
    assert_eq!(wire.log().len(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let app = app_allowing("127.0.0.1/32").await;
    let target = Wire::serve(|_| async { silent() }.boxed()).await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}/elsewhere", target.url);
        let wire = Wire::serve(move |_| {
            let reply = Reply::answer(status, "").with("location", &to);
            async move { reply }.boxed()
        })
        .await;
        let dialog = Dialog::open(&app, json!({
            "bucket": "acme-data", "auth": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "0123456789012345678901234567890123456789", "endpoint": wire.url,
        }))
        .await;
        let report = dialog.check().await;
        assert_eq!(report.0["outcome"], "failed", "{status}");
        // It was asked, so nothing passes for nothing.
        assert!(wire.log().len() > 1);
    }
    assert_eq!(target.log().len(), 0);
}

/// A store that names its Region itself, in GetBucketLocation and in what a signature must be for.
async fn store_in(region: &'static str) -> Wire {
    Wire::serve(move |request| {
        let signed_for = format!("/{region}/s3/aws4_request");
        let signature = request
            .headers
            .iter()
            .find(|(name, _)| name == "authorization")
            .map(|(_, value)| value.clone())
            .unwrap_or_default();
        let reply = if request.method == "OPTIONS" {
            Reply::answer(200, "")
                .with("access-control-allow-origin", ORIGIN)
                .with("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE")
                .with("access-control-allow-headers", "*")
        } else if request.target.contains("location") {
            Reply::answer(
                200,
                format!(
                    r#"<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{region}</LocationConstraint>"#
                ),
            )
        } else if !signature.contains(&signed_for) {
            Reply::answer(
                400,
                format!(
                    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting '{region}'</Message><Region>{region}</Region></Error>"
                ),
            )
        } else if request.target.contains("list-type") {
            Reply::answer(
                200,
                "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
            )
        } else {
            Reply::answer(404, "<Error><Code>NoSuchKey</Code></Error>")
        };
        async move { reply }.boxed()
    })
    .await
}

#[tokio::test]
async fn a_store_may_name_its_region_as_it_likes() {
    let app = app_allowing("127.0.0.0/8").await;
    for region in ["nyc3", "garage", "fr-par", "auto", "default"] {
        let wire = store_in(region).await;
        // Typed, and left to the check.
        for typed in [Some(region), None] {
            let dialog = Dialog::open(
                &app,
                json!({
                    "bucket": "acme-data", "access": "read", "auth": "access_key",
                    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
                    "secret_access_key": "0123456789012345678901234567890123456789",
                    "endpoint": wire.url, "region": typed,
                }),
            )
            .await;
            let report = dialog.check().await;
            assert_eq!(report.0["region"], region, "{:#}", report.0);
            assert_eq!(report.status("get_bucket_location"), "passed");
            if typed.is_some() {
                report.works();
                let storage = dialog.complete().await.expect(201);
                assert_eq!(storage["region"], region);
            }
        }
    }
}

#[tokio::test]
async fn without_an_endpoint_a_region_must_be_one_of_aws() {
    let app = app_allowing("127.0.0.0/8").await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    for region in ["nyc3", "garage", "us-isox-east-1", "EU-WEST-1", "a.b"] {
        let answer = dialog.patch(json!({"region": region})).await;
        answer.refused_field("region");
    }
    // A Region that is newer than this service.
    dialog
        .patch(json!({"region": "ca-east-1"}))
        .await
        .expect(200);
    // Taking the endpoint away takes the ground from under the name.
    let key =
        json!({"auth": "access_key", "endpoint": "https://store.example.com", "region": "fr-par"});
    dialog.patch(key).await.expect(200);
    let answer = dialog.patch(json!({"endpoint": null})).await;
    answer.refused_field("region");
}

#[tokio::test]
async fn another_endpoint_asks_for_the_secret_again() {
    let app = app_allowing("127.0.0.0/8").await;
    let wire = Wire::serve(|_| async { silent() }.boxed()).await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "a.txt", "hello").await;
    let settings =
        json!({"bucket": bucket, "access": "read", "auth": "access_key", "browser_access": false});
    let dialog = Dialog::open(&app, settings).await;
    let policy = dialog.documents().await["permission_policy"].take();
    let (id, secret) = user_key(&customer, &policy).await;
    let key = json!({
        "access_key_id": id, "secret_access_key": secret, "endpoint": Emulator::url(),
    });
    dialog.patch(key).await.expect(200);
    let elsewhere = json!({"endpoint": wire.url});
    let amazon = json!({"endpoint": null});
    let asked = |answer: &Answer| {
        let body = answer.refused_field("secret_access_key");
        assert_eq!(body["errors"][0]["code"], "secret_needed_again");
    };
    for change in [&elsewhere, &amazon] {
        asked(&dialog.patch(change.clone()).await);
    }
    // The same endpoint is no other.
    let same = json!({"endpoint": Emulator::url()});
    dialog.patch(same.clone()).await.expect(200);
    assert_eq!(dialog.get().await["endpoint"], Emulator::url());
    let storage = dialog.finish().await;
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    let admin = &dialog.workspace.admin;
    for change in [&elsewhere, &amazon] {
        asked(&app.patch(&path, admin, change).await);
    }
    app.patch(&path, admin, &same).await.expect(200);
    let stored = app.get(&path, admin).await.expect(200);
    assert_eq!(stored["pending"], json!(null));

    // With a secret for it, and then back: that secret is not for the first endpoint.
    let other = json!({"endpoint": wire.url, "secret_access_key": "another-secret-for-there"});
    app.patch(&path, admin, &other).await.expect(200);
    asked(&app.patch(&path, admin, &same).await);
    assert_eq!(wire.log().len(), 0);
    let files = app.get(&format!("{path}/files"), admin).await.expect(200);
    assert_eq!(files["files"][0]["key"], "/a.txt");
}

#[tokio::test]
async fn an_endpoint_is_for_access_keys_only() {
    let app = app_allowing("127.0.0.0/8").await;
    let endpoint = "https://store.example.com";
    let workspace = app.workspace().await;
    let body = json!({"bucket": "acme-data", "endpoint": endpoint});
    let answer = app
        .post("/v1/storage-setups", &workspace.admin, &body)
        .await;
    let refused = answer.refused_field("endpoint");
    assert_eq!(refused["errors"][0]["code"], "endpoint_needs_access_key");
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let set = json!({"endpoint": endpoint});
    dialog.patch(set.clone()).await.refused_field("endpoint");
    let by_key = json!({"auth": "access_key", "endpoint": endpoint});
    dialog.patch(by_key).await.expect(200);
    // Choosing the other way loses nothing that was typed.
    dialog.patch(json!({"auth": "role"})).await.expect(200);
    dialog.patch(set).await.expect(200);
    let other = json!({"endpoint": "https://other.example.com"});
    dialog.patch(other).await.refused_field("endpoint");
    assert_eq!(dialog.get().await["endpoint"], endpoint);
}
