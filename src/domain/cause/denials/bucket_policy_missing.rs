//! No bucket policy allows the call.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// AWS says "because no resource-based policy allows". A bucket of another account needs one, besides the
/// caller's own policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPolicyMissing {
    pub denied: Denied,
}

impl CauseEntry for BucketPolicyMissing {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "bucket_policy_missing",
            Stage::Permissions,
            self.denied.caller.side(),
            "A bucket of another account has no bucket policy that allows the role.",
        )
        .likely()
        .may_pass();
        self.denied.caller.learn_more(facts, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html")
    }

    fn words(&self) -> Words {
        let document = match self.denied.caller {
            Caller::Role(_) => ": apply the bucket policy document there",
            Caller::AccessKey { .. } | Caller::Service => "",
        };
        Words::new(
            format!("The bucket policy does not allow {}", self.denied.actions()),
            format!(
                "{}{}. A bucket of another account than the caller's needs one, besides {}.",
                self.denied.refused(),
                self.denied.because(),
                self.denied.caller.policy()
            ),
            format!(
                "In the account of the bucket `{}`, let the bucket policy allow {} to {}{document}. {} must allow the action too.",
                self.denied.bucket,
                self.denied.actions(),
                self.denied.caller.object(),
                self.denied.caller.policy_title()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let caller = &self.denied.caller;
        vec![
            self.denied.look_at_bucket_policy(Candidate::new(
                "bucket_policy",
                "The bucket is another account's, and its bucket policy does not allow the call.",
            )),
            caller.look_by_simulation(
                Candidate::new(
                    "own_policy_too",
                    format!(
                        "{} may lack the action too: one reason is named at a time.",
                        caller.policy_title()
                    ),
                ),
                &self.denied.action,
                &self.denied.resource,
            ),
        ]
    }

    fn fix(&self) -> Option<Fix> {
        matches!(self.denied.caller, Caller::Role(_)).then_some(Fix::BucketPolicy)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
        let reason = DenialReason::By(PolicyKind::Resource, PolicyEffect::NoAllow);
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
    fn both_policies_are_named() {
        for (cause, words) in BucketPolicyMissing::examples()
            .iter()
            .zip(words_of::<BucketPolicyMissing>())
        {
            assert!(words.contains("In the account of the bucket"), "{words}");
            assert!(words.contains("must allow the action too"), "{words}");
            assert_eq!(words.contains("document"), cause.fix().is_some());
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
