//! The policy of the operator's VPC endpoint does not allow the action.

use crate::domain::cause::denials::{Denied, IAM_PAGE};
use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// A call goes through an endpoint of its caller's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedByVpcEndpointPolicy {
    pub denied: Denied,
}

impl CauseEntry for DeniedByVpcEndpointPolicy {
    fn facts(&self) -> Facts {
        Facts::proved(
            "denied_by_vpc_endpoint_policy",
            Stage::Permissions,
            Side::Service,
            "The policy of the operator's VPC endpoint does not allow the action.",
        )
        .bearing(Bearing::Undecided)
        .learn_more(IAM_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            format!(
                "The service's VPC endpoint does not allow {}",
                self.denied.actions()
            ),
            format!(
                "AWS refused {} because the policy of a VPC endpoint does not allow it{}. The call came from the service's network, so the endpoint belongs to the operator.",
                self.denied.actions(),
                self.denied.named()
            ),
            format!(
                "Ask the operator to let the policy of the VPC endpoint allow the bucket `{}`. There is nothing to change in the customer's account.",
                self.denied.bucket
            ),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::aws_failure::{DenialReason, PolicyEffect, PolicyKind};
        let reason = DenialReason::By(PolicyKind::VpcEndpoint, PolicyEffect::NoAllow);
        Denied::examples_at_aws("s3:GetObject", reason)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_customer_is_asked_for_nothing() {
        for (cause, words) in DeniedByVpcEndpointPolicy::examples()
            .iter()
            .zip(words_of::<DeniedByVpcEndpointPolicy>())
        {
            assert_eq!((cause.fix(), cause.facts().side), (None, Side::Service));
            assert!(
                words.contains("nothing to change in the customer's account"),
                "{words}"
            );
        }
    }
}
