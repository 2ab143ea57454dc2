//! The role, the bucket and the KMS key in different accounts: each account has its own documents.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::policy_document::{DocumentName, DocumentParameters};
use crate::it::documents::rendering::{parameters, render};
use crate::it::documents::script::{Run, run};
use serde_json::{Value, json};

pub const ROLE_ACCOUNT: &str = "444455556666";
pub const BUCKET_ACCOUNT: &str = "222222222222";
pub const KEY_ACCOUNT: &str = "333333333333";

/// A role in one account, the bucket in a second, the key in a third.
pub fn three(partition: Partition) -> DocumentParameters {
    let usual = parameters(partition);
    let key = format!(
        "arn:{partition}:kms:{}:{KEY_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        usual.region.unwrap()
    );
    DocumentParameters {
        bucket_account: Some(AccountId::parse(BUCKET_ACCOUNT).unwrap()),
        kms_key: Some(KmsKeyArn::parse(&key).unwrap()),
        ..usual
    }
}

pub fn in_account<'a>(account: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("ACCOUNT", account)], more].concat()
}

/// Runs a script where it belongs.
pub fn runs(script: &str, arguments: &[&str], account: &str, answers: &[(&str, &str)]) -> Run {
    let run = run(script, arguments, &in_account(account, answers));
    assert_eq!(run.status, 0, "{}", run.stderr);
    run
}

#[test]
fn until_the_role_is_known_there_is_one_script_that_looks_where_it_is() {
    let documents = render(&DocumentParameters {
        role_arn: None,
        ..three(Partition::Aws)
    });
    for name in [
        DocumentName::BucketPolicy,
        DocumentName::KeyPolicy,
        DocumentName::CliBucket,
        DocumentName::CloudformationBucket,
        DocumentName::CliKey,
    ] {
        assert_eq!(documents.text(name), Ok(None), "{}", name.as_str());
    }
    let accounts = documents.accounts.as_ref().unwrap();
    assert_eq!(accounts.role.id, None);
    assert_eq!(
        accounts.bucket.id.as_ref().map(AccountId::as_str),
        Some(BUCKET_ACCOUNT)
    );
    let script = documents.cli.as_deref().unwrap();
    let elsewhere = runs(script, &[], ROLE_ACCOUNT, &[]);
    assert_eq!(elsewhere.changes(), ["create-role", "put-role-policy"]);
    assert!(
        elsewhere.stderr.contains(BUCKET_ACCOUNT),
        "{}",
        elsewhere.stderr
    );
    let at_home = runs(script, &[], BUCKET_ACCOUNT, &[]);
    assert_eq!(at_home.changes().len(), 4);
}

#[test]
fn every_document_is_listed_for_one_account() {
    let documents = render(&three(Partition::Aws));
    let accounts = documents.accounts.as_ref().unwrap();
    let key = accounts.key.as_ref().unwrap();
    let mut listed: Vec<DocumentName> = Vec::new();
    for (account, id) in [
        (&accounts.role, ROLE_ACCOUNT),
        (&accounts.bucket, BUCKET_ACCOUNT),
        (key, KEY_ACCOUNT),
    ] {
        assert_eq!(account.id.as_ref().map(AccountId::as_str), Some(id));
        listed.extend(account.documents.iter().copied());
    }
    for name in DocumentName::ALL {
        assert!(documents.text(name).unwrap().is_some());
        assert_eq!(listed.iter().filter(|one| **one == name).count(), 1);
    }
    // In one account, there is nothing for others.
    let one = render(&DocumentParameters {
        bucket_account: Some(AccountId::parse(ROLE_ACCOUNT).unwrap()),
        ..parameters(Partition::Aws)
    });
    assert_eq!(
        (one.cli_bucket, one.cli_key, one.key_policy),
        (None, None, None)
    );
    assert_eq!(one.cli, render(&parameters(Partition::Aws)).cli);
}

#[test]
fn the_bucket_s_template_sets_the_policy_of_the_right_account() {
    let documents = render(&three(Partition::Aws));
    let text = documents.cloudformation_bucket.as_deref().unwrap();
    let template: Value = serde_saphyr::from_str(text).unwrap();
    let properties = &template["Resources"]["BucketPolicy"]["Properties"];
    assert_eq!(properties["Bucket"], "acme-data");
    assert_eq!(
        Some(&properties["PolicyDocument"]),
        documents.bucket_policy.as_ref()
    );
    assert_eq!(
        template["Rules"]["RightAccount"]["Assertions"][0]["Assert"],
        json!({"Fn::Equals": [{"Ref": "AWS::AccountId"}, BUCKET_ACCOUNT]})
    );
}

#[test]
fn partitions_and_hostile_prefixes_stay_values_in_every_account_s_script() {
    for partition in Partition::ALL {
        for prefix in [
            "it's ${a} \"b\" `touch pwned` $(touch pwned)/",
            "\\ ; rm -rf * | x/ü 中/",
            " leading and  double/",
        ] {
            let documents = render(&DocumentParameters {
                prefix: BucketPrefix::parse(prefix).unwrap_or_default(),
                ..three(partition)
            });
            let policy = documents.bucket_policy.as_ref().unwrap();
            let run = runs(
                documents.cli_bucket.as_deref().unwrap(),
                &[],
                BUCKET_ACCOUNT,
                &[],
            );
            assert_eq!(&run.json("put-bucket-policy", "--policy"), policy);
            let put = run.json(
                "put-bucket-lifecycle-configuration",
                "--lifecycle-configuration",
            );
            assert_eq!(Some(put), documents.lifecycle);
            let own = policy.to_string();
            let again = runs(
                documents.cli_bucket.as_deref().unwrap(),
                &[],
                BUCKET_ACCOUNT,
                &[("BUCKET_POLICY", &own)],
            );
            assert!(!again.changes().contains(&"put-bucket-policy"));
            let role = RoleArn::parse(
                documents.key_policy.as_ref().unwrap()["Statement"][0]["Principal"]["AWS"]
                    .as_str()
                    .unwrap(),
            )
            .unwrap();
            assert_eq!(role.partition(), partition);
            assert!(
                policy["Statement"][0]["Resource"][0]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("arn:{partition}:s3:::acme-data"))
            );
        }
    }
}
