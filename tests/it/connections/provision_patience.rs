//! The customer's administrator applies documents while AWS refuses for now.

use crate::application::connections::provision::{
    BoundaryArn, GivenDocuments, IamName, IamPath, ProvisionChange, ProvisionError, Provisioning,
};
use crate::aws::provision::{Patience, provision_with};
use crate::domain::connection::bucket_name::BucketName;
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::{s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::emulator::{Customer, Emulator, random_name, trust_policy};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

pub fn quick() -> Patience {
    Patience {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(40),
        bound: Duration::from_secs(20),
        absence_bound: Duration::from_secs(20),
    }
}

pub async fn wanted(bucket: &str) -> Provisioning {
    let vendor = Emulator::vendor().await;
    let documents = json!({
        "trust_policy": trust_policy(&vendor.account, Some(&Uuid::new_v4().to_string())),
        "permission_policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")}
        ]},
        "cors": [{"ID": "own", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://app.example.com"]}],
        "lifecycle": {"Rules": [
            {"ID": "temp", "Status": "Enabled", "Filter": {"Prefix": "temp/"}, "Expiration": {"Days": 7}}
        ]},
    });
    Provisioning::new(
        GivenDocuments::parse(documents.to_string().as_bytes()).unwrap(),
        BucketName::parse(bucket).unwrap(),
        IamName::role(&random_name("r")).unwrap(),
        IamName::policy("sallyport").unwrap(),
    )
    .unwrap()
}

/// Answers the first call of an operation otherwise.
fn once(proxy: &AwsProxy, operation: &'static str, reply: Reply) {
    let done = AtomicBool::new(false);
    proxy.when(move |request| {
        let now = request.operation() == operation && !done.swap(true, Ordering::SeqCst);
        now.then(|| reply.clone())
    });
}

fn aborted() -> Reply {
    s3_error(
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    )
}

async fn world() -> (Customer, String, AwsProxy) {
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    (customer, bucket, AwsProxy::start().await)
}

#[tokio::test]
async fn every_call_is_made_again_after_a_refusal_that_passes() {
    let (customer, bucket, proxy) = world().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let not_yet = || sts_error(404, "NoSuchEntity", "The role with name r cannot be found.");
    let principal = || {
        let text = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111111111111:role/new\"";
        sts_error(400, "MalformedPolicyDocument", text)
    };
    let busy = || {
        let text = "The request was rejected because multiple requests to change this object were submitted simultaneously.";
        sts_error(409, "ConcurrentModification", text)
    };
    let throttled = || sts_error(400, "Throttling", "Rate exceeded");
    let applying = [
        ("GetCallerIdentity", throttled()),
        ("HeadBucket", Reply::answer(404, "")),
        (
            "GET cors",
            s3_error(503, "SlowDown", "Please reduce your request rate."),
        ),
        (
            "GET lifecycle",
            s3_error(404, "NoSuchBucket", "The specified bucket does not exist"),
        ),
        ("GetRole", throttled()),
        ("CreateRole", principal()),
        ("PutRolePolicy", not_yet()),
        ("PUT cors", aborted()),
        ("PUT lifecycle", aborted()),
    ];
    for (operation, reply) in applying.clone() {
        once(&proxy, operation, reply);
    }
    let mut wanted = wanted(&bucket).await;
    let done = provision_with(&sdk, &wanted, quick()).await.unwrap();
    let changes = |parts: Vec<(&str, &_)>| -> Vec<ProvisionChange> {
        let change =
            |part: &crate::application::connections::provision::ProvisionedPart| part.change;
        parts.into_iter().map(|(_, part)| change(part)).collect()
    };
    assert_eq!(changes(done.parts()), [ProvisionChange::Created; 4]);
    for (operation, _) in applying {
        assert!(proxy.count(operation) > 1, "{operation}");
    }
    let again = provision_with(&sdk, &wanted, quick()).await.unwrap();
    assert_eq!(changes(again.parts()), [ProvisionChange::Unchanged; 4]);

    let conflict = "Cannot delete entity, must delete policies first.";
    let removing = [
        ("DELETE cors", aborted()),
        ("DELETE lifecycle", aborted()),
        ("ListRolePolicies", throttled()),
        ("DeleteRolePolicy", busy()),
        ("DeleteRole", sts_error(409, "DeleteConflict", conflict)),
    ];
    for (operation, reply) in removing.clone() {
        once(&proxy, operation, reply);
    }
    wanted.remove = true;
    let done = provision_with(&sdk, &wanted, quick()).await.unwrap();
    assert_eq!(changes(done.parts()), [ProvisionChange::Removed; 4]);
    for (operation, _) in removing {
        assert!(proxy.count(operation) > 1, "{operation}");
    }
    let again = provision_with(&sdk, &wanted, quick()).await.unwrap();
    assert_eq!(changes(again.parts()), [ProvisionChange::Absent; 4]);
}

#[tokio::test]
async fn a_rule_that_somebody_adds_between_two_attempts_stays() {
    for refusal in [
        aborted(),
        s3_error(500, "InternalError", "We encountered an internal error."),
    ] {
        let (customer, bucket, proxy) = world().await;
        let sdk = proxy.sdk_config(&customer.sdk_config);
        let added = Arc::new(AtomicBool::new(false));
        let own = added.clone();
        // Every attempt is refused until the other rule is there.
        proxy.when(move |request| {
            let early = request.operation() == "PUT cors" && !own.load(Ordering::SeqCst);
            early.then(|| refusal.clone())
        });
        let wanted = wanted(&bucket).await;
        let other = async {
            while proxy.count("PUT cors") == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            customer
                .put_cors(&bucket, &["https://other.example"], &["GET"])
                .await;
            added.store(true, Ordering::SeqCst);
        };
        let patience = Patience {
            first_pause: Duration::from_millis(500),
            ..quick()
        };
        let (done, ()) = tokio::join!(provision_with(&sdk, &wanted, patience), other);
        done.unwrap();
        let cors = customer.s3().get_bucket_cors().bucket(&bucket).send().await;
        let origins: Vec<String> = cors
            .unwrap()
            .cors_rules()
            .iter()
            .flat_map(|rule| rule.allowed_origins().to_vec())
            .collect();
        assert_eq!(
            origins,
            ["https://app.example.com", "https://other.example"]
        );
    }
}

#[tokio::test]
async fn when_the_bound_ends_the_error_says_what_is_done_and_the_same_command_goes_on() {
    let (customer, bucket, proxy) = world().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let stuck = Arc::new(AtomicBool::new(true));
    let own = stuck.clone();
    proxy.when(move |request| {
        let now = request.operation() == "PUT cors" && own.load(Ordering::SeqCst);
        now.then(aborted)
    });
    let wanted = wanted(&bucket).await;
    let patience = Patience {
        bound: Duration::from_secs(2),
        ..quick()
    };
    let error = provision_with(&sdk, &wanted, patience).await.unwrap_err();
    let text = error.to_string();
    for part in [
        "s3:PutBucketCORS was refused: OperationAborted",
        "it was tried",
        "Done: role, permission policy. Not done: CORS, lifecycle.",
        "The same command can be run again",
    ] {
        assert!(text.contains(part), "{text}");
    }
    stuck.store(false, Ordering::SeqCst);
    let done = provision_with(&sdk, &wanted, quick()).await.unwrap();
    assert_eq!(done.identity.change, ProvisionChange::Unchanged);
    assert_eq!(done.cors.change, ProvisionChange::Created);
}

#[tokio::test]
async fn a_refusal_that_stays_is_not_tried_again() {
    let (customer, bucket, proxy) = world().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let denied = "User is not authorized to perform: iam:CreateRole";
    proxy.when(move |request| {
        (request.operation() == "CreateRole").then(|| sts_error(403, "AccessDenied", denied))
    });
    let wanted = wanted(&bucket).await;
    let error = provision_with(&sdk, &wanted, quick()).await.unwrap_err();
    assert_eq!(proxy.count("CreateRole"), 1);
    let text = error.to_string();
    assert!(text.contains("Done: nothing. Not done: role,"), "{text}");
}

#[tokio::test]
async fn the_role_is_made_at_its_path_and_one_at_another_path_is_named() {
    let (customer, bucket, proxy) = world().await;
    let sdk = proxy.sdk_config(&customer.sdk_config);
    let mut wanted = wanted(&bucket).await;
    let boundary = customer
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
    let boundary = boundary.policy().unwrap().arn().unwrap().to_owned();
    wanted.path = Some(IamPath::parse("/vendors/eu/").unwrap());
    wanted.permissions_boundary = Some(BoundaryArn::parse(&boundary).unwrap());
    let done = provision_with(&sdk, &wanted, quick()).await.unwrap();
    let arn = done.role_arn.unwrap().to_string();
    assert!(arn.contains(":role/vendors/eu/r"), "{arn}");
    let role = customer.iam().get_role().role_name(wanted.name().as_str());
    let role = role.send().await.unwrap().role.unwrap();
    assert_eq!(role.arn, arn);
    let found = role.permissions_boundary.unwrap();
    assert_eq!(found.permissions_boundary_arn.as_deref(), Some(&*boundary));
    let again = provision_with(&sdk, &wanted, quick()).await.unwrap();
    assert_eq!(again.identity.change, ProvisionChange::Unchanged);

    for remove in [false, true] {
        wanted.path = Some(IamPath::parse("/").unwrap());
        wanted.remove = remove;
        let error = provision_with(&sdk, &wanted, quick()).await.unwrap_err();
        assert!(matches!(error, ProvisionError::OtherPath { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("`/vendors/eu/`") && text.contains(&arn),
            "{text}"
        );
    }
}
