//! Session tags of the service's own session leave no room for the session policy.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::signing_in::ABOUT_ASSUME_ROLE;

/// `PackedPolicyTooLarge`, and STS names the tags. EKS Pod Identity adds six.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTagsTooLarge;

impl CauseEntry for SessionTagsTooLarge {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_tags_too_large",
            Stage::SigningIn,
            Side::Service,
            "Session tags of the service's own session leave no room for the session policy. Only the operator can fix this.",
        )
        .bearing(Bearing::Undecided)
        .learn_more(ABOUT_ASSUME_ROLE)
    }

    fn words(&self) -> Words {
        Words::new(
            "Session tags leave no room for the session policy",
            "STS packs the session policy and the session tags together, and says that the tags take more than the space that is left. The tags are those of the service's own session, as EKS Pod Identity adds them.",
            "Ask the operator to switch session tags off (`disableSessionTags` in the association of EKS Pod Identity). A shorter bucket prefix helps only if little is missing.",
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
    fn the_prefix_is_not_blamed() {
        for words in words_of::<SessionTagsTooLarge>() {
            assert!(words.contains("disableSessionTags") && !words.contains("too long"));
        }
    }
}
