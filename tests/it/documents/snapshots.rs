//! Every rendered document, to be read by people.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::policy_document::DocumentParameters;
use crate::it::documents::apart::three;
use crate::it::documents::rendering::{combinations, parameters, render, session_policy, special};
use serde_json::{Value, json};

#[test]
fn policies_of_every_combination() {
    for (name, parameters) in combinations() {
        // The other partitions differ from these in the ARNs alone.
        if name.starts_with("aws-iso") || name.starts_with("aws-eusc") {
            continue;
        }
        let documents = render(&parameters);
        let session: Value = serde_json::from_str(&session_policy(&parameters)).unwrap();
        insta::assert_json_snapshot!(
            name,
            json!({
                "permission_policy": documents.permission_policy,
                "trust_policy": documents.trust_policy,
                "session_policy": session,
                "bucket_policy": documents.bucket_policy,
            })
        );
    }
}

#[test]
fn every_document_for_a_prefix_of_special_characters_and_a_new_role() {
    let special = DocumentParameters {
        role_arn: None,
        ..special()
    };
    let documents = render(&special);
    insta::assert_snapshot!("special_session_policy", session_policy(&special));
    insta::assert_json_snapshot!("special_permission_policy", documents.permission_policy);
    insta::assert_json_snapshot!("special_lifecycle", documents.lifecycle);
    insta::assert_snapshot!("special_cli", documents.cli.unwrap());
    insta::assert_snapshot!("special_cloudformation", documents.cloudformation.unwrap());
    insta::assert_snapshot!("special_terraform", documents.terraform.unwrap());
}

#[test]
fn the_other_documents() {
    let team = DocumentParameters {
        prefix: BucketPrefix::parse("team").unwrap(),
        ..parameters(Partition::Aws)
    };
    let documents = render(&team);
    insta::assert_json_snapshot!("cors_read_write", documents.cors);
    insta::assert_json_snapshot!("lifecycle", documents.lifecycle);
    insta::assert_json_snapshot!("bucket_policy", documents.bucket_policy);
    insta::assert_snapshot!("cli", documents.cli.unwrap());
    insta::assert_snapshot!("cloudformation", documents.cloudformation.unwrap());
    insta::assert_snapshot!("terraform", documents.terraform.unwrap());
    let read = render(&DocumentParameters {
        grants: crate::domain::connection::grants::Grants::usual(Access::Read),
        lifecycle: false,
        ..team
    });
    insta::assert_json_snapshot!("cors_read", read.cors);
    insta::assert_snapshot!("terraform_read", read.terraform.unwrap());
}

#[test]
fn the_documents_of_three_accounts() {
    let documents = render(&three(Partition::Aws));
    insta::assert_json_snapshot!("apart_key_policy", documents.key_policy);
    insta::assert_snapshot!("apart_cli", documents.cli.unwrap());
    insta::assert_snapshot!("apart_cli_bucket", documents.cli_bucket.unwrap());
    insta::assert_snapshot!("apart_cli_key", documents.cli_key.unwrap());
    insta::assert_snapshot!("apart_terraform", documents.terraform.unwrap());
    insta::assert_snapshot!("apart_cloudformation", documents.cloudformation.unwrap());
    insta::assert_snapshot!(
        "apart_cloudformation_bucket",
        documents.cloudformation_bucket.unwrap()
    );
}
