//! Versions of files cannot be used.

use crate::domain::cause::denials::{Denied, IAM_PAGE};
use crate::domain::cause::entry::{CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// An action that the documents grant was denied, and the connection works without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPermissionMissing {
    pub denied: Denied,
}

impl CauseEntry for VersionPermissionMissing {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "version_permission_missing",
            Stage::Permissions,
            self.denied.side(),
            "A warning: versions of files cannot be used, because an action that the documents grant is denied.",
        )
        .may_pass();
        self.denied.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            "Versions of files cannot be used",
            format!(
                "{}{}. The other steps do not depend on it: the connection works, and operations on versions of files are refused.",
                self.denied.refused(),
                self.denied.because()
            ),
            format!("If you need them, {}", self.denied.what_lifts()),
        )
    }

    fn fix(&self) -> Option<Fix> {
        self.denied.is_implicit().then(|| Fix::AllowActions {
            actions: vec![self.denied.action.clone()],
            key: None,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Denied::examples_of_reasons("s3:ListBucketVersions")
            .into_iter()
            .map(|denied| Self { denied })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn a_statement_is_offered_only_where_it_is_missing() {
        for (cause, words) in VersionPermissionMissing::examples()
            .iter()
            .zip(words_of::<VersionPermissionMissing>())
        {
            assert_eq!(cause.fix().is_some(), cause.denied.is_implicit());
            assert_eq!(
                words.contains("statement shown here"),
                cause.fix().is_some()
            );
            assert!(words.contains("the connection works"), "{words}");
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
