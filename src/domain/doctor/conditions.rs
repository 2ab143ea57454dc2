//! Condition blocks: operators and keys that do not exist, and a set operator that lets the absent in.

use crate::domain::doctor::code::Code;
use crate::domain::doctor::condition::{Base, OPERATORS, Operator, SetOperator};
use crate::domain::doctor::finding::{Notes, Severity, Words};
use crate::domain::doctor::pattern::nearest;
use crate::domain::doctor::policy::{Condition, Effect, Policy, Statement};
use crate::domain::invalid::shown;

/// Keys that policies about buckets, keys and roles have. Service authorization reference; IAM user guide, "AWS
/// global condition context keys".
const KEYS: [&str; 72] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:Ec2InstanceSourceVpc",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:SourceVpcArn",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "aws:ViaAWSService",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
    "s3:authType",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:ResourceAccount",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:TlsVersion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:if-match",
    "s3:if-none-match",
    "s3:LocationConstraint",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
    "sts:DurationSeconds",
    "sts:TransitiveTagKeys",
    "kms:CallerAccount",
    "kms:ViaService",
    "kms:GrantIsForAWSResource",
    "kms:EncryptionContextKeys",
];

pub fn look(policy: &Policy, notes: &mut Notes) {
    for statement in &policy.statements {
        for condition in &statement.conditions {
            if notes.is_full() {
                return;
            }
            let Some(operator) = Operator::parse(&condition.operator) else {
                unknown_operator(condition, notes);
                continue;
            };
            key(condition, notes);
            set_operator(statement, condition, operator, notes);
        }
    }
}

fn unknown_operator(condition: &Condition, notes: &mut Notes) {
    let text = condition.operator.as_str();
    let words = Words::new(
        format!("`{}` is no condition operator", shown(text)),
        "AWS refuses a policy with an operator that it does not know. Letter case counts.",
        match nearest(text, OPERATORS) {
            Some(meant) => format!("Write `{meant}`, if that is meant."),
            None => "Take one of IAM's operators, like `StringEquals`.".to_owned(),
        },
    );
    notes.add(
        Severity::Error,
        Code::OperatorUnknown,
        &condition.place,
        words,
    );
}

/// A key that is like a known one and is none. Others may be of services that are not in the list.
fn key(condition: &Condition, notes: &mut Notes) {
    let text = condition.key.as_str();
    let known = KEYS.iter().any(|key| key.eq_ignore_ascii_case(text));
    if known || text.contains('/') {
        return;
    }
    let without_service = !text.contains(':');
    let meant = match without_service {
        true => KEYS.into_iter().find(|key| {
            key.split_once(':')
                .is_some_and(|(_, name)| name.eq_ignore_ascii_case(text))
        }),
        false => nearest(text, KEYS),
    };
    if meant.is_none() && !without_service {
        return;
    }
    let words = Words::new(
        format!("There is no condition key `{}`", shown(text)),
        "AWS takes a key that it does not know as one that no request has: a condition that asks for a value never holds.",
        match meant {
            Some(meant) => format!("Write `{meant}`, if that is meant."),
            None => "Write the key with its service, like `aws:SourceIp`.".to_owned(),
        },
    );
    notes.add(
        Severity::Warning,
        Code::ConditionKeyUnknown,
        &condition.place,
        words,
    );
}

fn set_operator(
    statement: &Statement,
    condition: &Condition,
    operator: Operator,
    notes: &mut Notes,
) {
    if statement.effect != Effect::Allow || operator.set != Some(SetOperator::ForAllValues) {
        return;
    }
    let guarded = statement.conditions.iter().any(|other| {
        other.key.eq_ignore_ascii_case(&condition.key)
            && Operator::parse(&other.operator).is_some_and(|o| o.base == Base::Null)
            && other.values.iter().any(|value| value.text == "false")
    });
    if guarded {
        return;
    }
    let words = Words::new(
        "`ForAllValues` is true where the key is absent",
        format!(
            "The condition on `{}` holds for every request that has no such key, so the statement allows those too.",
            shown(&condition.key)
        ),
        format!(
            "Use the operator without `ForAllValues:`, or add `\"Null\": {{\"{}\": \"false\"}}`.",
            shown(&condition.key)
        ),
    );
    notes.add(
        Severity::Security,
        Code::ForAllValuesWithoutNull,
        &condition.place,
        words,
    );
}
