//! A KMS key and its denials, which the emulator does not know: in S3's words for them.

use crate::it::support::aws::stub::{denied, s3_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::worlds::account::Account;
use crate::it::worlds::sentences::kms_denial;
use crate::it::worlds::world::Names;

/// The key that the bucket's files are encrypted with.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub state: KeyState,
    /// Whether the key's policy leaves the decision to the account's own policies, as the default one does.
    pub trusts_account: bool,
    /// Whether new files are encrypted with it: the bucket's default.
    pub of_bucket: bool,
    /// Whether files that are there are.
    pub of_files: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion,
    Unavailable,
    NotFound,
    /// It is of another account, which does not share it.
    OutOfReach,
}

pub const KEY: Key = Key {
    state: KeyState::Enabled,
    trusts_account: true,
    of_bucket: true,
    of_files: true,
};

impl Key {
    /// S3's answer, where KMS does not do what it needs.
    pub fn refuses(&self, request: &Request, account: &Account, names: &Names) -> Option<Reply> {
        let (_, key) = request.bucket_and_key();
        let is_probe = key.contains("sallyport-check-");
        let action = match request.operation().as_str() {
            "GetObject" if key.contains("absent") => return None,
            "GetObject" if is_probe && self.of_bucket => "kms:Decrypt",
            "GetObject" if !is_probe && self.of_files && key.ends_with("a.txt") => "kms:Decrypt",
            "PutObject" if self.of_bucket => "kms:GenerateDataKey",
            _ => return None,
        };
        let arn = &names.key_arn;
        match self.state {
            KeyState::Enabled => {}
            KeyState::Disabled => {
                let text = format!("{arn} is disabled.");
                return Some(s3_error(400, "KMS.DisabledException", &text));
            }
            KeyState::PendingDeletion => {
                let text = format!("{arn} is pending deletion.");
                return Some(s3_error(400, "KMS.KMSInvalidStateException", &text));
            }
            KeyState::Unavailable => {
                let text = format!("{arn} is unavailable.");
                return Some(s3_error(400, "KMS.KMSInvalidStateException", &text));
            }
            KeyState::NotFound => {
                let text = format!("Key '{arn}' does not exist");
                return Some(s3_error(400, "KMS.NotFoundException", &text));
            }
            KeyState::OutOfReach => {
                return Some(denied(
                    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
                ));
            }
        }
        let because = |kind: &str| {
            kms_denial(
                action,
                &format!("because no {kind} allows the {action} action"),
                names,
            )
        };
        if !account.allows(action, arn) {
            return Some(because("identity-based policy"));
        }
        if !account.session_allows(action, arn) {
            return Some(because("session policy"));
        }
        if !self.trusts_account && !account.key_policy_allows(action, &names.role_arn) {
            return Some(because("resource-based policy"));
        }
        None
    }
}
