//! The session policy is larger than STS allows.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::ABOUT_ASSUME_ROLE;

/// `PackedPolicyTooLarge`, and STS does not name tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPolicyTooLarge;

impl CauseEntry for SessionPolicyTooLarge {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_policy_too_large",
            Stage::SigningIn,
            Side::Settings,
            "The session policy is larger than STS allows.",
        )
        .likely()
        .learn_more(ABOUT_ASSUME_ROLE)
    }

    fn words(&self) -> Words {
        Words::new(
            "The session policy is too large",
            "The policy that limits a session to this bucket and prefix is larger than STS allows. The prefix counts several times in it, and session tags of the service's own session use the same space.",
            "Choose a shorter bucket prefix. If it is short already, ask the operator whether the service's session has session tags.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn both_that_take_the_room_are_named() {
        for words in words_of::<SessionPolicyTooLarge>() {
            assert!(words.contains("shorter bucket prefix") && words.contains("session tags"));
        }
    }
}
