//! The check could not remove what it wrote.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};
use crate::domain::cause::fix::Fix;
use crate::domain::cause::objects::Left;

/// A file, or versions of it, are still in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeLeft {
    pub key: String,
    /// The folder of the check's own files, below the prefix, with its slash at the end.
    pub folder: String,
    /// Versions that are still there. Empty: the file itself.
    pub versions: Vec<String>,
    pub why: Left,
}

impl CauseEntry for ProbeLeft {
    fn facts(&self) -> Facts {
        Facts::proved(
            "probe_left",
            Stage::Objects,
            Side::CustomerAccount,
            "A warning: the file, or a version of it, could not be removed; the explanation has its key, its versions and why.",
        )
        .may_pass()
    }

    fn words(&self) -> Words {
        let versions = match self.versions.as_slice() {
            [] => String::new(),
            [one] => format!(", version `{one}`,"),
            several => format!(", versions `{}`,", several.join("`, `")),
        };
        let (because, remedy) = self.why.words();
        Words::new(
            "The check could not remove what it wrote",
            format!(
                "The probe file `{}`{versions} is still in the bucket: {because}. It is small and holds nothing of yours. The connection works otherwise.",
                self.key
            ),
            remedy,
        )
    }

    fn fix(&self) -> Option<Fix> {
        let is_missing = matches!(
            self.why,
            Left::Denied {
                is_implicit: true,
                ..
            }
        );
        is_missing.then(|| Fix::AllowOnProbes {
            action: "s3:DeleteObjectVersion".to_owned(),
            folder: self.folder.clone(),
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        [
            Left::Locked(None),
            Left::Denied {
                is_implicit: true,
                because: "no policy of the role allows it".to_owned(),
                remedy: "Allow it.".to_owned(),
            },
            Left::Denied {
                is_implicit: false,
                because: "a policy denies it".to_owned(),
                remedy: "Remove the Deny.".to_owned(),
            },
            Left::Answered("with the code `CODE`".to_owned()),
        ]
        .map(|why| Self {
            key: "KEY".to_owned(),
            folder: "temp/".to_owned(),
            versions: vec!["VERSION".to_owned()],
            why,
        })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn only_what_is_missing_is_offered() {
        words_of::<ProbeLeft>();
        let fixes: Vec<bool> = ProbeLeft::examples()
            .iter()
            .map(|cause| cause.fix().is_some())
            .collect();
        assert_eq!(fixes, [false, true, false, false]);
    }
}
