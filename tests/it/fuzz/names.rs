//! What identifies a customer's bucket, role and settings.

use crate::domain::connection::access_key::AccessKeyId;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::StorageRef;
use crate::domain::names::Name;
use crate::domain::origin::Origin;
use crate::domain::people::sign_in::ReturnUrl;
use crate::it::fuzz::{fuzz, is_refusal, round_trip};

#[test]
fn bucket_names() {
    round_trip("bucket_name", 255, BucketName::parse);
}

#[test]
fn prefixes() {
    round_trip("prefix", 1_024, BucketPrefix::parse);
}

#[test]
fn regions() {
    round_trip("region", 255, Region::parse);
}

#[test]
fn role_arns() {
    // A path of 512 characters and a name of 64 (IAM API reference, Role).
    round_trip("role_arn", 640, RoleArn::parse);
}

#[test]
fn kms_key_arns() {
    round_trip("kms_key_arn", 2_048, KmsKeyArn::parse);
}

#[test]
fn account_ids() {
    round_trip("account_id", 12, AccountId::parse);
}

#[test]
fn endpoints() {
    round_trip("endpoint", 2_048, Endpoint::parse);
}

#[test]
fn origins() {
    round_trip("origin", 2_048, Origin::parse);
}

#[test]
fn names_of_things() {
    round_trip("name", 4 * Name::MAX_LEN, Name::parse);
}

#[test]
fn storage_ids() {
    round_trip("storage_id", 64, StorageRef::parse);
}

#[test]
fn stored_external_ids() {
    round_trip("external_id", 36, ExternalId::from_record);
}

#[test]
fn access_key_ids() {
    fuzz("access_key_id", |text| match AccessKeyId::parse(text) {
        Ok(id) => assert_eq!(
            AccessKeyId::parse(id.as_str()).unwrap().as_str(),
            id.as_str()
        ),
        Err(invalid) => is_refusal(&invalid),
    });
}

#[test]
fn return_urls() {
    fuzz("return_url", |text| match ReturnUrl::parse(text) {
        Ok(url) => {
            assert!(url.as_str().starts_with("http") && url.as_str().len() <= 2_000);
            assert_eq!(ReturnUrl::parse(url.as_str()).as_ref(), Ok(&url));
        }
        Err(invalid) => is_refusal(&invalid),
    });
}
