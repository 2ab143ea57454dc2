//! The customer's administrator applies documents, on the emulator.

use crate::application::connections::provision::{
    GivenDocuments, IamName, ProvisionChange, ProvisionError, Provisioned, Provisioning,
};
use crate::aws::provision::provision;
use crate::domain::connection::bucket_name::BucketName;
use crate::it::support::emulator::{Customer, Emulator, Vendor, random_name, trust_policy};
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use serde_json::{Value, json};
use uuid::Uuid;

fn documents(vendor: &Vendor, bucket: &str, external_id: &str) -> Value {
    json!({
        "trust_policy": trust_policy(&vendor.account, Some(external_id)),
        "permission_policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")}
        ]},
        "cors": [{
            "AllowedHeaders": ["*"], "AllowedMethods": ["GET", "PUT"],
            "AllowedOrigins": ["https://app.example.com"], "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3000
        }],
        "lifecycle": {"Rules": [
            {"ID": "temp", "Status": "Enabled", "Filter": {"Prefix": "temp/"}, "Expiration": {"Days": 7},
             "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
            {"ID": "export", "Status": "Enabled", "Filter": {"Prefix": "export/"}, "Expiration": {"Days": 7}}
        ]},
    })
}

fn provisioning(documents: &Value, bucket: &str, role_name: &str) -> Provisioning {
    Provisioning::new(
        GivenDocuments::parse(documents.to_string().as_bytes()).unwrap(),
        BucketName::parse(bucket).unwrap(),
        IamName::role(role_name).unwrap(),
        IamName::policy("sallyport").unwrap(),
    )
    .unwrap()
}

fn changes(done: &Provisioned) -> [ProvisionChange; 4] {
    [done.role, done.permission_policy, done.cors, done.lifecycle]
}

async fn assume(vendor: &Vendor, role_arn: &str, external_id: &str) -> bool {
    vendor
        .sts()
        .assume_role()
        .role_arn(role_arn)
        .role_session_name("test")
        .external_id(external_id)
        .send()
        .await
        .is_ok()
}

async fn put_other_cors(customer: &Customer, bucket: &str) {
    customer
        .put_cors(bucket, &["https://other.example"], &["GET"])
        .await;
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_a_new_external_id_only_the_trust() {
    use ProvisionChange::{Created, Unchanged, Updated};
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    let role = random_name("r");
    let (first, second) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());

    let wanted = provisioning(&documents(vendor, &bucket, &first), &bucket, &role);
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Created; 4]);
    assert_eq!(done.role_arn.account().to_string(), customer.account);
    assert!(assume(vendor, done.role_arn.as_str(), &first).await);

    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Unchanged; 4]);
    assert_eq!(again.role_arn, done.role_arn);

    let wanted = provisioning(&documents(vendor, &bucket, &second), &bucket, &role);
    let moved = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&moved), [Updated, Unchanged, Unchanged, Unchanged]);
    assert!(!assume(vendor, done.role_arn.as_str(), &first).await);
    assert!(assume(vendor, done.role_arn.as_str(), &second).await);
}

#[tokio::test]
async fn other_rules_on_the_bucket_stay_unless_they_are_to_be_replaced() {
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    put_other_cors(&customer, &bucket).await;
    let role = random_name("r");
    let documents = documents(vendor, &bucket, &Uuid::new_v4().to_string());
    let mut wanted = provisioning(&documents, &bucket, &role);

    let refusal = provision(&customer.sdk_config, &wanted).await.unwrap_err();
    assert!(
        matches!(refusal, ProvisionError::OtherRules { what: "CORS", .. }),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("--skip-cors"), "{refusal}");
    // Refused before anything was changed.
    let role_made = customer.iam().get_role().role_name(&role).send().await;
    assert!(
        role_made
            .unwrap_err()
            .into_service_error()
            .is_no_such_entity_exception()
    );

    wanted.skip_cors = true;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(done.cors, ProvisionChange::Skipped);
    let origin = |rules: &[CorsRule]| rules[0].allowed_origins[0].clone();
    let found = customer.s3().get_bucket_cors().bucket(&bucket).send().await;
    assert_eq!(origin(found.unwrap().cors_rules()), "https://other.example");

    wanted.skip_cors = false;
    wanted.replace = true;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(done.cors, ProvisionChange::Updated);
    assert_eq!(done.lifecycle, ProvisionChange::Unchanged);
    let found = customer.s3().get_bucket_cors().bucket(&bucket).send().await;
    assert_eq!(
        origin(found.unwrap().cors_rules()),
        "https://app.example.com"
    );
}

#[tokio::test]
async fn every_member_of_the_rules_reaches_the_bucket() {
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    let documents = documents(vendor, &bucket, &Uuid::new_v4().to_string());
    let wanted = provisioning(&documents, &bucket, &random_name("r"));
    provision(&customer.sdk_config, &wanted).await.unwrap();

    let cors = customer.s3().get_bucket_cors().bucket(&bucket).send().await;
    let rule = CorsRule::builder()
        .allowed_headers("*")
        .allowed_methods("GET")
        .allowed_methods("PUT")
        .allowed_origins("https://app.example.com")
        .expose_headers("ETag")
        .max_age_seconds(3000)
        .build()
        .unwrap();
    let expected = CorsConfiguration::builder()
        .cors_rules(rule)
        .build()
        .unwrap();
    assert_eq!(cors.unwrap().cors_rules(), expected.cors_rules());

    let lifecycle = customer
        .s3()
        .get_bucket_lifecycle_configuration()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    let mut rules: Vec<_> = lifecycle
        .rules()
        .iter()
        .map(|rule| {
            let prefix = rule.filter().and_then(|filter| filter.prefix());
            let days = rule.expiration().and_then(|expiration| expiration.days());
            let abort = rule
                .abort_incomplete_multipart_upload()
                .and_then(|abort| abort.days_after_initiation());
            (prefix.unwrap(), days.unwrap(), abort)
        })
        .collect();
    rules.sort();
    assert_eq!(rules, [("export/", 7, None), ("temp/", 7, Some(7))]);
}

#[tokio::test]
async fn a_bucket_of_another_region_is_found_and_an_absent_one_named() {
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer
        .create_bucket_in(&random_name("far"), "eu-central-1")
        .await;
    let external_id = Uuid::new_v4().to_string();
    let wanted = provisioning(
        &documents(vendor, &bucket, &external_id),
        &bucket,
        &random_name("r"),
    );
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(done.cors, ProvisionChange::Created);

    let absent = random_name("absent");
    let wanted = provisioning(
        &documents(vendor, &absent, &external_id),
        &absent,
        &random_name("r"),
    );
    let error = provision(&customer.sdk_config, &wanted).await.unwrap_err();
    assert!(
        error.to_string().contains("there is nothing of this name"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_endpoint_that_nobody_answers_at_is_an_error_with_its_cause() {
    let customer = Emulator::customer();
    let documents = documents(Emulator::vendor().await, "acme-data", "x");
    let wanted = provisioning(&documents, "acme-data", "r");
    // Nothing listens on the discard port.
    let nowhere = customer
        .sdk_config
        .to_builder()
        .endpoint_url("http://127.0.0.1:9")
        .build();
    let error = provision(&nowhere, &wanted).await.unwrap_err();
    assert!(
        matches!(&error, ProvisionError::Unreachable { cause, .. } if cause.contains("refused")),
        "{error:?}"
    );
}
