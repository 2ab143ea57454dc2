//! Causes in the bucket's CORS rules.

pub mod cors_etag_not_exposed;
pub mod cors_headers_missing;
pub mod cors_method_missing;
pub mod cors_none;
pub mod cors_origin_missing;
pub mod cors_origin_port;
pub mod cors_origin_scheme;
pub mod cors_origin_slash;

use crate::domain::cause::entry::{Candidate, Facts};
#[cfg(test)]
use crate::domain::cause::{
    entry::CauseEntry,
    fix::Fix,
    testing::{assert_no_aws, words_of},
};
use crate::domain::policy_document::escape;

/// What preflights were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCors {
    pub bucket: String,
    /// At a store that is not AWS.
    pub is_at_store: bool,
    pub origins: Vec<String>,
    pub methods: Vec<String>,
}

impl RefusedCors {
    /// Like "GET, PUT from `https://app.example.com`".
    fn in_words(&self) -> String {
        format!(
            "{} from `{}`",
            self.methods.join(", "),
            self.origins.join("`, `")
        )
    }

    fn page(&self) -> String {
        match self.is_at_store {
            true => format!("the CORS rules of the bucket `{}`", self.bucket),
            false => format!(
                "S3 > {} > Permissions > Cross-origin resource sharing (CORS)",
                self.bucket
            ),
        }
    }

    /// Adds where the rules are.
    fn look(&self, candidate: Candidate) -> Candidate {
        match self.is_at_store {
            true => {
                candidate.console("The store's own administration: the CORS rules of the bucket")
            }
            false => candidate.console(self.page()).cli(format!(
                "aws s3api get-bucket-cors --bucket {}",
                escape::for_shell(&self.bucket)
            )),
        }
    }

    /// The facts of a cause in the CORS rules, with AWS's document where it is AWS.
    fn documented(&self, facts: Facts) -> Facts {
        match self.is_at_store {
            true => facts,
            false => facts.learn_more(
                "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html",
            ),
        }
    }

    fn remedy(&self) -> String {
        format!(
            "In {}, put the rule shown here in place of the one for these origins, and keep the rules of others. If only servers use the bucket, set `browser_access` to false instead: it then needs no CORS rules.",
            self.page()
        )
    }

    /// For documents and tests.
    #[cfg(test)]
    fn examples() -> [Self; 2] {
        [false, true].map(|is_at_store| Self {
            bucket: "BUCKET".to_owned(),
            is_at_store,
            origins: vec!["ORIGIN".to_owned()],
            methods: vec!["GET".to_owned(), "PUT".to_owned()],
        })
    }
}

/// What the tests of these causes share.
#[cfg(test)]
fn assert_servers_need_none<T: CauseEntry>() -> Vec<String> {
    let all = words_of::<T>();
    for words in &all {
        assert!(words.contains("`browser_access` to false"), "{words}");
    }
    for cause in T::examples() {
        assert_eq!(cause.fix(), Some(Fix::Cors));
        if cause.facts().learn_more.is_none() {
            assert_no_aws(&cause);
        }
    }
    all
}
