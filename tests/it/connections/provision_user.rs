//! The administrator applies the documents of an access key: a user, its policy and one key, on the emulator.

use crate::application::connections::provision::{
    BoundaryArn, GivenDocuments, IamName, IamPath, ProvisionChange, ProvisionError, Provisioned,
    Provisioning,
};
use crate::aws::provision::{Patience, provision, provision_with};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::policy_document::POLICY_NAME;
use crate::it::connections::provision_patience::quick;
use crate::it::connections::scripts::runs;
use crate::it::support::app::TestApp;
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::{s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::emulator::{Customer, Emulator, random_name};
use crate::it::support::scene::Dialog;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;

/// As the server answers them for an access key, as far as they are read.
fn documents(bucket: &str, user: &str) -> Value {
    json!({
        "trust_policy": null,
        "permission_policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")}
        ]},
        "cors": [{"ID": "own", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://app.example.com"]}],
        "lifecycle": {"Rules": [
            {"ID": "temp", "Status": "Enabled", "Filter": {"Prefix": "temp/"}, "Expiration": {"Days": 7}}
        ]},
        "user": {"name": user, "path": "/"},
        "setup_tag": "set_1",
    })
}

fn provisioning(documents: &Value, bucket: &str) -> Provisioning {
    let documents = GivenDocuments::parse(documents.to_string().as_bytes()).unwrap();
    let user = documents.user().unwrap();
    let name = IamName::user(&user.name).unwrap();
    let path = IamPath::parse(&user.path).unwrap();
    let policy = IamName::policy(POLICY_NAME).unwrap();
    let mut wanted =
        Provisioning::new(documents, BucketName::parse(bucket).unwrap(), name, policy).unwrap();
    wanted.path = Some(path);
    wanted
}

/// What is asked for, and the user's name.
async fn world() -> (Customer, String, Provisioning) {
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let name = random_name("u");
    let wanted = provisioning(&documents(&bucket, &name), &bucket);
    (customer, name, wanted)
}

fn changes(done: &Provisioned) -> Vec<ProvisionChange> {
    let parts = done.parts().into_iter();
    parts.map(|(_, part)| part.change).collect()
}

/// The user's tags by their names, its policies and its keys. Null: there is none.
async fn user(customer: &Customer, name: &str) -> Value {
    let iam = customer.iam();
    let Ok(found) = iam.get_user().user_name(name).send().await else {
        return Value::Null;
    };
    let found = found.user.unwrap();
    let policies = iam.list_user_policies().user_name(name).send().await;
    let keys = iam.list_access_keys().user_name(name).send().await.unwrap();
    let tags: serde_json::Map<String, Value> = found
        .tags()
        .iter()
        .map(|tag| (tag.key().to_owned(), tag.value().into()))
        .collect();
    let keys: Vec<&str> = keys
        .access_key_metadata()
        .iter()
        .filter_map(|key| key.access_key_id())
        .collect();
    let boundary = found.permissions_boundary();
    json!({
        "path": found.path(),
        "boundary": boundary.and_then(|boundary| boundary.permissions_boundary_arn()),
        "tags": tags,
        "policies": policies.unwrap().policy_names(),
        "keys": keys,
    })
}

#[tokio::test]
async fn a_user_gets_its_policy_and_one_key_whose_secret_comes_once() {
    use ProvisionChange::{Created, Unchanged};
    let (customer, name, mut wanted) = world().await;
    wanted.dry_run = true;
    let dry = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&dry), [Created; 5]);
    assert_eq!(
        (&dry.made_key, user(&customer, &name).await),
        (&None, Value::Null)
    );
    wanted.dry_run = false;

    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Created; 5]);
    assert_eq!(done.role_arn, None);
    assert_eq!(done.left, Vec::<String>::new());
    let key = done.made_key.unwrap();
    assert_eq!(
        user(&customer, &name).await,
        json!({
            "path": "/", "boundary": null, "policies": [POLICY_NAME], "keys": [key.id],
            "tags": {"sallyport:setup": "set_1", "sallyport:access-key": key.id},
        })
    );
    let said = format!("{:?} {key:?}", done.access_key);
    assert!(!said.contains(key.secret.expose_secret()), "{said}");

    // A second run knows the key by its ID alone.
    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Unchanged; 5]);
    assert_eq!(again.made_key, None);
    let said = again.access_key.unwrap().details.join(" ");
    assert!(said.contains(&key.id), "{said}");
}

#[tokio::test]
async fn the_made_key_connects_the_setup_and_the_script_and_the_command_are_one() {
    use ProvisionChange::{Absent, Removed, Unchanged};
    let app = TestApp::spawn_on_emulator().await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "a.txt", "hello").await;
    let dialog = Dialog::open(
        &app,
        json!({"bucket": bucket, "auth": "access_key", "role_path": "/vendors/"}),
    )
    .await;
    let documents = dialog.documents().await;
    assert_eq!(documents["setup_tag"], dialog.id.as_str());
    assert_eq!(documents["user"]["path"], "/vendors/");
    let mut wanted = provisioning(&documents, &bucket);
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    let key = done.made_key.unwrap();
    let name = documents["user"]["name"].as_str().unwrap();
    assert_eq!(user(&customer, name).await["path"], "/vendors/");
    let entered = json!({
        "access_key_id": key.id, "secret_access_key": key.secret.expose_secret(),
    });
    dialog.patch(entered).await.expect(200);
    dialog.check().await.works();

    // The script finds what the command has made, and takes it back.
    let said = runs(&documents, "cli", &[], &customer).await;
    assert_eq!(said.trim_end(), format!("Access key ID: {}", key.id));
    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Unchanged; 5]);
    runs(&documents, "cli", &["--undo"], &customer).await;
    assert_eq!(user(&customer, name).await, Value::Null);

    // The command takes back what the script has made.
    runs(&documents, "cli", &[], &customer).await;
    wanted.remove = true;
    let removed = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&removed), [Removed; 5]);
    assert_eq!(user(&customer, name).await, Value::Null);
    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Absent; 5]);
}

#[tokio::test]
async fn a_user_of_somebody_else_is_left_alone() {
    let (customer, name, mut wanted) = world().await;
    let made = customer.iam().create_user().user_name(&name);
    made.send().await.unwrap();
    let before = user(&customer, &name).await;
    for remove in [false, true] {
        wanted.remove = remove;
        let refusal = provision(&customer.sdk_config, &wanted).await.unwrap_err();
        assert!(
            matches!(refusal, ProvisionError::OtherUser { .. }),
            "{refusal}"
        );
        assert!(refusal.to_string().contains("`set_1`"), "{refusal}");
    }
    assert_eq!(user(&customer, &name).await, before);
    let found = customer
        .s3()
        .get_bucket_cors()
        .bucket(wanted.bucket().as_str());
    assert!(found.send().await.is_err(), "the bucket has no rules");
}

#[tokio::test]
async fn what_others_gave_a_user_stays_and_the_user_with_it() {
    use ProvisionChange::{Removed, Skipped};
    let (customer, name, mut wanted) = world().await;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    let own = done.made_key.unwrap().id;
    let iam = customer.iam();
    let theirs = iam.create_access_key().user_name(&name).send().await;
    let theirs = theirs.unwrap().access_key.unwrap().access_key_id;
    wanted.remove = true;
    let removed = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(
        changes(&removed),
        [Skipped, Removed, Removed, Removed, Removed]
    );
    let said = removed.identity.details.join(" ");
    assert!(said.contains(&theirs) && !said.contains(&own), "{said}");
    let left = user(&customer, &name).await;
    assert_eq!(left["keys"], json!([theirs]));
    assert_eq!(left["policies"], json!([]));
}

#[tokio::test]
async fn a_path_and_a_boundary_are_honoured_and_the_boundary_is_set_later_too() {
    use ProvisionChange::{Unchanged, Updated};
    let (customer, name, mut wanted) = world().await;
    let made = customer
        .iam()
        .create_policy()
        .policy_name(random_name("boundary"))
        .policy_document(
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
            ]})
            .to_string(),
        )
        .send()
        .await
        .unwrap();
    let boundary = made.policy().unwrap().arn().unwrap().to_owned();
    wanted.path = Some(IamPath::parse("/vendors/eu/").unwrap());
    provision(&customer.sdk_config, &wanted).await.unwrap();
    let found = user(&customer, &name).await;
    assert_eq!(
        (&found["path"], &found["boundary"]),
        (&json!("/vendors/eu/"), &Value::Null)
    );

    wanted.permissions_boundary = Some(BoundaryArn::parse(&boundary).unwrap());
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(done.identity.change, Updated);
    assert_eq!(user(&customer, &name).await["boundary"], boundary);
    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Unchanged; 5]);
    // IAM does not move it.
    wanted.path = Some(IamPath::parse("/").unwrap());
    let there = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(there.identity.change, Unchanged);
    assert!(there.identity.details[0].contains("`/vendors/eu/`"));
}

#[tokio::test]
async fn credentials_of_another_account_than_the_bucket_s_change_nothing() {
    let (customer, name, mut wanted) = world().await;
    let owner = Emulator::customer();
    wanted.bucket_account = Some(AccountId::parse(&owner.account).unwrap());
    let error = provision(&customer.sdk_config, &wanted).await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::OtherAccountOfUser { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&owner.account), "{error}");
    assert_eq!(user(&customer, &name).await, Value::Null);
}

#[tokio::test]
async fn a_secret_is_not_lost_where_the_user_cannot_be_tagged_or_the_answer_is() {
    let (customer, name, wanted) = world().await;
    let proxy = AwsProxy::start().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let denied = sts_error(403, "AccessDenied", "You may not tag users.");
    proxy.when(move |request| (request.operation() == "TagUser").then(|| denied.clone()));
    let done = provision_with(&sdk, &wanted, quick()).await.unwrap();
    let key = done.made_key.unwrap();
    assert!(done.left[0].contains(&key.id), "{:?}", done.left);
    assert_eq!(user(&customer, &name).await["keys"], json!([key.id]));

    // The rules are refused: there is no key yet, so there is none whose secret nobody has.
    let (customer, name, wanted) = world().await;
    let proxy = AwsProxy::start().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let refused = s3_error(403, "AccessDenied", "x");
    proxy.when(move |request| (request.operation() == "PUT lifecycle").then(|| refused.clone()));
    let error = provision_with(&sdk, &wanted, quick()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Not done: lifecycle, access key."),
        "{error}"
    );
    assert_eq!(user(&customer, &name).await["keys"], json!([]));

    // AWS makes the key, and its answer is no answer of AWS's.
    let (customer, name, wanted) = world().await;
    let proxy = AwsProxy::start().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let (iam, of_user) = (customer.iam(), name.clone());
    let lost = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    proxy.when(move |request| {
        let first = request.operation() == "CreateAccessKey"
            && !lost.swap(true, std::sync::atomic::Ordering::SeqCst);
        if !first {
            return None;
        }
        let (iam, name) = (iam.clone(), of_user.clone());
        tokio::spawn(async move { iam.create_access_key().user_name(name).send().await });
        Some(Reply::Reset)
    });
    let patience = Patience {
        first_pause: Duration::from_secs(2),
        ..quick()
    };
    let done = provision_with(&sdk, &wanted, patience).await.unwrap();
    assert_eq!(done.made_key, None);
    assert!(
        done.left[0].contains("its secret did not arrive"),
        "{:?}",
        done.left
    );
    let keys = user(&customer, &name).await["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
}
