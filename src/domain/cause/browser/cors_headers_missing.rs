//! The CORS rules let the request in, and not with its headers.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// The same preflight without its headers is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsHeadersMissing {
    pub cors: RefusedCors,
}

impl CauseEntry for CorsHeadersMissing {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_headers_missing",
            Stage::Browsers,
            Side::CustomerAccount,
            "The CORS rules do not allow the headers that uploads send.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "The headers of uploads are not allowed to browsers",
            format!(
                "The bucket's CORS rules refuse {}, and allow the same without the headers that an upload sends. `AllowedHeaders` lacks them.",
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
        for words in assert_servers_need_none::<CorsHeadersMissing>() {
            assert!(
                words.contains("`AllowedHeaders`") && words.contains("`ORIGIN`"),
                "{words}"
            );
        }
    }
}
