//! Role and bucket in different accounts: each run does the part of the account whose credentials it has.

use crate::application::connections::provision::{
    GivenDocuments, IamName, ProvisionChange, ProvisionError, Provisioning,
};
use crate::aws::provision::provision_with;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::it::connections::provision_patience::quick;
use crate::it::support::emulator::{Customer, Emulator, random_name, trust_policy};
use serde_json::{Value, json};

fn documents(vendor: &str, bucket: &str, role_arn: Option<&str>) -> Value {
    json!({
        "trust_policy": trust_policy(vendor, Some("0f8fad5b-d9cb-469f-a165-70867728950e")),
        "permission_policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}")},
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "arn:aws:kms:eu-west-1:333333333333:key/k"}
        ]},
        "cors": [{"ID": "own", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://app.example.com"]}],
        "bucket_policy": role_arn.map(|arn| json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "ListFiles", "Effect": "Allow", "Principal": {"AWS": arn},
            "Action": ["s3:ListBucket"], "Resource": [format!("arn:aws:s3:::{bucket}")]
        }]})),
    })
}

fn wanted(documents: &Value, bucket: &str, role: &str, owner: &Customer) -> Provisioning {
    let documents = GivenDocuments::parse(documents.to_string().as_bytes()).unwrap();
    let mut wanted = Provisioning::new(
        documents,
        BucketName::parse(bucket).unwrap(),
        IamName::role(role).unwrap(),
        IamName::policy("sallyport").unwrap(),
    )
    .unwrap();
    wanted.role_account = wanted
        .documents()
        .role_arn()
        .map(|arn| arn.account().clone());
    wanted.bucket_account = Some(AccountId::parse(&owner.account).unwrap());
    wanted
}

async fn bucket_policy(owner: &Customer, bucket: &str) -> Option<Value> {
    let answer = owner.s3().get_bucket_policy().bucket(bucket).send().await;
    serde_json::from_str(&answer.ok()?.policy?).ok()
}

#[tokio::test]
async fn each_account_does_its_part_and_says_what_is_left() {
    use ProvisionChange::{Absent, Created, Removed, Skipped, Unchanged};
    let vendor = Emulator::vendor().await;
    let (tenant, owner, stranger) = (
        Emulator::customer(),
        Emulator::customer(),
        Emulator::customer(),
    );
    let bucket = owner.create_bucket().await;
    let role = random_name("r");

    // The role first; the bucket's owner is known to be another account.
    let first = wanted(
        &documents(&vendor.account, &bucket, None),
        &bucket,
        &role,
        &owner,
    );
    let done = provision_with(&tenant.sdk_config, &first, quick())
        .await
        .unwrap();
    assert_eq!((done.identity.change, done.cors.change), (Created, Skipped));
    assert_eq!(done.bucket_policy, None);
    let left = done.left.join("\n");
    assert!(
        left.contains(&format!("account {}", owner.account)),
        "{left}"
    );
    assert!(
        left.contains("333333333333") && left.contains("kms:Decrypt"),
        "{left}"
    );
    let arn = done.role_arn.unwrap().to_string();

    // The bucket, with the owner's credentials. The owner's own statement stays.
    let own = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "ListFiles", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketAcl",
        "Resource": format!("arn:aws:s3:::{bucket}")
    }]});
    let put = owner.s3().put_bucket_policy().bucket(&bucket);
    put.policy(own.to_string()).send().await.unwrap();
    let documents = documents(&vendor.account, &bucket, Some(&arn));
    let mut second = wanted(&documents, &bucket, &role, &owner);
    second.dry_run = true;
    let dry = provision_with(&owner.sdk_config, &second, quick())
        .await
        .unwrap();
    assert_eq!(dry.cors.change, Created);
    assert_eq!(bucket_policy(&owner, &bucket).await, Some(own.clone()));
    second.dry_run = false;
    let done = provision_with(&owner.sdk_config, &second, quick())
        .await
        .unwrap();
    assert_eq!((done.identity.change, done.cors.change), (Skipped, Created));
    assert_eq!(done.bucket_policy.unwrap().change, ProvisionChange::Updated);
    assert_eq!(done.role_arn.unwrap().to_string(), arn);
    let policy = bucket_policy(&owner, &bucket).await.unwrap();
    assert_eq!(policy["Statement"][0], own["Statement"][0]);
    assert_eq!(policy["Statement"][1]["Principal"]["AWS"], arn.as_str());
    let again = provision_with(&owner.sdk_config, &second, quick())
        .await
        .unwrap();
    assert_eq!(again.cors.change, Unchanged);
    assert_eq!(again.bucket_policy.unwrap().change, Unchanged);
    let left = done.left.join("\n");
    assert!(
        left.contains(&format!("account {}", tenant.account)),
        "{left}"
    );
    // No role was made in the bucket's account.
    let of_owner = owner.iam().get_role().role_name(&role).send().await;
    of_owner.unwrap_err();

    let error = provision_with(&stranger.sdk_config, &second, quick())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProvisionError::OtherAccount { .. }),
        "{error}"
    );
    let text = error.to_string();
    for account in [&stranger.account, &tenant.account, &owner.account] {
        assert!(text.contains(account.as_str()), "{text}");
    }

    second.remove = true;
    for change in [Removed, Absent] {
        let done = provision_with(&owner.sdk_config, &second, quick())
            .await
            .unwrap();
        assert_eq!(done.cors.change, change);
        assert_eq!(done.bucket_policy.unwrap().change, change);
        assert_eq!(bucket_policy(&owner, &bucket).await, Some(own.clone()));
        let done = provision_with(&tenant.sdk_config, &second, quick())
            .await
            .unwrap();
        assert_eq!(done.identity.change, change);
    }
}
