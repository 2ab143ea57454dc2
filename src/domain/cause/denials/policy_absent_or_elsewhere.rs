//! No policy allows anything that was asked for.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::IAM_PAGE;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Every action is refused because no policy allows it: the policy is not attached, or is for another bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAbsentOrElsewhere {
    pub caller: Caller,
    pub bucket: String,
}

impl CauseEntry for PolicyAbsentOrElsewhere {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "policy_absent_or_elsewhere",
            Stage::Permissions,
            self.caller.side(),
            "No policy of the role or user allows anything that was asked for: it is not attached, or is for another bucket.",
        )
        .likely()
        .may_pass();
        self.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            format!(
                "No policy of {} allows anything on this bucket",
                self.caller.object()
            ),
            format!(
                "{} refused every call to `{}` because no policy of {} allows it. Most often the permission policy is not attached, or it is for another bucket.",
                self.caller.answerer(),
                self.bucket,
                self.caller.object()
            ),
            match self.caller {
                Caller::Role(_) | Caller::AccessKey { .. } => {
                    "Attach the permission policy shown here. If there is one already, compare the bucket's name in it."
                }
                Caller::Service => {
                    "Ask the operator to attach the permission policy shown here to the service's identity."
                }
            },
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            self.caller.look_at_policies(Candidate::new(
                "not_attached",
                format!("No policy is attached to {}.", self.caller.object()),
            )),
            self.caller.look_at_policies(Candidate::new(
                "other_bucket",
                format!(
                    "The policy names another bucket than `{}`, or its ARN is misspelt.",
                    self.bucket
                ),
            )),
            self.caller.look_by_simulation(
                Candidate::new(
                    "condition",
                    "Every statement has a condition that the calls do not meet.",
                ),
                "s3:ListBucket",
                &format!("arn:aws:s3:::{}", self.bucket),
            ),
        ]
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::PermissionPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Caller::examples()
            .map(|caller| Self {
                caller,
                bucket: "BUCKET".to_owned(),
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn the_whole_policy_is_offered() {
        for (cause, words) in PolicyAbsentOrElsewhere::examples()
            .iter()
            .zip(words_of::<PolicyAbsentOrElsewhere>())
        {
            assert_eq!(cause.fix(), Some(Fix::PermissionPolicy));
            assert_eq!(words.contains("operator"), cause.caller == Caller::Service);
            if cause.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
