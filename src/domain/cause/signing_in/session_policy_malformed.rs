//! STS does not accept the session policy.

use crate::domain::aws_failure::PolicyComplaint;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::ABOUT_ASSUME_ROLE;

/// `MalformedPolicyDocument`. What STS objects to is taken from its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPolicyMalformed {
    pub complaint: PolicyComplaint,
}

impl CauseEntry for SessionPolicyMalformed {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_policy_malformed",
            Stage::SigningIn,
            Side::Settings,
            "STS says that the session policy is malformed, and which part of it.",
        )
        .likely()
        .learn_more(ABOUT_ASSUME_ROLE)
    }

    fn words(&self) -> Words {
        Words::new(
            "STS does not accept the session policy",
            format!(
                "The service sends a policy with AssumeRole that limits the session to this bucket and prefix. STS says that this policy is malformed, and {}. It is made of the bucket, the prefix, the KMS key and the bucket's account in the settings.",
                said(self.complaint)
            ),
            "Look at the bucket, the prefix and the KMS key in the settings for characters or an ARN of another partition. If they are right, send the operator the AWS request ID: the log has STS's own words.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        PolicyComplaint::ALL
            .map(|complaint| Self { complaint })
            .into()
    }
}

fn said(complaint: PolicyComplaint) -> &'static str {
    match complaint {
        PolicyComplaint::NotJson => "that it is not valid JSON",
        PolicyComplaint::Resource => "that a resource in it is not an ARN that it accepts",
        PolicyComplaint::Partition => "that it names a partition that is not this one's",
        PolicyComplaint::Syntax => "that its syntax is wrong",
        PolicyComplaint::TooLong => "that it is too long",
        PolicyComplaint::Tags => "that its session tags are wrong",
        PolicyComplaint::Unread => {
            "nothing that this report can repeat; the operator's log has its words"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn a_prefix_is_called_long_only_where_sts_says_so() {
        let too_long = words_of::<SessionPolicyMalformed>();
        let too_long = too_long.iter().filter(|words| words.contains("too long"));
        assert_eq!(too_long.count(), 1);
    }
}
