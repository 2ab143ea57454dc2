//! Nothing answers at the endpoint.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The connection was refused, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRefused {
    /// The endpoint's host, and its port where it has one.
    pub host: String,
}

impl CauseEntry for EndpointRefused {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_refused",
            Stage::Bucket,
            Side::Settings,
            "Nothing answers at the endpoint.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "Nothing answers at the endpoint",
            format!("`{}` did not accept a connection.", self.host),
            "Correct the endpoint and its port in the settings, or start the store. A firewall in between may refuse connections too.",
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
        for words in words_of::<EndpointRefused>() {
            assert!(words.contains("`HOST`"), "{words}");
        }
    }
}
