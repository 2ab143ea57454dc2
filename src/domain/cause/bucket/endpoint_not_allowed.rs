//! The endpoint is in a network that the operator does not allow.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The service does not call such addresses, so nothing was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointNotAllowed {
    /// The endpoint's host, and its port where it has one.
    pub host: String,
}

impl CauseEntry for EndpointNotAllowed {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_not_allowed",
            Stage::Bucket,
            Side::Settings,
            "The endpoint is in a network that the operator does not allow.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The endpoint may not be reached from here",
            format!(
                "`{}` leads to a network that the operator does not allow customers' endpoints to be in. No request was sent.",
                self.host
            ),
            "Use a public endpoint, or ask the operator to allow the network.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            host: "HOST".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_host_is_named() {
        for words in words_of::<EndpointNotAllowed>() {
            assert!(words.contains("`HOST`"), "{words}");
        }
    }
}
