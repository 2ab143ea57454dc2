//! The customer's administrator applies documents, on the emulator.

use crate::application::connections::provision::{
    GivenDocuments, IamName, ProvisionChange, ProvisionError, Provisioned, Provisioning,
};
use crate::aws::provision::{Patience, provision, provision_with};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::role_arn::RoleArn;
use crate::it::support::emulator::{Customer, Emulator, Vendor, random_name, trust_policy};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, CorsConfiguration, CorsRule, ExpirationStatus, LifecycleRule,
    LifecycleRuleFilter, Transition, TransitionStorageClass,
};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

fn documents(vendor: &Vendor, bucket: &str, external_id: &str) -> Value {
    json!({
        "trust_policy": trust_policy(&vendor.account, Some(external_id)),
        "permission_policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")}
        ]},
        "cors": [{
            "ID": "own", "AllowedHeaders": ["*"], "AllowedMethods": ["GET", "PUT"],
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

fn changes(done: &Provisioned) -> Vec<ProvisionChange> {
    let parts = done.parts().into_iter();
    parts.map(|(_, part)| part.change).collect()
}

fn role_arn(done: &Provisioned) -> &RoleArn {
    done.role_arn.as_ref().unwrap()
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
async fn a_second_run_changes_nothing_and_another_setup_does_not_take_the_role() {
    use ProvisionChange::{Created, Unchanged};
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    let role = random_name("r");
    let (first, second) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());

    let wanted = provisioning(&documents(vendor, &bucket, &first), &bucket, &role);
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Created; 4]);
    assert_eq!(role_arn(&done).account().to_string(), customer.account);
    assert!(assume(vendor, role_arn(&done).as_str(), &first).await);

    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Unchanged; 4]);
    assert_eq!(again.role_arn, done.role_arn);

    // The role is in use with the first ID. A setup with another one never takes it over.
    let wanted = provisioning(&documents(vendor, &bucket, &second), &bucket, &role);
    let refusal = provision(&customer.sdk_config, &wanted).await.unwrap_err();
    assert!(
        matches!(refusal, ProvisionError::OtherRole { .. }),
        "{refusal}"
    );
    assert!(refusal.to_string().contains(&first), "{refusal}");
    assert!(assume(vendor, role_arn(&done).as_str(), &first).await);
    assert!(!assume(vendor, role_arn(&done).as_str(), &second).await);
}

/// The role's trust policy, its inline policies, and the bucket's rules.
async fn account(customer: &Customer, bucket: &str, role: &str) -> Value {
    let (iam, s3) = (customer.iam(), customer.s3());
    let found = iam.get_role().role_name(role).send().await;
    let policies = iam.list_role_policies().role_name(role).send().await;
    let cors = s3.get_bucket_cors().bucket(bucket).send().await;
    let lifecycle = s3
        .get_bucket_lifecycle_configuration()
        .bucket(bucket)
        .send()
        .await;
    json!({
        "trust": found.ok().and_then(|answer| answer.role?.assume_role_policy_document),
        "policies": policies.ok().map(|answer| answer.policy_names),
        "cors": format!("{:?}", cors.ok().map(|answer| answer.cors_rules)),
        "lifecycle": format!("{:?}", lifecycle.ok().map(|answer| answer.rules)),
    })
}

async fn role_for_ec2(customer: &Customer, role: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"
    }]});
    customer
        .iam()
        .create_role()
        .role_name(role)
        .assume_role_policy_document(trust.to_string())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_role_of_somebody_else_is_left_alone() {
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    let role = random_name("production");
    role_for_ec2(&customer, &role).await;
    let before = account(&customer, &bucket, &role).await;
    let documents = documents(vendor, &bucket, &Uuid::new_v4().to_string());
    let mut wanted = provisioning(&documents, &bucket, &role);
    for remove in [false, true] {
        wanted.remove = remove;
        let refusal = provision(&customer.sdk_config, &wanted).await.unwrap_err();
        assert!(
            matches!(refusal, ProvisionError::OtherRole { .. }),
            "{refusal}"
        );
        assert!(
            refusal.to_string().contains("ec2.amazonaws.com"),
            "{refusal}"
        );
        assert!(!refusal.to_string().contains("--replace"), "{refusal}");
    }
    assert_eq!(account(&customer, &bucket, &role).await, before);
}

#[tokio::test]
async fn a_dry_run_shows_everything_and_changes_nothing() {
    use ProvisionChange::{Created, Removed, Updated};
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    put_other_cors(&customer, &bucket).await;
    let role = random_name("r");
    let id = Uuid::new_v4().to_string();
    let mut wanted = provisioning(&documents(vendor, &bucket, &id), &bucket, &role);
    wanted.dry_run = true;
    let before = account(&customer, &bucket, &role).await;
    let dry = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&dry), [Created, Created, Updated, Created]);
    assert_eq!(account(&customer, &bucket, &role).await, before);
    for text in [
        &id,
        "s3:ListBucket",
        "https://app.example.com",
        "Keep:    1",
        "temp/",
    ] {
        let said = dry
            .parts()
            .iter()
            .any(|(_, part)| part.details.iter().any(|line| line.contains(text)));
        assert!(said, "{text}: {dry:#?}");
    }

    wanted.dry_run = false;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(done, dry);
    (wanted.dry_run, wanted.remove) = (true, true);
    let before = account(&customer, &bucket, &role).await;
    let dry = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&dry), [Removed; 4]);
    assert_eq!(account(&customer, &bucket, &role).await, before);
}

#[tokio::test]
async fn what_was_provisioned_is_removed_and_nothing_else() {
    use ProvisionChange::{Absent, Removed};
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    put_other_cors(&customer, &bucket).await;
    let role = random_name("r");
    let before = account(&customer, &bucket, &role).await;
    let documents = documents(vendor, &bucket, &Uuid::new_v4().to_string());
    let mut wanted = provisioning(&documents, &bucket, &role);
    provision(&customer.sdk_config, &wanted).await.unwrap();

    // Something of the customer's in the role: it is named, and the role stays as it is.
    let iam = customer.iam();
    iam.put_role_policy()
        .role_name(&role)
        .policy_name("their-own")
        .policy_document(documents["permission_policy"].to_string())
        .send()
        .await
        .unwrap();
    wanted.remove = true;
    let refusal = provision(&customer.sdk_config, &wanted).await.unwrap_err();
    assert!(
        matches!(refusal, ProvisionError::RoleInUse { .. }),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("their-own"), "{refusal}");
    iam.delete_role_policy()
        .role_name(&role)
        .policy_name("their-own")
        .send()
        .await
        .unwrap();

    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Removed; 4]);
    assert_eq!(account(&customer, &bucket, &role).await, before);
    let again = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&again), [Absent; 4]);
}

#[tokio::test]
async fn the_buckets_other_rules_stay() {
    use ProvisionChange::{Created, Skipped, Unchanged, Updated};
    let (vendor, customer) = (Emulator::vendor().await, Emulator::customer());
    let bucket = customer.create_bucket().await;
    put_other_cors(&customer, &bucket).await;
    let other = LifecycleRule::builder()
        .id("archive")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("old/").build())
        .transitions(
            Transition::builder()
                .days(30)
                .storage_class(TransitionStorageClass::Glacier)
                .build(),
        )
        .build()
        .unwrap();
    let configuration = BucketLifecycleConfiguration::builder()
        .rules(other.clone())
        .build()
        .unwrap();
    customer
        .s3()
        .put_bucket_lifecycle_configuration()
        .bucket(&bucket)
        .lifecycle_configuration(configuration)
        .send()
        .await
        .unwrap();
    let role = random_name("r");
    let mut documents = documents(vendor, &bucket, &Uuid::new_v4().to_string());
    let mut wanted = provisioning(&documents, &bucket, &role);
    wanted.skip_cors = true;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Created, Created, Skipped, Updated]);

    wanted.skip_cors = false;
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Unchanged, Unchanged, Updated, Unchanged]);
    let origins = async || {
        let found = customer.s3().get_bucket_cors().bucket(&bucket).send().await;
        let rules = found.unwrap().cors_rules.unwrap();
        rules
            .iter()
            .map(|rule| rule.allowed_origins[0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        origins().await,
        ["https://app.example.com", "https://other.example"]
    );
    let found = customer
        .s3()
        .get_bucket_lifecycle_configuration()
        .bucket(&bucket)
        .send()
        .await;
    let rules = found.unwrap().rules.unwrap();
    assert_eq!(rules.len(), 3);
    assert!(rules.contains(&other), "{rules:#?}");

    // The same rule with another origin takes the place of the one before.
    documents["cors"][0]["AllowedOrigins"] = json!(["https://new.example.com"]);
    let wanted = provisioning(&documents, &bucket, &role);
    let done = provision(&customer.sdk_config, &wanted).await.unwrap();
    assert_eq!(changes(&done), [Unchanged, Unchanged, Updated, Unchanged]);
    assert_eq!(
        origins().await,
        ["https://new.example.com", "https://other.example"]
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
        .id("own")
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
    assert_eq!(done.cors.change, ProvisionChange::Created);

    let absent = random_name("absent");
    let wanted = provisioning(
        &documents(vendor, &absent, &external_id),
        &absent,
        &random_name("r"),
    );
    let patience = Patience {
        absence_bound: Duration::from_millis(600),
        ..Patience::default()
    };
    let looked = provision_with(&customer.sdk_config, &wanted, patience).await;
    let error = looked.unwrap_err();
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

#[tokio::test]
async fn missing_credentials_are_said_in_plain_words() {
    let customer = Emulator::customer();
    let documents = documents(Emulator::vendor().await, "acme-data", "x");
    let wanted = provisioning(&documents, "acme-data", "r");
    #[derive(Debug)]
    struct Nobody;
    impl aws_credential_types::provider::ProvideCredentials for Nobody {
        fn provide_credentials<'a>(
            &'a self,
        ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let error = CredentialsError::not_loaded("no providers in chain provided credentials");
            aws_credential_types::provider::future::ProvideCredentials::ready(Err(error))
        }
    }
    let nobody = customer
        .sdk_config
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(Nobody))
        .build();
    let error = provision(&nobody, &wanted).await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::NoCredentials { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .starts_with("No usable AWS credentials were found."),
        "{error}"
    );
    assert!(error.to_string().len() < 300, "{error}");
}
