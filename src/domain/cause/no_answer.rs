//! Calls that were not answered.

use crate::domain::aws_failure::FailureKind;

/// Why there is no usable answer. It proves nothing about permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    Throttled,
    Timeout,
    Unreachable,
    Unavailable,
    Unreadable,
    ClockSkew,
    Rejected,
}

impl NoAnswer {
    pub(crate) const REMEDY: &str = "Check again in a moment. If it stays, contact the operator.";

    /// Whether the same call may be answered later, with nothing changed.
    pub fn passes(self) -> bool {
        match self {
            Self::Throttled
            | Self::Timeout
            | Self::Unreachable
            | Self::Unavailable
            | Self::Unreadable => true,
            // The operator corrects the clock, or the request is wrong for this store.
            Self::ClockSkew | Self::Rejected => false,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Throttled => "aws_throttled",
            Self::Timeout => "aws_timeout",
            Self::Unreachable => "aws_unreachable",
            Self::Unavailable => "aws_unavailable",
            Self::Unreadable => "aws_answer_unreadable",
            Self::ClockSkew => "aws_clock_skew",
            Self::Rejected => "aws_rejected",
        }
    }

    pub(crate) fn explained(self, attempt: &str) -> String {
        let why = match self {
            Self::Throttled => "AWS asks for fewer requests at the moment",
            Self::Timeout => "AWS did not answer in time",
            Self::Unreachable => "AWS could not be reached",
            Self::Unavailable => "AWS answered with a fault of its own",
            Self::Unreadable => "the answer has not the form of S3 or STS",
            Self::ClockSkew => {
                "AWS says that this service's clock differs from its own by more than it accepts"
            }
            Self::Rejected => "AWS did not accept the request",
        };
        format!("We tried to {attempt}, and {why}. This proves nothing about the settings.")
    }
}

impl From<FailureKind> for NoAnswer {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Throttled => Self::Throttled,
            FailureKind::Timeout => Self::Timeout,
            FailureKind::Network => Self::Unreachable,
            FailureKind::Unavailable => Self::Unavailable,
            FailureKind::InvalidResponse | FailureKind::NotS3 | FailureKind::ListingIncomplete => {
                Self::Unreadable
            }
            FailureKind::ClockSkew => Self::ClockSkew,
            FailureKind::AccessDenied
            | FailureKind::KmsDenied
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::ObjectLocked
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::BadCredentials
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::InvalidRequest
            | FailureKind::ForbiddenAddress => Self::Rejected,
        }
    }
}
