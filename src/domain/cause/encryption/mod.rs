//! Causes in KMS and other keys.

pub mod customer_key_needed;
pub mod kms_denied;
pub mod kms_denied_without_reason;
pub mod kms_disabled;
pub mod kms_foreign_key;
pub mod kms_invalid_state;
pub mod kms_invalid_usage;
pub mod kms_key_not_entered;
pub mod kms_key_policy;
pub mod kms_not_found;
pub mod kms_other_key;
pub mod kms_pending_deletion;
pub mod kms_permission_missing;
pub mod probe_encryption_differs;

use crate::domain::aws_failure::PolicyKind;
use crate::domain::cause::caller::Caller;
use crate::domain::cause::entry::{Candidate, Side};
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::policy_document::escape;

/// Where a key's policy is in the console.
const KEY_PAGE: &str = "KMS > Customer managed keys > the key > Key policy";

/// A denied action on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedKey {
    /// Like `kms:Decrypt`.
    pub action: String,
    pub caller: Caller,
    pub bucket: String,
    /// The key, from AWS's sentence.
    pub key: Option<KmsKeyArn>,
    /// The key of the settings.
    pub entered: Option<KmsKeyArn>,
}

impl DeniedKey {
    /// The command that shows the key's own policy.
    fn get_key_policy(&self) -> String {
        format!(
            "{} --policy-name default --query Policy --output text",
            key_command("get-key-policy", self.key.as_ref().map(KmsKeyArn::as_str))
        )
    }

    /// Adds where the key's own policy is.
    fn look_at_key_policy(&self, candidate: Candidate) -> Candidate {
        candidate.console(KEY_PAGE).cli(self.get_key_policy())
    }

    /// Adds where the key's state and Region are.
    fn look_at_key(&self, candidate: Candidate) -> Candidate {
        candidate
            .console("KMS > Customer managed keys > the key > General configuration")
            .cli(describe_key(self.key.as_ref().map(KmsKeyArn::as_str)))
    }

    /// Adds what the caller's policies come to.
    fn look_at_own_policy(&self, candidate: Candidate) -> Candidate {
        let key = self.key.as_ref().map_or("KEY_ARN", KmsKeyArn::as_str);
        self.caller.look_by_simulation(candidate, &self.action, key)
    }

    /// Adds which key a file is encrypted with.
    fn look_at_file(&self, candidate: Candidate) -> Candidate {
        candidate
            .console(format!(
                "S3 > {} > the file > Properties > Server-side encryption settings",
                self.bucket
            ))
            .cli(format!(
                "aws s3api head-object --bucket {} --key KEY --query SSEKMSKeyId --output text",
                escape::for_shell(&self.bucket)
            ))
    }

    fn key_in_words(&self) -> String {
        key_in_words(self.key.as_ref().map(KmsKeyArn::as_str))
    }

    /// For documents and tests.
    #[cfg(test)]
    fn example() -> Self {
        let [caller, ..] = Caller::examples();
        let key = KmsKeyArn::parse(
            "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        );
        Self {
            action: "kms:Decrypt".to_owned(),
            caller,
            bucket: "BUCKET".to_owned(),
            key: key.ok(),
            entered: None,
        }
    }

    /// One for each caller that AWS has.
    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Caller::examples()
            .into_iter()
            .filter(|caller| !caller.is_at_store())
            .map(|caller| Self {
                caller,
                ..Self::example()
            })
            .collect()
    }

    #[cfg(test)]
    fn unnamed() -> Self {
        Self {
            key: None,
            ..Self::example()
        }
    }
}

/// A command of KMS about one key.
fn key_command(command: &str, key: Option<&str>) -> String {
    let key = key.map_or_else(|| "KEY_ARN".to_owned(), escape::for_shell);
    format!("aws kms {command} --key-id {key}")
}

/// The command that shows a key's state.
fn describe_key(key: Option<&str>) -> String {
    key_command("describe-key", key)
}

/// Who manages the policies of a kind, of whoever calls.
fn side_of(by: PolicyKind, caller: &Caller) -> Side {
    match by {
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => Side::CustomerOrganization,
        PolicyKind::VpcEndpoint | PolicyKind::Session => Side::Service,
        PolicyKind::Identity
        | PolicyKind::PermissionsBoundary
        | PolicyKind::Resource
        | PolicyKind::RoleTrust => caller.side(),
    }
}

fn key_in_words(key: Option<&str>) -> String {
    match key {
        Some(key) => format!("the KMS key `{key}`"),
        None => "the KMS key of the bucket's objects".to_owned(),
    }
}
