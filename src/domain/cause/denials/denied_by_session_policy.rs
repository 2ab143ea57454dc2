//! The service's own session policy does not allow the action.

use crate::domain::cause::denials::Denied;
use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// The service limits each session to the bucket and the prefix. A denial by that is its own fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedBySessionPolicy {
    pub denied: Denied,
}

impl CauseEntry for DeniedBySessionPolicy {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_session_policy",
            Stage::Permissions,
            Side::Service,
            "The service's own session policy does not allow the action.",
        )
        .bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        Words::new(
            "The service's own session does not allow it",
            format!(
                "AWS refused {}: the session policy that the service limits itself to this bucket and prefix with does not allow it. There is nothing to change in the customer's account.",
                self.denied.actions()
            ),
            "Send the operator the AWS request ID.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
        let reason = DenialReason::By(PolicyKind::Session, PolicyEffect::NoAllow);
        let [role, ..] = Denied::examples_at_aws("s3:GetObject", reason);
        vec![Self { denied: role }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_customer_is_asked_for_nothing() {
        for (cause, words) in DeniedBySessionPolicy::examples()
            .iter()
            .zip(words_of::<DeniedBySessionPolicy>())
        {
            assert_eq!((cause.fix(), cause.facts().side), (None, Side::Service));
            assert_eq!(cause.facts().bearing, Bearing::Undecided);
            assert!(!cause.facts().may_pass_later);
            assert!(
                words.contains("nothing to change in the customer's account"),
                "{words}"
            );
        }
    }
}
