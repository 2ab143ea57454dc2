//! The CORS rules let the origin in, and not with this method.

use crate::domain::cause::browser::RefusedCors;
use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Another method from the same origin is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsMethodMissing {
    pub cors: RefusedCors,
}

impl CauseEntry for CorsMethodMissing {
    fn facts(&self) -> Facts {
        self.cors.documented(Facts::proved(
            "cors_method_missing",
            Stage::Browsers,
            Side::CustomerAccount,
            "The CORS rules let the origin in, and not with every method that is needed.",
        ))
    }

    fn words(&self) -> Words {
        Words::new(
            "A method is not allowed to browsers",
            format!(
                "The bucket's CORS rules let some methods in, and refuse {}.",
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
        for words in assert_servers_need_none::<CorsMethodMissing>() {
            assert!(
                words.contains("`ORIGIN`") && words.contains("GET, PUT"),
                "{words}"
            );
        }
    }
}
