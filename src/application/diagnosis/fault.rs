//! What the steps of a check found that is not as it should be, before anybody says why.

use crate::domain::aws_failure::AwsFailure;
use crate::domain::cause::signing_in::refusal_not_proven::NotProven;
use crate::domain::check::problem::Evidence;
use crate::domain::check::{StepName, StepStatus};
use crate::domain::connection::region::Region;
use crate::domain::origin::OriginPattern;
use time::OffsetDateTime;

/// A fault of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub step: StepName,
    /// Failed, or a warning.
    pub status: StepStatus,
    pub what: What,
    /// The answer that it was found by.
    pub evidence: Vec<Evidence>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// AssumeRole with our own external ID failed.
    RoleNotAssumed(AwsFailure),
    /// It was answered with a session where it must be refused.
    RoleAcceptsMissing,
    RoleAcceptsWrong {
        /// Only an ID that differs in its last digit.
        nearly: bool,
    },
    RefusalNotProven(NotProven),
    RegionDiffers {
        entered: Region,
        found: Region,
    },
    LocationDenied {
        found: Option<Region>,
        failure: AwsFailure,
    },
    LocationNotSupported(AwsFailure),
    AnotherOwner,
    /// A call that needs `action` failed. `None`: it needs no permission of its own.
    Failed {
        action: Option<&'static str>,
        failure: AwsFailure,
    },
    /// The prefix can be listed, and a folder below it cannot.
    FoldersNotListed {
        folder: String,
        failure: AwsFailure,
    },
    /// Files that the service did not write are in the folders that the lifecycle document empties.
    FilesThatExpire {
        /// Keys, or folders, one for each of those folders at most.
        found: Vec<String>,
        /// Those folders, without the prefix.
        folders: [String; 2],
    },
    /// An action of the documents was denied that the connection works without.
    OptionalDenied {
        action: &'static str,
        failure: AwsFailure,
    },
    /// The probe object was not deleted. `left`: its key, where it is still in the bucket.
    NotDeleted {
        failure: AwsFailure,
        left: Option<String>,
        /// When a rule of the bucket lets it expire, where S3 said so.
        expires: Option<OffsetDateTime>,
    },
    /// Versions of the probe object are still there.
    ProbeLeft {
        key: String,
        /// The folder of probe objects, below the prefix, with its slash at the end.
        folder: String,
        versions: Vec<String>,
        failure: AwsFailure,
    },
    ProbeNotStored,
    ProbeDiffers {
        /// In bytes, as it came back.
        size: u64,
    },
    ProbeEncryptionDiffers {
        /// What it is encrypted with, in words.
        found: String,
        /// The KMS key of the settings.
        asked: String,
    },
    /// Every listed object is archived, so none could be read.
    AllArchived {
        /// How many were listed.
        listed: usize,
    },
    /// The listing answered, and found no file.
    NothingBelowPrefix,
    /// Preflights that were refused.
    CorsRefused(Vec<RefusedPreflight>),
    /// Browsers may upload, and may not read the ETag that ends an upload in parts.
    EtagNotExposed {
        origins: Vec<OriginPattern>,
    },
}

impl What {
    /// The failed call behind it. `None`: nothing failed, or the fault is about something that the call is not.
    pub fn failure(&self) -> Option<&AwsFailure> {
        match self {
            Self::Failed { failure, .. }
            | Self::NotDeleted { failure, .. }
            | Self::LocationDenied { failure, .. } => Some(failure),
            Self::RoleNotAssumed(_)
            | Self::FoldersNotListed { .. }
            | Self::RoleAcceptsMissing
            | Self::RoleAcceptsWrong { .. }
            | Self::RefusalNotProven(_)
            | Self::RegionDiffers { .. }
            | Self::LocationNotSupported(_)
            | Self::AnotherOwner
            | Self::OptionalDenied { .. }
            | Self::ProbeLeft { .. }
            | Self::ProbeNotStored
            | Self::ProbeDiffers { .. }
            | Self::ProbeEncryptionDiffers { .. }
            | Self::AllArchived { .. }
            | Self::NothingBelowPrefix
            | Self::FilesThatExpire { .. }
            | Self::CorsRefused(_)
            | Self::EtagNotExposed { .. } => None,
        }
    }
}

/// A preflight that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedPreflight {
    pub origin: OriginPattern,
    pub method: String,
}
