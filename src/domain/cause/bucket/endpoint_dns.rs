//! The endpoint's name has no address.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The name could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointDns {
    /// The endpoint's host, and its port where it has one.
    pub host: String,
}

impl CauseEntry for EndpointDns {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_dns",
            Stage::Bucket,
            Side::Settings,
            "The endpoint's name has no address.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "The endpoint's name has no address",
            format!(
                "The name `{}` could not be resolved to an address.",
                self.host
            ),
            "Correct the endpoint in the settings. If the name is only known inside of a network, ask the operator.",
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
        for words in words_of::<EndpointDns>() {
            assert!(words.contains("`HOST`"), "{words}");
        }
    }
}
