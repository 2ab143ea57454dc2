//! The endpoint redirects to another address.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::fix::Setting;

/// A redirect without S3's code, and not for a bucket's Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRedirects {
    /// Where to, without a path. `None`: the answer does not say.
    pub to: Option<String>,
}

impl CauseEntry for EndpointRedirects {
    fn facts(&self) -> Facts {
        Facts::proved(
            "endpoint_redirects",
            Stage::Bucket,
            Side::Settings,
            "The endpoint redirects to another address.",
        )
    }

    fn words(&self) -> Words {
        let (where_to, remedy) = match &self.to {
            Some(to) => (
                format!("to `{to}`"),
                format!("If that is your store, enter `{to}` as the endpoint."),
            ),
            None => (
                "without saying where to".to_owned(),
                "Enter the endpoint as the store's documentation has it, with `https://` where the store wants TLS.".to_owned(),
            ),
        };
        Words::new(
            "The endpoint redirects to another address",
            format!(
                "This endpoint redirects {where_to}, and not as S3 does for a bucket in another Region. The service does not follow such a redirect: a signature is for one host, and the other host may belong to someone else."
            ),
            remedy,
        )
    }

    fn fix(&self) -> Option<Fix> {
        let to = self.to.clone()?;
        Some(Fix::Setting(Setting::Endpoint(to)))
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self {
                to: Some("https://HOST".to_owned()),
            },
            Self { to: None },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn a_target_is_offered_only_where_there_is_one() {
        words_of::<EndpointRedirects>();
        let [to, none] = EndpointRedirects::examples().try_into().unwrap();
        assert!(to.fix().is_some() && none.fix().is_none());
    }
}
