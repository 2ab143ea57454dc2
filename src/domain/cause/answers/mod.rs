//! Calls without a usable answer.

pub mod aws_answer_unreadable;
pub mod aws_clock_skew;
pub mod aws_rejected;
pub mod aws_throttled;
pub mod aws_timeout;
pub mod aws_unavailable;
pub mod aws_unreachable;
pub mod body_altered;
pub mod conflicting_change;
pub mod listing_incomplete;

use crate::domain::cause::entry::Bearing;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// AssumeRole with the connection's own external ID.
    AssumeRole,
    /// A call to the bucket.
    AskBucket,
    /// The same at a store that is not AWS.
    AskStore,
}

impl Attempt {
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::AssumeRole, Self::AskBucket, Self::AskStore];

    /// Who was asked, at the beginning of a sentence.
    pub fn of_whom(self) -> &'static str {
        match self {
            Self::AssumeRole => "AWS STS",
            Self::AskBucket => "Amazon S3",
            Self::AskStore => "The store",
        }
    }

    /// Like "We tried to assume the role, and AWS STS", to be followed by what it did.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::AssumeRole => "We tried to assume the role, and AWS STS",
            Self::AskBucket => "We tried to use the bucket, and Amazon S3",
            Self::AskStore => "We tried to use the bucket, and the store",
        }
    }

    /// What a call that was not accepted says of the connection.
    pub(crate) fn bearing_of_rejection(self) -> Bearing {
        match self {
            Self::AssumeRole => Bearing::Undecided,
            Self::AskBucket | Self::AskStore => Bearing::Definite,
        }
    }
}
