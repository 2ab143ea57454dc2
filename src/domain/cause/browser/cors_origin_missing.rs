//! The CORS rules let in some of the service's origins, and not all.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Another origin is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsOriginMissing {
    pub cors: RefusedCors,
}

impl CauseEntry for CorsOriginMissing {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_origin_missing",
            Stage::Browsers,
            Side::CustomerAccount,
            "The CORS rules let in some of the service's origins, and not this one.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "One of the service's origins is not allowed",
            format!(
                "The bucket's CORS rules refuse {}, and let another origin of the service in.",
                self.cors.in_words()
            ),
            self.cors.remedy(),
        )
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::Cors)
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        RefusedCors::examples().map(|cors| Self { cors }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::browser::assert_servers_need_none;

    #[test]
    fn it_says_what_is_refused() {
        for words in assert_servers_need_none::<CorsOriginMissing>() {
            assert!(
                words.contains("`ORIGIN`") && words.contains("GET, PUT"),
                "{words}"
            );
        }
    }
}
