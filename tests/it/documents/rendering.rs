//! The documents that a customer applies.

use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::ids::SetupId;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{
    DocumentName, DocumentParameters, Documents, LifecycleFolders, PolicyTemplates,
};
use serde_json::Value;

/// The setup of the documents.
pub const SETUP: &str = "set_0190a0a0a0a070008000000000000001";

/// A usual customer: bucket `acme-data`, a role of their own, read and write access, no prefix, no key.
pub fn parameters(partition: Partition) -> DocumentParameters {
    DocumentParameters {
        setup_id: Some(SetupId::parse(SETUP).unwrap()),
        auth: Auth::Role,
        at_store: false,
        lifecycle_folders: LifecycleFolders::default(),
        partition,
        service_principal: ServicePrincipal::parse(&format!(
            "arn:{partition}:iam::111122223333:root"
        ))
        .unwrap(),
        external_id: ExternalId::from_record("0f8fad5b-d9cb-469f-a165-70867728950e").unwrap(),
        bucket: BucketName::parse("acme-data").unwrap(),
        prefix: BucketPrefix::default(),
        grants: Grants::usual(Access::ReadWrite),
        lifecycle: true,
        kms_key: None,
        allowed_origins: vec![OriginPattern::parse("https://app.example.com").unwrap()],
        region: Some(region(partition)),
        role_arn: Some(
            RoleArn::parse(&format!("arn:{partition}:iam::444455556666:role/acme")).unwrap(),
        ),
        role_exists: true,
        role_path: RolePath::default(),
        permissions_boundary: None,
        bucket_account: None,
    }
}

fn region(partition: Partition) -> Region {
    Region::parse(match partition {
        Partition::Aws => "eu-west-1",
        Partition::AwsCn => "cn-north-1",
        Partition::AwsUsGov => "us-gov-west-1",
        Partition::AwsEusc => "eusc-de-east-1",
        Partition::AwsIso => "us-iso-east-1",
        Partition::AwsIsoB => "us-isob-east-1",
        Partition::AwsIsoE => "eu-isoe-west-1",
        Partition::AwsIsoF => "us-isof-east-1",
    })
    .unwrap()
}

pub fn kms_key(partition: Partition) -> KmsKeyArn {
    KmsKeyArn::parse(&format!(
        "arn:{partition}:kms:{}:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        region(partition)
    ))
    .unwrap()
}

/// Every combination of partition, access, prefix or none, and KMS key or none, with a name.
pub fn combinations() -> Vec<(String, DocumentParameters)> {
    let mut all = Vec::new();
    for partition in Partition::ALL {
        for access in Access::ALL {
            for prefix in ["", "team/"] {
                for with_key in [false, true] {
                    let name = format!(
                        "{partition}_{}_{}_{}",
                        access.as_str(),
                        if prefix.is_empty() {
                            "bucket"
                        } else {
                            "prefix"
                        },
                        if with_key { "kms" } else { "plain" },
                    );
                    let parameters = DocumentParameters {
                        grants: Grants::usual(access),
                        lifecycle: access.writes(),
                        prefix: BucketPrefix::parse(prefix).unwrap(),
                        kms_key: with_key.then(|| kms_key(partition)),
                        ..parameters(partition)
                    };
                    all.push((name, parameters));
                }
            }
        }
    }
    all
}

/// With a prefix that has everything in it that some format gives a meaning.
pub fn special() -> DocumentParameters {
    DocumentParameters {
        prefix: BucketPrefix::parse("it's ${a} *?/%{b} \"ü€\"").unwrap(),
        kms_key: Some(kms_key(Partition::Aws)),
        ..parameters(Partition::Aws)
    }
}

pub fn render(parameters: &DocumentParameters) -> Documents {
    PolicyTemplates::load()
        .unwrap()
        .documents(parameters)
        .unwrap()
}

pub fn session_policy(parameters: &DocumentParameters) -> String {
    PolicyTemplates::load()
        .unwrap()
        .session_policy(
            parameters.partition,
            &parameters.bucket,
            &parameters.prefix,
            parameters.grants,
            parameters.kms_key.as_ref(),
        )
        .unwrap()
}

/// A policy's grants: each action with its resource and its condition.
fn grants(policy: &Value) -> Vec<(String, String, Option<Value>)> {
    let mut grants = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        for action in statement["Action"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                grants.push((
                    action.as_str().unwrap().to_owned(),
                    resource.as_str().unwrap().to_owned(),
                    statement.get("Condition").cloned(),
                ));
            }
        }
    }
    grants.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    grants
}

#[test]
fn the_ten_actions_and_each_on_its_resource() {
    let policy = render(&parameters(Partition::Aws)).permission_policy;
    let bucket = "arn:aws:s3:::acme-data";
    let objects = "arn:aws:s3:::acme-data/*";
    let expected = [
        ("s3:AbortMultipartUpload", objects),
        ("s3:DeleteObject", objects),
        ("s3:DeleteObjectVersion", objects),
        ("s3:GetBucketLocation", bucket),
        ("s3:GetObject", objects),
        ("s3:GetObjectAcl", objects),
        ("s3:ListBucket", bucket),
        ("s3:ListBucketVersions", bucket),
        ("s3:PutObject", objects),
        ("s3:PutObjectAcl", objects),
    ];
    let expected: Vec<_> = expected
        .map(|(action, resource)| (action.to_owned(), resource.to_owned(), None))
        .into();
    assert_eq!(grants(&policy), expected);
}

#[test]
fn reading_is_given_three_actions() {
    let policy = render(&DocumentParameters {
        grants: Grants::usual(Access::Read),
        lifecycle: false,
        ..parameters(Partition::Aws)
    })
    .permission_policy;
    let actions: Vec<String> = grants(&policy).into_iter().map(|grant| grant.0).collect();
    assert_eq!(
        actions,
        ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"]
    );
}

#[test]
fn session_and_bucket_policy_grant_what_the_permission_policy_does() {
    for (name, parameters) in combinations() {
        let documents = render(&parameters);
        let permitted = grants(&documents.permission_policy);
        let session: Value = serde_json::from_str(&session_policy(&parameters)).unwrap();
        assert_eq!(grants(&session), permitted, "{name}");
        // A bucket's policy is about the bucket: a key has a policy of its own.
        let on_the_bucket: Vec<_> = permitted
            .into_iter()
            .filter(|(action, ..)| action.starts_with("s3:"))
            .collect();
        let bucket_policy = documents.bucket_policy.unwrap();
        assert_eq!(grants(&bucket_policy), on_the_bucket, "{name}");
    }
}

#[test]
fn a_missing_action_has_its_statement_and_its_resource() {
    let templates = PolicyTemplates::load().unwrap();
    for (name, parameters) in combinations() {
        let (partition, bucket, prefix) =
            (parameters.partition, &parameters.bucket, &parameters.prefix);
        let key = parameters.kms_key.as_ref();
        for (action, resource, condition) in grants(&render(&parameters).permission_policy) {
            let statement = templates
                .statement_for(partition, bucket, prefix, &action, key)
                .unwrap();
            assert_eq!(statement["Action"], serde_json::json!([action]), "{name}");
            assert_eq!(statement["Resource"], serde_json::json!([resource]));
            assert_eq!(statement.get("Condition").cloned(), condition);
            let alone = templates.resource_for(partition, bucket, prefix, &action, key);
            assert_eq!(alone, Some(resource));
        }
    }
    let usual = parameters(Partition::Aws);
    for unknown in ["s3:DeleteBucket", "kms:Decrypt", "s3:listbucket", "*", ""] {
        let statement =
            templates.statement_for(usual.partition, &usual.bucket, &usual.prefix, unknown, None);
        assert_eq!(statement, None, "{unknown}");
    }
}

#[test]
fn without_an_origin_there_is_no_cors_rule_and_without_a_role_no_bucket_policy() {
    let documents = render(&DocumentParameters {
        allowed_origins: Vec::new(),
        role_arn: None,
        ..parameters(Partition::Aws)
    });
    assert_eq!(documents.cors, None);
    assert_eq!(documents.bucket_policy, None);
    let read = render(&DocumentParameters {
        allowed_origins: Vec::new(),
        grants: Grants::usual(Access::Read),
        lifecycle: false,
        ..parameters(Partition::Aws)
    });
    assert_eq!(read.text(DocumentName::Cors), Ok(None));
    for text in [
        documents.terraform,
        documents.cloudformation,
        read.terraform,
        read.cloudformation,
    ] {
        let text = text.unwrap();
        assert!(!text.to_lowercase().contains("cors"), "{text}");
    }
}

/// The role is made with the boundary that the customer's account demands, in every form that makes it.
#[test]
fn a_permissions_boundary_is_in_every_form_that_makes_the_role() {
    let arn = "arn:aws:iam::123456789012:policy/team/boundary";
    let with = render(&DocumentParameters {
        permissions_boundary: Some(BoundaryArn::parse(arn).unwrap()),
        ..parameters(Partition::Aws)
    });
    let without = render(&parameters(Partition::Aws));
    for (form, text, bare) in [
        ("cli", with.cli, without.cli),
        (
            "cloudformation",
            with.cloudformation,
            without.cloudformation,
        ),
        ("terraform", with.terraform, without.terraform),
    ] {
        assert!(text.unwrap().contains(arn), "{form}");
        assert!(!bare.unwrap().contains("policy/team/boundary"), "{form}");
    }
}
