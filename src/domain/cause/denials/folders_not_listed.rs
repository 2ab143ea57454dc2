//! The prefix can be listed, and a folder below it cannot.

use crate::domain::cause::denials::{Denied, IAM_PAGE};
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// As by StringEquals on `s3:prefix`, or StringLike without `*` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldersNotListed {
    pub denied: Denied,
    /// Other actions of listing that are refused the same way.
    pub also: Vec<String>,
    /// The prefix of the settings. Empty: the top of the bucket.
    pub prefix: String,
    pub folder: String,
}

impl CauseEntry for FoldersNotListed {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "folders_not_listed",
            Stage::Permissions,
            self.denied.side(),
            "The prefix can be listed and a folder below it cannot, as by `StringEquals` on `s3:prefix`.",
        )
        .likely()
        .may_pass();
        self.denied.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        let parent = match self.prefix.is_empty() {
            true => "The top of the bucket".to_owned(),
            false => format!("`{}`", self.prefix),
        };
        let remedy = match self.denied.is_implicit() {
            true => format!(
                "Use StringLike with `{}*` on `s3:prefix` in the statement for `s3:ListBucket`, as the statement shown here does.",
                self.prefix
            ),
            false => format!(
                "If {} has a condition on `s3:prefix` for `s3:ListBucket`, use StringLike with `{}*` in it. Otherwise, {}",
                self.denied.caller.policy(),
                self.prefix,
                self.denied.what_lifts()
            ),
        };
        let how = match self.denied.is_implicit() {
            true => {
                " A condition on `s3:prefix` with StringEquals does that, or one with StringLike and no `*` at its end."
            }
            false => "",
        };
        Words::new(
            "Folders below the prefix cannot be listed",
            format!(
                "{parent} can be listed. {} for its folder `{}`{}.{how}",
                self.denied.refused(),
                self.folder,
                self.denied.because()
            ),
            remedy,
        )
    }

    fn fix(&self) -> Option<Fix> {
        let mut actions = vec!["s3:ListBucket".to_owned()];
        actions.extend(self.also.iter().cloned());
        self.denied
            .is_implicit()
            .then_some(Fix::AllowActions { actions, key: None })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        let of = |prefix: &str| {
            let (prefix, folder) = (prefix.to_owned(), format!("{prefix}FOLDER/"));
            Denied::examples_of_reasons("s3:ListBucket")
                .into_iter()
                .map(move |denied| Self {
                    denied,
                    also: Vec::new(),
                    prefix: prefix.clone(),
                    folder: folder.clone(),
                })
        };
        of("PREFIX/").chain(of("")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn a_statement_is_offered_only_where_it_is_missing() {
        for (cause, words) in FoldersNotListed::examples()
            .iter()
            .zip(words_of::<FoldersNotListed>())
        {
            assert!(words.contains(&format!("`{}`", cause.folder)), "{words}");
            assert!(words.contains(&format!("`{}*`", cause.prefix)), "{words}");
            assert_eq!(cause.fix().is_some(), cause.denied.is_implicit());
            assert_eq!(
                words.contains("statement shown here"),
                cause.fix().is_some()
            );
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
