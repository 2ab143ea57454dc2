//! The bucket has no CORS rule for any of the service's origins.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Every preflight of every origin and method is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsNone {
    pub cors: RefusedCors,
}

impl CauseEntry for CorsNone {
    fn facts(&self) -> Facts {
        self.cors.documented(
            Facts::proved(
                "cors_none",
                Stage::Browsers,
                Side::CustomerAccount,
                "The bucket has no CORS rule that lets in any of the service's pages.",
            )
            .one_of(),
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "Browsers may not use the bucket",
            format!(
                "The store refused every preflight: {}. So the bucket has no CORS rule for these origins.",
                self.cors.in_words()
            ),
            self.cors.remedy(),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |one: Candidate| self.cors.look(one);
        vec![
            look(Candidate::new(
                "no_rules",
                "The bucket has no CORS configuration.",
            )),
            look(Candidate::new(
                "other_origins",
                format!(
                    "Its rules name other origins than {}, such as another host or port.",
                    self.cors.origins.join(", ")
                ),
            )),
        ]
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
        for words in assert_servers_need_none::<CorsNone>() {
            assert!(
                words.contains("`ORIGIN`")
                    && words.contains("GET, PUT")
                    && words.contains("every preflight"),
                "{words}"
            );
        }
    }
}
