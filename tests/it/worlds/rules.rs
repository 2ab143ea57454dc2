//! What IAM, S3 and KMS refuse of a document, where the emulator takes it (IAM user guide, "Grammar of the IAM JSON
//! policy language" and "IAM and AWS STS quotas"; S3 user guide, "Bucket policies").

use crate::it::worlds::account::{list, statements};
use serde_json::Value;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    RoleInline,
    UserInline,
    Trust,
    Bucket,
    Key,
}

impl Kind {
    /// In characters, without blanks; a bucket's policy in bytes.
    fn most(self) -> usize {
        match self {
            Self::RoleInline => 10_240,
            Self::UserInline | Self::Trust => 2_048,
            Self::Bucket => 20_480,
            Self::Key => 32_768,
        }
    }

    fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Bucket | Self::Key)
    }
}

const ACTIONS: [&str; 26] = [
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListAllMyBuckets",
    "s3:ListBucketMultipartUploads",
    "s3:PutBucketAcl",
    "s3:GetBucketPolicy",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectVersion",
    "s3:GetObjectTagging",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:Encrypt",
    "sts:AssumeRole",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "iam:GetUser",
];

/// Whether the document is taken. The error is what AWS would say, shortened.
pub fn refusal(kind: Kind, document: &Value) -> Result<(), String> {
    let text = document.to_string();
    let is_taken = |c: char| matches!(c, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}');
    if kind != Kind::Bucket && !text.chars().all(is_taken) {
        return Err("characters that IAM does not take".into());
    }
    let size = text.chars().filter(|c| !c.is_whitespace()).count();
    if size > kind.most() {
        return Err(format!("{size} characters, of {} at most", kind.most()));
    }
    let Some(fields) = document.as_object() else {
        return Err("no JSON object".into());
    };
    for field in fields.keys() {
        if !matches!(field.as_str(), "Version" | "Id" | "Statement") {
            return Err(format!("unknown field {field}"));
        }
    }
    if !matches!(
        document["Version"].as_str(),
        Some("2012-10-17" | "2008-10-17")
    ) {
        return Err("Version".into());
    }
    let all = statements(document);
    if all.is_empty() {
        return Err("no statement".into());
    }
    let mut sids = BTreeSet::new();
    for statement in &all {
        of_statement(kind, statement)?;
        if let Some(sid) = statement["Sid"].as_str() {
            let is_plain = sid.bytes().all(|b| b.is_ascii_alphanumeric());
            if !is_plain {
                return Err(format!("Sid {sid}"));
            }
            if !sids.insert(sid.to_owned()) {
                return Err(format!(
                    "Statement IDs (SID) in a single policy must be unique: {sid}"
                ));
            }
        }
    }
    Ok(())
}

fn of_statement(kind: Kind, statement: &Value) -> Result<(), String> {
    let has = |name: &str| !statement[name].is_null();
    for field in statement
        .as_object()
        .ok_or("a statement that is none")?
        .keys()
    {
        if !matches!(
            field.as_str(),
            "Sid"
                | "Effect"
                | "Action"
                | "NotAction"
                | "Resource"
                | "NotResource"
                | "Principal"
                | "NotPrincipal"
                | "Condition"
        ) {
            return Err(format!("unknown field {field}"));
        }
    }
    if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
        return Err("Effect".into());
    }
    if has("Action") == has("NotAction") {
        return Err("Action".into());
    }
    if (has("Principal") || has("NotPrincipal")) != kind.has_principal() {
        return Err("Principal".into());
    }
    if (kind == Kind::Trust) == (has("Resource") || has("NotResource")) {
        return Err("Resource".into());
    }
    let actions = list(&statement["Action"]);
    if has("Action") && actions.is_empty() {
        return Err("no action".into());
    }
    for action in &actions {
        let is_known = action.contains('*')
            || ACTIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(action));
        if !is_known {
            return Err(format!("Policy has invalid action {action}"));
        }
        if kind == Kind::Trust && !action.starts_with("sts:") {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".into());
        }
    }
    let resources = list(&statement["Resource"]);
    for resource in &resources {
        let mut parts = resource.splitn(6, ':');
        let is_arn = parts.next() == Some("arn") && parts.count() == 5;
        if resource != "*" && !is_arn {
            return Err(format!(
                "Resource {resource} must be in ARN format or \"*\"."
            ));
        }
    }
    if kind == Kind::Bucket && statement["Effect"] == "Allow" {
        for action in &actions {
            let is_of_object = action.contains("Object") || action.contains("Multipart");
            let applies = resources
                .iter()
                .any(|arn| arn.contains('/') == is_of_object || arn == "*");
            if !applies && !action.contains('*') {
                return Err("Action does not apply to any resource(s) in statement".into());
            }
        }
    }
    Ok(())
}

#[test]
fn the_rules_are_as_aws_states_them() {
    use serde_json::json;
    let of = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let one = |sid: &str| json!({"Sid": sid, "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
    assert_eq!(
        refusal(Kind::RoleInline, &of(json!([one("A"), one("B")]))),
        Ok(())
    );
    assert!(refusal(Kind::RoleInline, &of(json!([one("A"), one("A")]))).is_err());
    assert!(refusal(Kind::RoleInline, &of(json!([one("A b")]))).is_err());
    assert!(refusal(Kind::RoleInline, &of(json!([]))).is_err());
    assert!(refusal(Kind::Bucket, &of(json!([one("A")]))).is_err());
    let many: Vec<Value> = (0..60).map(|n| one(&format!("S{n}"))).collect();
    assert_eq!(refusal(Kind::RoleInline, &of(json!(many))), Ok(()));
    assert!(refusal(Kind::UserInline, &of(json!(many))).is_err());
    let mut unknown = one("A");
    unknown["Action"] = json!("s3:GetObjects");
    assert!(refusal(Kind::RoleInline, &of(json!([unknown]))).is_err());
}
