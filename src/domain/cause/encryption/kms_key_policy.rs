//! The key's own policy does not allow its use, or denies it.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// AWS names a resource-based policy, of an action of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKeyPolicy {
    pub denied: DeniedKey,
    /// A statement denies it. Otherwise none allows it.
    pub is_explicit: bool,
}

impl CauseEntry for KmsKeyPolicy {
    fn facts(&self) -> Facts {
        Facts::proved(
            "kms_key_policy",
            Stage::Encryption,
            self.denied.caller.side(),
            "The key's own policy does not allow its use, or denies it.",
        )
        .may_pass()
        .learn_more("https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html")
    }

    fn words(&self) -> Words {
        let caller = &self.denied.caller;
        let (how, remedy) = match (self.is_explicit, self.fix().is_some()) {
            (true, _) => (
                "denies",
                match caller.role_arn() {
                    Some(arn) => format!(
                        "Remove the Deny from the key's policy, or except the role by the further condition `\"ArnNotEquals\": {{\"aws:PrincipalArn\": \"{arn}\"}}`. A statement that allows the action does not help."
                    ),
                    None => format!(
                        "Remove the Deny from the key's policy, or except {} from it. A statement that allows the action does not help.",
                        caller.object()
                    ),
                },
            ),
            (false, true) => (
                "does not allow",
                format!(
                    "Add the statement shown here to the key's policy. If the key is another account's, {} must allow the action on it too.",
                    caller.policy()
                ),
            ),
            (false, false) => (
                "does not allow",
                format!(
                    "Let the key's policy allow {} to {}. If the key is another account's, {} must allow the action on it too.",
                    self.denied.action,
                    caller.object(),
                    caller.policy()
                ),
            ),
        };
        let remedy = format!(
            "{remedy} `{}` shows the policy.",
            self.denied.get_key_policy()
        );
        Words::new(
            format!("The key's policy does not let {} use it", caller.object()),
            format!(
                "The policy of {} {how} {} to {}.",
                self.denied.key_in_words(),
                self.denied.action,
                caller.object()
            ),
            remedy,
        )
    }

    fn fix(&self) -> Option<Fix> {
        if self.is_explicit || !matches!(self.denied.caller, Caller::Role(_)) {
            return None;
        }
        let key = self.denied.key.clone()?;
        Some(Fix::KeyPolicy { key })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let mut all = DeniedKey::examples();
        all.push(DeniedKey::unnamed());
        [false, true]
            .into_iter()
            .flat_map(|is_explicit| {
                all.clone().into_iter().map(move |denied| Self {
                    denied,
                    is_explicit,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn a_deny_is_lifted_by_no_statement() {
        for (cause, words) in KmsKeyPolicy::examples()
            .iter()
            .zip(words_of::<KmsKeyPolicy>())
        {
            let is_role = matches!(cause.denied.caller, Caller::Role(_));
            assert_eq!(
                cause.fix().is_some(),
                !cause.is_explicit && is_role && cause.denied.key.is_some()
            );
            assert_eq!(
                words.contains("statement shown here"),
                cause.fix().is_some()
            );
            assert_eq!(words.contains("ArnNotEquals"), cause.is_explicit && is_role);
            assert_eq!(words.contains("the role"), is_role, "{words}");
        }
    }
}
