//! It could not be found out whether the role refuses others.

use crate::domain::aws_failure::{FailureKind, PolicyKind};
use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// A call that the role must refuse was not answered by the role itself, or the role refused the right one as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalNotProven {
    pub why: NotProven,
}

/// Why it is not proved that the role refuses others, although it did not let them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    NoAnswer(Silence),
    /// A policy on the service's own side refused, so the role was not asked.
    ByService(PolicyKind),
    /// AWS did not accept the service's own credentials or clock, so the role was not asked.
    OwnCredentials,
    /// AWS gave a reason that this service does not know.
    UnknownReason,
    /// The role let us in, and refused us a moment later: its trust policy is not known everywhere in STS
    /// yet, so where it refused others it may not have been known either.
    Spreading,
}

/// A call that was not answered as a role answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    Passing,
    Lasting,
}

impl From<FailureKind> for Silence {
    fn from(kind: FailureKind) -> Self {
        match kind.is_transient() {
            true => Self::Passing,
            false => Self::Lasting,
        }
    }
}

impl NotProven {
    fn words(self) -> (String, &'static str) {
        match self {
            Self::NoAnswer(Silence::Passing) => (
                "The call that the role must refuse got no usable answer: AWS asked for fewer requests, did not answer in time, or answered with a fault of its own. This proves nothing about the role.".to_owned(),
                "Check again in a moment. If the problem persists, contact the operator.",
            ),
            Self::NoAnswer(Silence::Lasting) => (
                "The call that the role must refuse was not accepted by AWS, and not in the way in which a role refuses. This proves nothing about the role.".to_owned(),
                "Send the operator the AWS request ID: the log has AWS's own words.",
            ),
            Self::ByService(by) => (
                format!(
                    "AWS refused the call because of {}. So it is not known what the role itself does with such a call. The customer cannot fix this.",
                    of_the_service(by)
                ),
                "Ask the operator: the service's identity must be allowed to call sts:AssumeRole on customers' roles also without an external ID and with a foreign one, which is how the check asks.",
            ),
            Self::OwnCredentials => (
                "AWS did not accept the call because of the service's own credentials or its clock. So it is not known what the role itself does with such a call. The customer cannot fix this.".to_owned(),
                "Try again in a moment: the service fetches other credentials. If the problem persists, contact the operator.",
            ),
            Self::UnknownReason => (
                "AWS refused the call for a reason that this service does not know, so it cannot tell whether the role refused or something else did.".to_owned(),
                "Send the operator the AWS request ID: the log has AWS's own words.",
            ),
            Self::Spreading => (
                "The role let us in, and a moment later it refused us with the same external ID. A change of the role is not known everywhere in AWS yet, so its refusals of others prove nothing.".to_owned(),
                "Wait a minute, then check again.",
            ),
        }
    }
}

fn of_the_service(by: PolicyKind) -> &'static str {
    match by {
        PolicyKind::Identity => {
            "the policies of the service's identity, which do not allow it or deny it"
        }
        PolicyKind::ServiceControl => "a service control policy of the service's organization",
        PolicyKind::PermissionsBoundary => "the permissions boundary of the service's identity",
        PolicyKind::Session => "the session policy that the service runs under",
        PolicyKind::VpcEndpoint => "the policy of the VPC endpoint that the service uses",
        PolicyKind::Resource | PolicyKind::RoleTrust | PolicyKind::ResourceControl => {
            "a policy of the service's side"
        }
    }
}

impl CauseEntry for RefusalNotProven {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "refusal_not_proven",
            Stage::SigningIn,
            match self.why {
                NotProven::NoAnswer(_) => Side::Aws,
                NotProven::ByService(_) | NotProven::OwnCredentials | NotProven::UnknownReason => {
                    Side::Service
                }
                NotProven::Spreading => Side::CustomerAccount,
            },
            "It could not be found out whether the role refuses others.",
        );
        match self.why {
            NotProven::NoAnswer(Silence::Passing) | NotProven::Spreading => facts.passing(),
            NotProven::NoAnswer(Silence::Lasting)
            | NotProven::ByService(_)
            | NotProven::OwnCredentials
            | NotProven::UnknownReason => facts.bearing(Bearing::Undecided),
        }
    }

    fn words(&self) -> Words {
        let (explanation, remedy) = self.why.words();
        Words::new(
            "It is not proved that the role refuses others",
            explanation,
            remedy,
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [
            NotProven::NoAnswer(Silence::Passing),
            NotProven::NoAnswer(Silence::Lasting),
            NotProven::ByService(PolicyKind::Identity),
            NotProven::OwnCredentials,
            NotProven::UnknownReason,
            NotProven::Spreading,
        ]
        .map(|why| Self { why })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn only_what_passes_may_pass() {
        words_of::<RefusalNotProven>();
        let passing: Vec<bool> = RefusalNotProven::examples()
            .iter()
            .map(|cause| cause.facts().may_pass_later)
            .collect();
        assert_eq!(passing, [true, false, false, false, false, true]);
    }
}
