//! A statement of the role's or the user's policy denies the action.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::{Denied, IAM_PAGE};
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};

/// AWS names the kind of policy, and where it does, its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByIdentityPolicy {
    pub denied: Denied,
}

impl CauseEntry for DeniedByIdentityPolicy {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "denied_by_identity_policy",
            Stage::Permissions,
            self.denied.caller.side(),
            "A statement of the role's or the user's policy denies the action.",
        )
        .may_pass();
        self.denied.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        let who = match self.denied.caller {
            Caller::Role(_) | Caller::AccessKey { .. } => "",
            Caller::Service => "Ask the operator: ",
        };
        Words::new(
            format!(
                "A policy of {} denies {}",
                self.denied.caller.object(),
                self.denied.actions()
            ),
            format!(
                "{}{}. It does not say which statement or condition it was.",
                self.denied.refused(),
                self.denied.because()
            ),
            format!(
                "{who}{} the Deny, or change its condition. No other statement can allow what one denies.",
                match who.is_empty() {
                    true => "Remove",
                    false => "remove",
                }
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            let candidate = self
                .denied
                .caller
                .look_at_policies(Candidate::new(code, text));
            match self.denied.get_named_policy() {
                Some(command) => candidate.cli(command),
                None => candidate,
            }
        };
        let mut all = vec![look(
            "condition",
            match self.denied.caller.is_at_store() {
                true => {
                    "A Deny has a condition that the call does not meet, such as a network (`aws:SourceIp`)."
                }
                false => {
                    "A Deny has a condition that the call does not meet: a network (`aws:SourceIp`, `aws:SourceVpce`), a multi-factor device (`aws:MultiFactorAuthPresent`) or a Region (`aws:RequestedRegion`)."
                }
            },
        )];
        all.push(look(
            "action_denied",
            &format!(
                "A Deny names {}, or everything but some actions (NotAction).",
                self.denied.actions()
            ),
        ));
        if let Caller::Role(_) = self.denied.caller {
            all.push(look(
                "sessions_revoked",
                "The role's sessions were revoked, by the policy `AWSRevokeOlderSessions` (`aws:TokenIssueTime`). It denies older sessions only: a new one, made by the next check, works.",
            ));
        }
        all
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
        let reason = DenialReason::By(PolicyKind::Identity, PolicyEffect::ExplicitDeny);
        Denied::examples("s3:GetObject", reason)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn no_allow_is_offered_against_a_deny() {
        for (cause, words) in DeniedByIdentityPolicy::examples()
            .iter()
            .zip(words_of::<DeniedByIdentityPolicy>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("No other statement can allow"), "{words}");
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }

    #[test]
    fn a_policy_that_is_named_is_what_the_command_shows() {
        let [role, user, ..]: [DeniedByIdentityPolicy; 4] =
            DeniedByIdentityPolicy::examples().try_into().unwrap();
        let arn = role.denied.policy_arn.clone().unwrap();
        assert!(role.words().explanation.contains(&arn));
        for candidate in role.candidates() {
            assert!(candidate.decide.cli.unwrap().contains(&arn));
        }
        let codes: Vec<String> = user.candidates().into_iter().map(|one| one.code).collect();
        assert!(!codes.contains(&"sessions_revoked".to_owned()));
    }
}
