//! The role does not take over what the service's own session carries.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::AskedRole;

/// AWS names `sts:TagSession` or `sts:SetSourceIdentity` in place of `sts:AssumeRole`. Tags that are transitive, as those
/// of EKS Pod Identity, and a source identity go with every role that a session assumes, and each such role must allow it
/// (IAM user guide, "Pass session tags in AWS STS", "Monitor and control actions taken with assumed roles").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionAttributesRefused {
    pub role: AskedRole,
    pub what: SessionAttribute,
}

/// What the service's session carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAttribute {
    Tags,
    SourceIdentity,
}

impl SessionAttribute {
    /// The attribute that an action is about. `None`: it is about none.
    pub fn of(action: &str) -> Option<Self> {
        match action {
            "sts:TagSession" => Some(Self::Tags),
            "sts:SetSourceIdentity" => Some(Self::SourceIdentity),
            _ => None,
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Tags => "sts:TagSession",
            Self::SourceIdentity => "sts:SetSourceIdentity",
        }
    }
}

impl CauseEntry for SessionAttributesRefused {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_attributes_refused",
            Stage::SigningIn,
            Side::Service,
            "The service's own session carries session tags or a source identity that the role does not let in. Only the operator can fix this.",
        )
        .likely()
        .bearing(Bearing::Undecided)
        .learn_more("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html")
    }

    fn words(&self) -> Words {
        let action = self.what.action();
        let (carries, remove) = match self.what {
            SessionAttribute::Tags => (
                "session tags that go on to every role it assumes",
                "Let the service run without transitive session tags. With EKS Pod Identity, set `disableSessionTags` in its association.",
            ),
            SessionAttribute::SourceIdentity => (
                "a source identity that goes on to every role it assumes",
                "Let the service sign in without a source identity.",
            ),
        };
        Words::new(
            format!("AWS refused {action}"),
            format!(
                "AWS refused {action}, which is asked for because the service's own session carries {carries}. The trust policy of the documents for `{}` allows `sts:AssumeRole` alone. AWS names one reason at a time, so the external ID may be wrong too.",
                self.role.arn
            ),
            format!("{remove} Then check again."),
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [SessionAttribute::Tags, SessionAttribute::SourceIdentity]
            .map(|what| Self {
                role: AskedRole::example(),
                what,
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn it_names_the_action_and_is_the_operators() {
        let [tags, identity]: [String; 2] =
            words_of::<SessionAttributesRefused>().try_into().unwrap();
        assert!(tags.contains("sts:TagSession") && tags.contains("disableSessionTags"));
        assert!(identity.contains("sts:SetSourceIdentity") && !identity.contains("TagSession"));
        assert_eq!(SessionAttribute::of("sts:AssumeRole"), None);
    }
}
