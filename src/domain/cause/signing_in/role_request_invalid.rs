//! STS does not accept the form of the role's ARN or of the session.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::ABOUT_ASSUME_ROLE;

/// `ValidationError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRequestInvalid {
    /// The role's ARN.
    pub arn: String,
}

impl CauseEntry for RoleRequestInvalid {
    fn facts(&self) -> Facts {
        Facts::proved(
            "role_request_invalid",
            Stage::SigningIn,
            Side::Settings,
            "STS does not accept the form of the role's ARN or of the session.",
        )
        .likely()
        .learn_more(ABOUT_ASSUME_ROLE)
    }

    fn words(&self) -> Words {
        Words::new(
            "STS does not accept the role's ARN or the session",
            format!(
                "STS says that a value of the AssumeRole call does not have the form that it takes: the role's ARN `{}`, the length of the session, or its policy.",
                self.arn
            ),
            "Copy the role's ARN again from IAM > Roles, and check that its partition is the service's. If it is right, send the operator the AWS request ID.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            arn: "arn:aws:iam::222222222222:role/ROLE".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_arn_is_shown() {
        for words in words_of::<RoleRequestInvalid>() {
            assert!(words.contains("role/ROLE"));
        }
    }
}
