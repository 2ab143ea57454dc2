//! Browsers may upload, and may not read the ETag of what they uploaded.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// The answer to the preflight does not expose it, and uploads in parts end with the ETags of their parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsEtagNotExposed {
    pub cors: RefusedCors,
}

impl CauseEntry for CorsEtagNotExposed {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_etag_not_exposed",
            Stage::Browsers,
            Side::CustomerAccount,
            "A warning: browsers may upload, and not read the ETag, which uploads in parts need.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "Browsers may not read the ETag of an upload",
            format!(
                "The bucket's CORS rules allow {}, and do not have `ETag` in `ExposeHeaders`. Small uploads work. Uploads in parts from a browser fail at their end, because they need the ETag of each part.",
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
        for words in assert_servers_need_none::<CorsEtagNotExposed>() {
            assert!(
                words.contains("`ExposeHeaders`")
                    && words.contains("`ORIGIN`")
                    && words.contains("Small uploads work"),
                "{words}"
            );
        }
    }
}
