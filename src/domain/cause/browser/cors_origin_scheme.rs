//! The CORS rules name the origin with the other scheme.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// A preflight of that origin is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsOriginScheme {
    pub cors: RefusedCors,
    /// The origin that is allowed.
    pub allowed: String,
}

impl CauseEntry for CorsOriginScheme {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_origin_scheme",
            Stage::Browsers,
            Side::CustomerAccount,
            "The CORS rules name the origin with the other scheme.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "The origin has another scheme in the CORS rules",
            format!(
                "The bucket's CORS rules refuse {}, and allow `{}`. The rule names the other of `http` and `https`.",
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
        for words in assert_servers_need_none::<CorsOriginScheme>() {
            assert!(
                words.contains("`ALLOWED-ORIGIN`") && words.contains("from `ORIGIN`"),
                "{words}"
            );
        }
    }
}
