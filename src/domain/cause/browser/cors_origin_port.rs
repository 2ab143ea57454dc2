//! The CORS rules name the origin with another port.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// A preflight of that origin is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsOriginPort {
    pub cors: RefusedCors,
    /// The origin that is allowed.
    pub allowed: String,
}

impl CauseEntry for CorsOriginPort {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_origin_port",
            Stage::Browsers,
            Side::CustomerAccount,
            "The CORS rules name the origin with another port.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "The origin has another port in the CORS rules",
            format!(
                "The bucket's CORS rules refuse {}, and allow `{}`. The rule names another port, or none.",
                self.cors.in_words(),
                self.allowed
            ),
            self.cors.remedy(),
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::Cors)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        RefusedCors::examples()
            .map(|cors| Self {
                cors,
                allowed: "ALLOWED-ORIGIN".to_owned(),
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::browser::assert_servers_need_none;

    #[test]
    fn both_origins_are_shown() {
        for words in assert_servers_need_none::<CorsOriginPort>() {
            assert!(
                words.contains("`ALLOWED-ORIGIN`") && words.contains("from `ORIGIN`"),
                "{words}"
            );
        }
    }
}
