//! A policy on the service's own side does not let it call AssumeRole.

use crate::domain::aws_failure::{PolicyEffect, PolicyKind};
use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// AWS names a policy of the caller. Service control policies bind the account of whoever calls, not the role's
/// (Organizations user guide, "Service control policies").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNotPermitted {
    pub by: PolicyKind,
    pub effect: PolicyEffect,
    /// The service's own identity, where it is known.
    pub service: Option<String>,
    /// The policy, where AWS names it.
    pub policy_arn: Option<String>,
    /// The role's ARN.
    pub role: String,
}

/// Whose policies are on the side of whoever calls.
#[cfg(test)]
const KINDS: [PolicyKind; 5] = [
    PolicyKind::Identity,
    PolicyKind::ServiceControl,
    PolicyKind::PermissionsBoundary,
    PolicyKind::VpcEndpoint,
    PolicyKind::Session,
];

impl ServiceNotPermitted {
    fn policy(&self) -> &'static str {
        match (self.by, self.effect) {
            (PolicyKind::Identity, PolicyEffect::NoAllow) => {
                "the policies of the service's identity, which do not allow it"
            }
            (PolicyKind::Identity, PolicyEffect::ExplicitDeny) => {
                "a policy of the service's identity, which denies it"
            }
            (PolicyKind::ServiceControl, _) => {
                "a service control policy of the service's organization"
            }
            (PolicyKind::PermissionsBoundary, _) => {
                "the permissions boundary of the service's identity"
            }
            (PolicyKind::VpcEndpoint, _) => "the policy of the VPC endpoint that the service uses",
            (
                PolicyKind::Session
                | PolicyKind::Resource
                | PolicyKind::RoleTrust
                | PolicyKind::ResourceControl,
                _,
            ) => "the session policy that the service runs under",
        }
    }
}

impl CauseEntry for ServiceNotPermitted {
    fn facts(&self) -> Facts {
        let (code, meaning) = match (self.by, self.effect) {
            (PolicyKind::Identity, PolicyEffect::NoAllow) => (
                "service_not_permitted",
                "No policy of the service's identity lets it call AssumeRole. Only the operator can fix this.",
            ),
            (PolicyKind::Identity, PolicyEffect::ExplicitDeny) => (
                "service_denied_by_identity_policy",
                "A policy of the service's identity denies AssumeRole. Only the operator can fix this.",
            ),
            (PolicyKind::ServiceControl, _) => (
                "service_denied_by_service_control_policy",
                "A service control policy of the service's organization does not let it call AssumeRole. Only the operator can fix this.",
            ),
            (PolicyKind::PermissionsBoundary, _) => (
                "service_denied_by_permissions_boundary",
                "The permissions boundary of the service's identity does not let it call AssumeRole. Only the operator can fix this.",
            ),
            (PolicyKind::VpcEndpoint, _) => (
                "service_denied_by_vpc_endpoint_policy",
                "The policy of the service's VPC endpoint does not let it call AssumeRole. Only the operator can fix this.",
            ),
            (
                PolicyKind::Session
                | PolicyKind::Resource
                | PolicyKind::RoleTrust
                | PolicyKind::ResourceControl,
                _,
            ) => (
                "service_denied_by_session_policy",
                "The session policy that the service runs under does not let it call AssumeRole. Only the operator can fix this.",
            ),
        };
        Facts::proved(code, Stage::SigningIn, Side::Service, meaning).bearing(Bearing::Undecided)
    }

    fn words(&self) -> Words {
        let who = match &self.service {
            Some(arn) => format!(" (`{arn}`)"),
            None => String::new(),
        };
        let named = match &self.policy_arn {
            Some(arn) => format!(" AWS names the policy `{arn}`."),
            None => String::new(),
        };
        Words::new(
            "The service itself may not assume the role",
            format!(
                "AWS did not let the service{who} call sts:AssumeRole on `{}` because of {}.{named} The role was not asked. The customer cannot fix this.",
                self.role,
                self.policy()
            ),
            "Ask the operator: that policy must allow sts:AssumeRole on customers' roles, with any external ID and without one, as the check calls it.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |by, effect| Self {
            by,
            effect,
            service: Some("SERVICE-ARN".to_owned()),
            policy_arn: None,
            role: "arn:aws:iam::222222222222:role/ROLE".to_owned(),
        };
        let mut all = vec![of(PolicyKind::Identity, PolicyEffect::NoAllow)];
        all.extend(KINDS.map(|by| of(by, PolicyEffect::ExplicitDeny)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn each_policy_has_its_code() {
        assert_eq!(words_of::<ServiceNotPermitted>().len(), KINDS.len() + 1);
        let codes: std::collections::BTreeSet<_> = ServiceNotPermitted::examples()
            .iter()
            .map(|cause| cause.facts().code)
            .collect();
        assert_eq!(codes.len(), 6);
        for cause in ServiceNotPermitted::examples() {
            assert_eq!(cause.fix(), None);
        }
    }
}
