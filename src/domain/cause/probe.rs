//! What became of the probe file that a check writes.

use crate::domain::aws_failure::ObjectLock;
use crate::domain::cause::denied::{DeniedAction, locked_until};
use crate::domain::cause::words::{CauseWords, words};

/// How the probe differs from what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeDifference {
    /// The store confirmed the write, and has no such object.
    Absent,
    /// Its bytes are others.
    Content { size: u64 },
    /// It is encrypted otherwise than the settings say.
    Encryption { found: String, asked: String },
}

/// Why the probe could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeLeft {
    Locked(Option<ObjectLock>),
    Denied(DeniedAction),
    /// Another answer, with its code.
    Answered(String),
}

pub(crate) fn differs(how: &ProbeDifference) -> CauseWords {
    match how {
        ProbeDifference::Absent => words(
            "probe_not_stored",
            "What was written is not there",
            "The store confirmed that it stored the probe file, and then said that there is no such file. Something between the service and the store may answer in its place, or something removes new files at once.",
            "Look at what is between the service and the store, and at rules of the bucket that move or delete files.",
        ),
        ProbeDifference::Content { size } => words(
            "probe_differs",
            "What was written reads back differently",
            format!(
                "The store confirmed that it stored the probe file, and gave back {size} bytes that are not the same. Something between the service and the store changes files, or answers in its place."
            ),
            "Look at what is between the service and the store. Files of this storage would be damaged in the same way.",
        ),
        ProbeDifference::Encryption { found, asked } => words(
            "probe_encryption_differs",
            "The file is encrypted otherwise than the settings say",
            format!(
                "The settings name the KMS key `{asked}`, and the probe file was encrypted with {found}."
            ),
            "Compare the KMS key in the settings with the bucket's default encryption.",
        ),
    }
}

pub(crate) fn left(key: &str, versions: &[String], why: &ProbeLeft) -> CauseWords {
    let versions = match versions {
        [] => String::new(),
        [one] => format!(", version `{one}`,"),
        several => format!(", versions `{}`,", several.join("`, `")),
    };
    let (because, remedy) = match why {
        ProbeLeft::Locked(lock) => (
            format!("Object Lock protects it{}", locked_until(lock.as_ref())),
            "Nothing needs to be changed. A later check removes it when the retention is over, and a permission does not help before that. Versions of files of this storage are kept in the same way.".to_owned(),
        ),
        ProbeLeft::Denied(denied) => {
            let words = denied.words();
            let remedy = match denied.is_missing_permission() {
                true => "Allow s3:DeleteObjectVersion on the probe files, by the statement shown here. Without it, each check of a bucket with versions leaves one more, until the rule of the lifecycle document removes it, where the bucket has that rule. Versions of files cannot be deleted either.".to_owned(),
                false => words.remedy,
            };
            (words.explanation.trim_end_matches('.').to_owned(), remedy)
        }
        ProbeLeft::Answered(code) => (
            format!("the store answered its deletion {code}"),
            "Delete it in the S3 console, or check again: the next check tries to remove it."
                .to_owned(),
        ),
    };
    words(
        "probe_left",
        "The check could not remove what it wrote",
        format!(
            "The probe file `{key}`{versions} is still in the bucket: {because}. It is small and holds nothing of yours."
        ),
        remedy,
    )
}
