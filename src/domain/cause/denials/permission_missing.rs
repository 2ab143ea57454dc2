//! No policy of the caller allows one action.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::IAM_PAGE;
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// AWS says "because no identity-based policy allows", and other actions are allowed. A statement for another
/// bucket or folder, or with a condition that the call does not meet, counts as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionMissing {
    pub action: String,
    /// Further actions of the same step that no policy allows, and that the connection works without.
    pub also: Vec<String>,
    pub caller: Caller,
}

impl CauseEntry for PermissionMissing {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "permission_missing",
            Stage::Permissions,
            self.caller.side(),
            "No policy of the role or user allows the action for what was asked.",
        )
        .may_pass();
        self.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        let action = &self.action;
        Words::new(
            format!("{} may not use {action}", self.caller.subject()),
            format!(
                "{} refused {action}: no policy of {} allows it for what was asked.{} A statement for another bucket or folder, or with a condition that the call does not meet, counts as none.",
                self.caller.answerer(),
                self.caller.object(),
                match self.also.as_slice() {
                    [] => String::new(),
                    also => format!(" None allows {} either.", also.join(" and ")),
                }
            ),
            match self.caller {
                Caller::Role(_) => {
                    "Add the statement shown here to the role's permission policy, or apply the permission policy again."
                }
                Caller::AccessKey { .. } => {
                    "Add the statement shown here to a policy of the access key's user."
                }
                Caller::Service => {
                    "Ask the operator to add the statement shown here to the policy of the service's identity."
                }
            },
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::AllowActions {
            actions: [vec![self.action.clone()], self.also.clone()].concat(),
            key: None,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |caller| Self {
            action: "s3:GetObject".to_owned(),
            also: vec!["s3:GetObjectAcl".to_owned()],
            caller,
        };
        Caller::examples().map(of).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn it_speaks_of_whoever_called() {
        let [role, user, service, store]: [String; 4] =
            words_of::<PermissionMissing>().try_into().unwrap();
        assert!(role.contains("role's permission policy") && !role.contains("access key"));
        assert!(user.contains("access key's user") && !user.contains("the role"));
        assert!(service.contains("operator"));
        assert!(store.contains("The store refused"));
        for cause in PermissionMissing::examples() {
            if cause.caller.is_at_store() {
                assert_no_aws(&cause);
            }
        }
    }
}
