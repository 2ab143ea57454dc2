//! What answers at the endpoint is no store.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::policy_document::escape;

/// A page for people, or an answer that shows nothing of an S3-compatible store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointNotS3 {
    /// The endpoint's host, and its port where it has one.
    pub host: String,
    /// As it was entered.
    pub endpoint: String,
}

impl CauseEntry for EndpointNotS3 {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_not_s3",
            Stage::Bucket,
            Side::Settings,
            "What answers at the endpoint is not an S3-compatible store: a proxy, a console, or a page for people.",
        )
        .one_of()
        .may_pass()
    }

    fn words(&self) -> Words {
        Words::new(
            "What answers at the endpoint is no store",
            format!(
                "`{}` answered with something that S3-compatible stores do not send, such as a page for people.",
                self.host
            ),
            "Enter the endpoint of the store's S3 API: often another name or port than its console. If it is right, look at the proxy in between.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = format!("curl -i {}", escape::for_shell(&self.endpoint));
        vec![
            Candidate::new("proxy", "A proxy or a firewall between the service and the store answers in its place.").cli(look.clone()),
            Candidate::new("console", "The endpoint is the store's console or web page, and its API has another name or port.").cli(look),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            host: "HOST".to_owned(),
            endpoint: "https://HOST".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn the_host_is_named() {
        for words in words_of::<EndpointNotS3>() {
            assert!(words.contains("`HOST`"), "{words}");
        }
    }
}
