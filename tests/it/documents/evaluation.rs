//! What the rendered policies let pass, decided by an evaluator of IAM policies.
//!
//! The evaluator takes `${*}` for a variable without a value, so prefixes with escapes are tested
//! by their structure instead (`hostile.rs`).

use crate::domain::connection::access::Access;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::grants::Grants;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::policy_document::{DocumentParameters, PolicyTemplates};
use crate::it::documents::rendering::{kms_key, parameters, render, session_policy};
use iam_rs::{Arn, Context, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId};

const ROLE: &str = "arn:aws:iam::444455556666:role/acme";
const KEY: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str =
    "arn:aws:kms:eu-west-1:444455556666:key/00000000-12ab-34cd-56ef-1234567890ab";

/// Permission, session and bucket policy for one prefix and access.
fn policies(prefix: &str, access: Access) -> [String; 3] {
    let parameters = DocumentParameters {
        prefix: BucketPrefix::parse(prefix).unwrap(),
        grants: Grants::usual(access),
        kms_key: Some(kms_key(Partition::Aws)),
        ..parameters(Partition::Aws)
    };
    let documents = render(&parameters);
    [
        documents.permission_policy.to_string(),
        session_policy(&parameters),
        documents.bucket_policy.unwrap().to_string(),
    ]
}

/// Whether the policy allows the action; `listed` is the `s3:prefix` that a listing asks for.
fn allows(policy: &str, action: &str, resource: &str, listed: Option<&str>) -> bool {
    let policy: IAMPolicy = serde_json::from_str(policy).unwrap();
    let mut context = Context::new();
    if let Some(listed) = listed {
        context = context.with_string("s3:prefix", listed);
    }
    let request = IAMRequest::new_with_context(
        Principal::Aws(PrincipalId::String(ROLE.into())),
        action,
        Arn::parse(resource).unwrap(),
        context,
    );
    iam_rs::evaluate_policy(&policy, &request).unwrap() == Decision::Allow
}

const WRITING: [&str; 5] = [
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:GetObjectAcl",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
];

#[test]
fn the_prefix_is_open_and_its_neighbours_are_not() {
    for access in Access::ALL {
        for policy in policies("team", access) {
            let object = |action: &str, key: &str| {
                allows(&policy, action, &format!("arn:aws:s3:::{key}"), None)
            };
            for key in [
                "acme-data/team/x",
                "acme-data/team/a/b c/ü.png",
                "acme-data/team/temp/x",
            ] {
                assert!(object("s3:GetObject", key), "{key}");
                for action in WRITING {
                    assert_eq!(object(action, key), access.writes(), "{action} {key}");
                }
            }
            for key in [
                "acme-data/team-b/x",
                "acme-data/team",
                "acme-data/Team/x",
                "acme-data/x/team/x",
                "acme-data/x",
                "acme-data-2/team/x",
                "acme/team/x",
            ] {
                for action in WRITING.into_iter().chain(["s3:GetObject"]) {
                    assert!(!object(action, key), "{action} {key}");
                }
            }
        }
    }
}

#[test]
fn listings_stay_below_the_prefix() {
    for access in Access::ALL {
        for policy in policies("team", access) {
            let list = |action, listed| allows(&policy, action, "arn:aws:s3:::acme-data", listed);
            for below in ["team/", "team/a", "team/a/b/"] {
                assert!(list("s3:ListBucket", Some(below)), "{below}");
                let versions = list("s3:ListBucketVersions", Some(below));
                assert_eq!(versions, access.writes(), "{below}");
            }
            for outside in [
                None,
                Some(""),
                Some("team"),
                Some("team-b/"),
                Some("te"),
                Some("/team/"),
            ] {
                for action in ["s3:ListBucket", "s3:ListBucketVersions"] {
                    assert!(!list(action, outside), "{action} {outside:?}");
                }
            }
            let elsewhere = allows(&policy, "s3:ListBucket", "arn:aws:s3:::acme", Some("team/"));
            assert!(!elsewhere);
            // The location is about the bucket as a whole, and asked for without a prefix.
            assert!(list("s3:GetBucketLocation", None));
        }
    }
}

#[test]
fn without_a_prefix_the_whole_bucket_is_open_and_nothing_else() {
    for policy in policies("", Access::ReadWrite) {
        assert!(allows(
            &policy,
            "s3:ListBucket",
            "arn:aws:s3:::acme-data",
            None
        ));
        assert!(allows(
            &policy,
            "s3:GetObject",
            "arn:aws:s3:::acme-data/any",
            None
        ));
        assert!(!allows(
            &policy,
            "s3:GetObject",
            "arn:aws:s3:::acme-data-2/any",
            None
        ));
        for action in [
            "s3:DeleteBucket",
            "s3:PutBucketPolicy",
            "s3:ListAllMyBuckets",
            "s3:PutLifecycleConfiguration",
            "iam:PassRole",
            "sts:AssumeRole",
        ] {
            for resource in ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/any", ROLE] {
                assert!(
                    !allows(&policy, action, resource, None),
                    "{action} {resource}"
                );
            }
        }
    }
}

#[test]
fn one_key_is_used_as_far_as_the_access_needs_it() {
    for access in Access::ALL {
        let [permission, session, _] = policies("team", access);
        for policy in [permission, session] {
            assert!(allows(&policy, "kms:Decrypt", KEY, None));
            assert_eq!(
                allows(&policy, "kms:GenerateDataKey", KEY, None),
                access.writes()
            );
            assert!(!allows(&policy, "kms:Decrypt", OTHER_KEY, None));
            assert!(!allows(&policy, "kms:ScheduleKeyDeletion", KEY, None));
        }
    }
}

/// A bucket of the same name that another account has made is not used, not even by a signed URL.
#[test]
fn a_session_is_for_buckets_of_one_account() {
    let usual = parameters(Partition::Aws);
    let connection = |access, named: Option<&str>| Connection {
        bucket: usual.bucket.clone(),
        settings: BucketSettings {
            access,
            prefix: BucketPrefix::parse("team").unwrap(),
            kms_key: Some(kms_key(Partition::Aws)),
            bucket_account: named.map(|account| AccountId::parse(account).unwrap()),
            ..BucketSettings::default()
        },
        credentials: Credentials::Role {
            role_arn: RoleArn::parse(ROLE).unwrap(),
            external_id: usual.external_id.clone(),
        },
    };
    let templates = PolicyTemplates::load().unwrap();
    for access in Access::ALL {
        for (named, owner) in [
            (None, "444455556666"),
            (Some("777788889999"), "777788889999"),
        ] {
            let connection = connection(access, named);
            let files = templates
                .files_session_policy(Partition::Aws, &connection, connection.expected_owner())
                .unwrap();
            let objects = templates.objects_session_policy(
                Partition::Aws,
                &connection,
                connection.expected_owner(),
            );
            for (policy, action) in [(&files, "s3:GetObject"), (&objects, "s3:GetObjectVersion")] {
                assert!(policy.chars().count() <= PolicyTemplates::MAX_SESSION_POLICY);
                let policy: IAMPolicy = serde_json::from_str(policy).unwrap();
                let allows = |action: &str, resource: &str, account: Option<&str>| {
                    let mut context = Context::new().with_string("s3:prefix", "team/");
                    if let Some(account) = account {
                        context = context.with_string("aws:ResourceAccount", account);
                    }
                    let request = IAMRequest::new_with_context(
                        Principal::Aws(PrincipalId::String(ROLE.into())),
                        action,
                        Arn::parse(resource).unwrap(),
                        context,
                    );
                    iam_rs::evaluate_policy(&policy, &request).unwrap() == Decision::Allow
                };
                let object = "arn:aws:s3:::acme-data/team/a";
                assert!(allows(action, object, Some(owner)));
                assert!(!allows(action, object, Some("111111111111")));
                assert!(!allows(action, object, None));
                // The condition on the prefix stays beside it.
                let outside = "arn:aws:s3:::acme-data/other/a";
                assert!(!allows(action, outside, Some(owner)));
                // The key's ARN names its account, which may be another one.
                assert!(allows("kms:Decrypt", KEY, Some("111111111111")));
            }
            let list: serde_json::Value = serde_json::from_str(&files).unwrap();
            let list = &list["Statement"][1]["Condition"];
            assert_eq!(list["StringLike"]["s3:prefix"][0], "team/*");
            assert_eq!(list["StringEquals"]["aws:ResourceAccount"], owner);
        }
    }
}

/// A storage that was connected with a long prefix keeps on working.
#[test]
fn a_long_prefix_leaves_the_account_out() {
    let usual = parameters(Partition::Aws);
    let templates = PolicyTemplates::load().unwrap();
    let policy = |length: usize| {
        let connection = Connection {
            bucket: usual.bucket.clone(),
            settings: BucketSettings {
                access: Access::ReadWrite,
                prefix: BucketPrefix::parse(&"*".repeat(length)).unwrap(),
                ..BucketSettings::default()
            },
            credentials: Credentials::Role {
                role_arn: RoleArn::parse(ROLE).unwrap(),
                external_id: usual.external_id.clone(),
            },
        };
        templates.files_session_policy(Partition::Aws, &connection, connection.expected_owner())
    };
    let mut left_out = 0;
    for length in 1..511 {
        let Ok(policy) = policy(length) else {
            assert!(left_out > 0);
            return;
        };
        assert!(policy.chars().count() <= PolicyTemplates::MAX_SESSION_POLICY);
        left_out += usize::from(!policy.contains("aws:ResourceAccount"));
    }
    panic!("no prefix was too long");
}

#[test]
fn the_trust_policy_asks_for_the_external_id() {
    let usual = parameters(Partition::Aws);
    let trust = render(&usual).trust_policy.unwrap();
    // The evaluator knows no trust policies, which have no resource of their own: it is given the role
    // that the policy belongs to.
    let mut with_resource = trust.clone();
    with_resource["Statement"][0]["Resource"] = serde_json::json!(ROLE);
    let policy: IAMPolicy = serde_json::from_value(with_resource).unwrap();
    let assume = |external_id: Option<&str>| {
        let mut context = Context::new();
        if let Some(id) = external_id {
            context = context.with_string("sts:ExternalId", id);
        }
        let request = IAMRequest::new_with_context(
            Principal::Aws(PrincipalId::String(usual.service_principal.arn().into())),
            "sts:AssumeRole",
            Arn::parse(ROLE).unwrap(),
            context,
        );
        iam_rs::evaluate_policy(&policy, &request).unwrap() == Decision::Allow
    };
    assert!(assume(Some(&usual.external_id.to_string())));
    for wrong in [
        None,
        Some(""),
        Some("*"),
        Some("0f8fad5b-d9cb-469f-a165-708677289500"),
    ] {
        assert!(!assume(wrong), "{wrong:?}");
    }
    assert_eq!(
        trust,
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": { "sts:ExternalId": "0f8fad5b-d9cb-469f-a165-70867728950e" },
                },
            }],
        })
    );
}
