//! The rendered scripts, run by the real AWS CLI on the emulator: on buckets that have rules of others, twice, and
//! taken back.

use crate::it::connections::scripts::{run_with, runs};
use crate::it::support::app::{ORIGIN, TestApp};
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::scene::Dialog;
use aws_sdk_s3::types as s3;
use serde_json::json;

/// Legal, and with a meaning to shells, queries and JSON.
const HOSTILE: &str = "it's \"x\" `id` $(touch pwned) \\ ü 中 😀/{ }[?!a]/";

/// Gives the bucket a CORS rule and lifecycle rules that are not ours, one of them for the folder of ours.
async fn put_rules_of_others(owner: &Customer, bucket: &str) {
    owner.put_cors(bucket, &[ORIGIN], &["GET"]).await;
    let rule = |id: &str, prefix: &str| {
        s3::LifecycleRule::builder()
            .id(id)
            .status(s3::ExpirationStatus::Enabled)
            .filter(s3::LifecycleRuleFilter::builder().prefix(prefix).build())
            .expiration(s3::LifecycleExpiration::builder().days(400).build())
            .build()
            .unwrap()
    };
    let configuration = s3::BucketLifecycleConfiguration::builder()
        .rules(rule("theirs \"1\" `x` ü", "logs/$(id)/"))
        .rules(rule("sallyport-temp-of-ffffffff", "temp/"))
        .build()
        .unwrap();
    owner
        .s3()
        .put_bucket_lifecycle_configuration()
        .bucket(bucket)
        .lifecycle_configuration(configuration)
        .transition_default_minimum_object_size(
            s3::TransitionDefaultMinimumObjectSize::VariesByStorageClass,
        )
        .send()
        .await
        .unwrap();
}

type Rules = (
    Vec<s3::CorsRule>,
    Vec<s3::LifecycleRule>,
    Option<s3::TransitionDefaultMinimumObjectSize>,
);

async fn rules(owner: &Customer, bucket: &str) -> Rules {
    let cors = owner.s3().get_bucket_cors().bucket(bucket).send().await;
    let lifecycle = owner.s3().get_bucket_lifecycle_configuration();
    let lifecycle = lifecycle.bucket(bucket).send().await.unwrap();
    (
        cors.unwrap().cors_rules.unwrap(),
        lifecycle.rules.unwrap(),
        lifecycle.transition_default_minimum_object_size,
    )
}

#[tokio::test]
async fn rules_of_others_survive_two_runs_and_the_undo_of_a_role_s_script() {
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    put_rules_of_others(&customer, &bucket).await;
    let before = rules(&customer, &bucket).await;
    let dialog = Dialog::open(&app, json!({"bucket": bucket, "prefix": HOSTILE})).await;
    let documents = dialog.documents().await;
    let script = documents["cli"].as_str().unwrap();

    // Nobody is there to be asked.
    let unasked = run_with(&customer, script, &[], "us-east-1").await;
    assert_eq!(unasked.status.code(), Some(2));
    let dry = run_with(&customer, script, &["--dry-run"], "us-east-1").await;
    assert!(dry.status.success());
    assert!(String::from_utf8_lossy(&dry.stderr).contains(&customer.account));
    assert_eq!(rules(&customer, &bucket).await, before);
    assert!(
        customer
            .iam()
            .list_roles()
            .send()
            .await
            .unwrap()
            .roles
            .is_empty()
    );

    let arn = runs(&documents, "cli", &[], &customer).await;
    let after = rules(&customer, &bucket).await;
    assert_eq!((after.0.len(), after.1.len()), (2, 4));
    // Ours first: S3 takes the first CORS rule that matches, and the other names our origin, too.
    assert!(after.0[0].id().unwrap().starts_with("sallyport-"));
    assert_eq!(
        (&after.0[1..], &after.1[2..]),
        (&before.0[..], &before.1[..])
    );
    assert_eq!(after.2, before.2);

    assert_eq!(runs(&documents, "cli", &[], &customer).await, arn);
    assert_eq!(rules(&customer, &bucket).await, after);

    runs(&documents, "cli", &["--undo"], &customer).await;
    assert_eq!(rules(&customer, &bucket).await, before);
    assert!(
        customer
            .iam()
            .list_roles()
            .send()
            .await
            .unwrap()
            .roles
            .is_empty()
    );
    runs(&documents, "cli", &["--undo"], &customer).await;
    assert_eq!(rules(&customer, &bucket).await, before);
}

#[tokio::test]
async fn rules_of_an_earlier_version_become_those_of_the_setup() {
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let dialog = Dialog::open(&app, json!({"bucket": bucket, "prefix": "team/"})).await;
    let documents = dialog.documents().await;
    runs(&documents, "cli", &[], &customer).await;
    let ours = rules(&customer, &bucket).await;
    let earlier: Vec<s3::LifecycleRule> = ours
        .1
        .iter()
        .cloned()
        .map(|mut rule| {
            let id = rule.id.take().unwrap();
            rule.id = Some(id.split("-of-").next().unwrap().to_owned());
            rule
        })
        .collect();
    let configuration = s3::BucketLifecycleConfiguration::builder();
    let configuration = configuration.set_rules(Some(earlier)).build().unwrap();
    let put = customer.s3().put_bucket_lifecycle_configuration();
    put.bucket(&bucket)
        .lifecycle_configuration(configuration)
        .send()
        .await
        .unwrap();
    runs(&documents, "cli", &[], &customer).await;
    assert_eq!(rules(&customer, &bucket).await.1, ours.1);
}

#[tokio::test]
async fn an_access_key_is_made_by_its_script_shown_once_and_taken_back() {
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    put_rules_of_others(&customer, &bucket).await;
    customer
        .put_object(&bucket, "it's `a` \"b\"/a.txt", "hello")
        .await;
    let before = rules(&customer, &bucket).await;
    let settings = json!({"bucket": bucket, "prefix": "it's `a` \"b\"/", "auth": "access_key",
        "region": "us-east-1"});
    let dialog = Dialog::open(&app, settings).await;
    let documents = dialog.documents().await;
    for absent in ["trust_policy", "bucket_policy", "key_policy", "role"] {
        assert!(documents[absent].is_null(), "{absent}");
    }
    let first = runs(&documents, "cli", &[], &customer).await;
    let value = |name: &str| {
        let line = first.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}{first}"))
            .to_owned()
    };
    let (id, secret) = (value("Access key ID: "), value("Secret access key: "));
    let second = runs(&documents, "cli", &[], &customer).await;
    assert_eq!(second, format!("Access key ID: {id}\n"));

    dialog
        .patch(json!({"access_key_id": id, "secret_access_key": secret}))
        .await
        .expect(200);
    let storage = dialog.finish().await;
    let path = format!("/v1/storages/{}/documents", storage["id"].as_str().unwrap());
    let again = app.get(&path, &dialog.workspace.admin).await.expect(200);
    assert_eq!(again, documents);

    runs(&documents, "cli", &["--undo"], &customer).await;
    assert_eq!(rules(&customer, &bucket).await, before);
    assert!(
        customer
            .iam()
            .list_users()
            .send()
            .await
            .unwrap()
            .users
            .is_empty()
    );
}

#[tokio::test]
async fn a_user_with_a_key_of_somebody_else_stays() {
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let dialog = Dialog::open(&app, json!({"bucket": bucket, "auth": "access_key"})).await;
    let documents = dialog.documents().await;
    runs(&documents, "cli", &[], &customer).await;
    let user = documents["user"]["name"].as_str().unwrap();
    let theirs = customer
        .iam()
        .create_access_key()
        .user_name(user)
        .send()
        .await
        .unwrap();
    let theirs = theirs.access_key.unwrap().access_key_id;
    let script = documents["cli"].as_str().unwrap();
    let undone = run_with(&customer, script, &["--undo", "--yes"], "us-east-1").await;
    let said = String::from_utf8_lossy(&undone.stderr).into_owned();
    assert!(undone.status.success(), "{said}");
    assert!(said.contains(&theirs) && said.contains("stays"), "{said}");
    let keys = customer
        .iam()
        .list_access_keys()
        .user_name(user)
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = keys
        .access_key_metadata
        .iter()
        .filter_map(|key| key.access_key_id())
        .collect();
    assert_eq!(keys, [theirs]);
}
