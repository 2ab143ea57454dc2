//! Session policies for what is beyond the documents' actions.
//!
//! A session policy only narrows. These let a session use permissions that a customer may have granted
//! besides the documents' own, each on the resources that the documents name, and nothing else.

use crate::domain::connection::Connection;
use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::policy_document::escape;
use serde_json::{Value, json};

/// Reading versions and ACLs, and the tags of what is copied.
const READING: &[&str] = &[
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectVersion",
    "s3:GetObjectTagging",
];
const WRITING: &[&str] = &[
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:AbortMultipartUpload",
];

impl PolicyTemplates {
    /// Objects below the prefix, with their versions, ACLs and tags, and giving up uploads.
    pub fn objects_session_policy(&self, partition: Partition, connection: &Connection) -> String {
        let actions: Vec<&str> = match connection.settings.access {
            Access::Read => READING.to_vec(),
            Access::ReadWrite => [READING, WRITING].concat(),
        };
        let on = |action| {
            self.resource_for(
                partition,
                &connection.bucket,
                &connection.settings.prefix,
                action,
                connection.settings.kms_key.as_ref(),
            )
        };
        let objects = on("s3:GetObject").map(|arn| allow(&actions, &arn));
        let key = on("kms:Decrypt").map(|arn| allow(&["kms:Decrypt", "kms:GenerateDataKey"], &arn));
        // The documents for writing grant it, those for reading do not.
        let versions = match connection.settings.access {
            Access::Read => self.statement_for(
                partition,
                &connection.bucket,
                &connection.settings.prefix,
                "s3:ListBucketVersions",
                None,
            ),
            Access::ReadWrite => None,
        };
        policy(objects.into_iter().chain(key).chain(versions).collect())
    }

    /// The names of the account's buckets. The action takes no resource but `*` (service authorization
    /// reference).
    pub fn all_buckets_session_policy(&self) -> String {
        policy(vec![allow(&["s3:ListAllMyBuckets"], "*")])
    }
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": [resource] })
}

fn policy(statements: Vec<Value>) -> String {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    escape::beyond('\u{ff}', &policy.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::Credentials;
    use crate::domain::connection::bucket_name::BucketName;
    use crate::domain::connection::bucket_prefix::BucketPrefix;
    use crate::domain::connection::settings::BucketSettings;

    #[test]
    fn sessions_stay_below_the_prefix_and_within_the_access() {
        let policies = PolicyTemplates::load().unwrap();
        let connection = |access| Connection {
            bucket: BucketName::parse("acme").unwrap(),
            settings: BucketSettings {
                prefix: BucketPrefix::parse("team*").unwrap(),
                access,
                ..BucketSettings::default()
            },
            credentials: Credentials::Service,
        };
        let text = policies.objects_session_policy(Partition::Aws, &connection(Access::Read));
        let policy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            policy["Statement"][0]["Resource"],
            json!(["arn:aws:s3:::acme/team${*}/*"])
        );
        assert!(!text.contains("Put") && !text.contains("kms:"));
        let versions = &policy["Statement"][1];
        assert_eq!(versions["Action"], json!(["s3:ListBucketVersions"]));
        assert_eq!(
            versions["Condition"]["StringLike"]["s3:prefix"],
            json!(["team${*}/*"])
        );
        let text =
            policies.objects_session_policy(Partition::AwsCn, &connection(Access::ReadWrite));
        assert!(text.contains("arn:aws-cn:s3:::acme/") && text.contains("s3:AbortMultipartUpload"));
    }
}
