//! A reason was given that this service does not know.

use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// The sentence has a reason in it that is none of the documented ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedForUnknownReason {
    pub denied: Denied,
}

impl CauseEntry for DeniedForUnknownReason {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_for_unknown_reason",
            Stage::Permissions,
            Side::Service,
            "AWS gave a reason that this service does not know.",
        )
        .one_of()
        .may_pass()
    }

    fn words(&self) -> Words {
        Words::new(
            format!(
                "{} may not use {}",
                self.denied.caller.subject(),
                self.denied.actions()
            ),
            format!(
                "{} for a reason that this service does not know, so it is not known which policy refused.",
                self.denied.refused()
            ),
            "Send the operator the request ID: the log has the answer's own words. Meanwhile, look at the causes below.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let caller = &self.denied.caller;
        vec![
            caller.look_by_simulation(
                Candidate::new(
                    "own_policy",
                    format!("{} does not allow it, or denies it.", caller.policy_title()),
                ),
                &self.denied.action,
                &self.denied.resource,
            ),
            self.denied.look_at_bucket_policy(Candidate::new(
                "bucket_policy",
                "The bucket policy denies it, or is another account's and does not allow it.",
            )),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::DenialReason;
        Denied::examples("s3:GetObject", DenialReason::Unrecognised)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn nothing_is_claimed_and_nothing_offered() {
        for (cause, words) in DeniedForUnknownReason::examples()
            .iter()
            .zip(words_of::<DeniedForUnknownReason>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("not known which policy"), "{words}");
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
