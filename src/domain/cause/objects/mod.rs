//! Causes in files, the check's own among them.

pub mod all_archived;
pub mod files_that_expire;
pub mod nothing_below_prefix;
pub mod object_archived;
pub mod object_locked;
pub mod object_of_other_owner;
pub mod probe_differs;
pub mod probe_left;
pub mod probe_not_stored;

use crate::domain::aws_failure::ObjectLock;
use time::macros::format_description;

/// Why the probe file could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    Locked(Option<ObjectLock>),
    Denied {
        /// AWS says that no policy of the caller allows it.
        is_implicit: bool,
        /// In words, to follow a colon.
        because: String,
        /// What to change about the denial.
        remedy: String,
    },
    /// Another answer, with its code in words.
    Answered(String),
}

impl Left {
    fn words(&self) -> (String, String) {
        match self {
            Self::Locked(lock) => (
                format!("Object Lock protects it{}", locked_until(lock.as_ref())),
                "Nothing needs to be changed. A later check removes it when the retention is over, and a permission does not help before that. Versions of files of this storage are kept in the same way.".to_owned(),
            ),
            Self::Denied {
                is_implicit: true,
                because,
                ..
            } => (
                because.clone(),
                "Allow s3:DeleteObjectVersion on the probe files, by the statement shown here. Without it, each check of a bucket with versions leaves one more, until a lifecycle rule removes it, where the bucket has one. Versions of files cannot be deleted either.".to_owned(),
            ),
            Self::Denied {
                is_implicit: false,
                because,
                remedy,
            } => (because.clone(), remedy.clone()),
            Self::Answered(code) => (
                format!("the store answered its deletion {code}"),
                "Delete it in the S3 console, or check again: the next check tries to remove it.".to_owned(),
            ),
        }
    }
}

/// What is known of a lock, in words that follow "protects it".
pub fn locked_until(lock: Option<&ObjectLock>) -> String {
    let day = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let Some(lock) = lock.filter(|lock| lock.is_known()) else {
        return "; until when is not known, because reading it needs s3:GetObjectRetention and s3:GetObjectLegalHold".to_owned();
    };
    let until = lock.until.and_then(|until| {
        let text = until.to_offset(time::UtcOffset::UTC).format(day).ok()?;
        let mode = match lock.compliance {
            true => " in compliance mode, which no one can shorten",
            false => "",
        };
        Some(format!(" until {text}{mode}"))
    });
    match (until, lock.legal_hold) {
        (Some(until), true) => format!("{until}, and by a legal hold besides"),
        (Some(until), false) => until,
        (None, _) => " by a legal hold, until someone removes it".to_owned(),
    }
}
