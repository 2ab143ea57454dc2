//! The endpoint's certificate or its TLS is not accepted.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// The TLS handshake failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTls {
    /// The endpoint's host, and its port where it has one.
    pub host: String,
}

impl CauseEntry for EndpointTls {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_tls",
            Stage::Bucket,
            Side::Settings,
            "The endpoint's certificate is not trusted, or it does not speak TLS.",
        )
        .one_of()
    }

    fn words(&self) -> Words {
        Words::new(
            "No secure connection to the endpoint",
            format!(
                "A connection to `{}` was made, and TLS could not be agreed on: its certificate is not trusted, or it does not speak TLS.",
                self.host
            ),
            "Install a certificate of a public authority for this name at the store, or ask the operator to trust the store's own authority. If the store speaks HTTP only, enter the endpoint with `http://`, where the operator allows it.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = format!("openssl s_client -connect {} </dev/null", self.host);
        vec![
            Candidate::new("certificate", "The certificate is of another name, has expired, or is signed by an authority that the service does not trust.")
                .cli(look.clone()),
            Candidate::new("no_tls", "The endpoint speaks HTTP without TLS on this port.").cli(look),
        ]
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
        for words in words_of::<EndpointTls>() {
            assert!(words.contains("`HOST`"), "{words}");
        }
    }
}
