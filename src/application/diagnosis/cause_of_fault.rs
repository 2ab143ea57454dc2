//! What one fault says by itself, with what the other answers add.

use crate::application::diagnosis::cause_of_denial::is_implicit;
use crate::application::diagnosis::evidence::{AbsentKey, Gathered};
use crate::application::diagnosis::fault::{Fault, What};
use crate::application::diagnosis::patterns::{action_of, denial, lacking, optional_lacks};
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_code::shown;
use crate::domain::aws_failure::{AwsFailure, DenialReason, FailureKind};
use crate::domain::cause::Cause;
use crate::domain::cause::bucket::bucket_owned_by_another_account::BucketOwnedByAnotherAccount;
use crate::domain::cause::bucket::location_not_permitted::LocationNotPermitted;
use crate::domain::cause::bucket::location_not_supported::LocationNotSupported;
use crate::domain::cause::bucket::region_differs::RegionDiffers;
use crate::domain::cause::denials::acl_permission_missing::AclPermissionMissing;
use crate::domain::cause::denials::folders_not_listed::FoldersNotListed;
use crate::domain::cause::denials::version_permission_missing::VersionPermissionMissing;
use crate::domain::cause::encryption::probe_encryption_differs::ProbeEncryptionDiffers;
use crate::domain::cause::objects::Left;
use crate::domain::cause::objects::all_archived::AllArchived;
use crate::domain::cause::objects::files_that_expire::FilesThatExpire;
use crate::domain::cause::objects::nothing_below_prefix::NothingBelowPrefix;
use crate::domain::cause::objects::object_of_other_owner::ObjectOfOtherOwner;
use crate::domain::cause::objects::probe_differs::ProbeDiffers;
use crate::domain::cause::objects::probe_left::ProbeLeft;
use crate::domain::cause::objects::probe_not_stored::ProbeNotStored;
use crate::domain::cause::signing_in::refusal_not_proven::RefusalNotProven;
use crate::domain::cause::signing_in::role_accepts_missing_external_id::RoleAcceptsMissingExternalId;
use crate::domain::cause::signing_in::role_accepts_wrong_external_id::RoleAcceptsWrongExternalId;
use crate::domain::check::{StepName, StepStatus};
use crate::domain::files::file_operation::Target;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

impl Subject<'_> {
    /// What one fault says by itself, and what follows its explanation.
    pub(super) fn cause(&self, fault: &Fault, gathered: &Gathered) -> (Cause, Option<String>) {
        let looks = &gathered.looks;
        let cause = match &fault.what {
            What::RoleNotAssumed(failure) => self.of_role(failure, looks),
            What::RoleAcceptsMissing => RoleAcceptsMissingExternalId {
                role: self.role(),
                accepts_any: matches!(
                    gathered
                        .fault(StepName::RefusesWrongExternalId)
                        .map(|fault| &fault.what),
                    Some(What::RoleAcceptsWrong { .. })
                ),
            }
            .into(),
            What::RoleAcceptsWrong { nearly } => RoleAcceptsWrongExternalId {
                role: self.role(),
                nearly: *nearly,
                accepts_none: matches!(
                    gathered
                        .fault(StepName::RefusesMissingExternalId)
                        .map(|fault| &fault.what),
                    Some(What::RoleAcceptsMissing)
                ),
            }
            .into(),
            What::RefusalNotProven(why) => RefusalNotProven { why: *why }.into(),
            What::RegionDiffers { entered, found } => RegionDiffers {
                entered: *entered,
                found: *found,
            }
            .into(),
            What::LocationDenied { failure, .. } if is_of_all(fault, failure, gathered) => {
                self.of_denial(action_of(fault.step), failure)
            }
            What::LocationDenied { found, failure } => LocationNotPermitted {
                caller: self.caller(),
                found: *found,
                is_missing: is_implicit(failure.reason()),
            }
            .into(),
            What::LocationNotSupported(failure) if is_shared_answer(failure, gathered) => {
                self.of_failure(None, failure)
            }
            What::LocationNotSupported(_) => LocationNotSupported.into(),
            What::AnotherOwner => {
                let account = self.connection.expected_owner().map(ToString::to_string);
                BucketOwnedByAnotherAccount {
                    bucket: self.bucket(),
                    account: account.unwrap_or_default(),
                    is_named: self.connection.settings.bucket_account.is_some(),
                }
                .into()
            }
            What::Failed { action, failure } => {
                self.of_call(fault.step, *action, failure, gathered)
            }
            What::FoldersNotListed { folder, failure } => {
                match failure.kind == FailureKind::AccessDenied {
                    true => FoldersNotListed {
                        denied: self.denied("s3:ListBucket", failure),
                        also: lacking(gathered, Target::Bucket).collect(),
                        prefix: self.prefix(),
                        folder: folder.clone(),
                    }
                    .into(),
                    false => self.of_failure(None, failure),
                }
            }
            What::FilesThatExpire { found, folders } => FilesThatExpire {
                bucket: self.bucket(),
                prefix: self.prefix(),
                folders: folders.clone(),
                found: found.clone(),
            }
            .into(),
            What::OptionalDenied { action, failure } => {
                let denied = self.denied(action, failure);
                match denied.action.contains("Version") {
                    true => VersionPermissionMissing { denied }.into(),
                    false => AclPermissionMissing { denied }.into(),
                }
            }
            What::NotDeleted {
                failure,
                left,
                expires,
            } => {
                let also = left
                    .as_ref()
                    .map(|key| still_there(key, self.is_at_store(), *expires));
                return (
                    self.of_call(fault.step, Some("s3:DeleteObject"), failure, gathered),
                    also,
                );
            }
            What::ProbeLeft {
                key,
                folder,
                versions,
                failure,
            } => ProbeLeft {
                key: key.clone(),
                folder: folder.clone(),
                versions: versions.clone(),
                why: self.why_left(failure),
            }
            .into(),
            What::ProbeNotStored => ProbeNotStored.into(),
            What::ProbeDiffers { size } => ProbeDiffers { size: *size }.into(),
            What::ProbeEncryptionDiffers { found, asked } => ProbeEncryptionDiffers {
                found: found.clone(),
                asked: asked.clone(),
            }
            .into(),
            What::AllArchived { listed } => AllArchived { listed: *listed }.into(),
            What::NothingBelowPrefix => NothingBelowPrefix {
                bucket: self.bucket(),
                prefix: self.prefix(),
                beside: looks.folders_beside.clone(),
            }
            .into(),
            What::CorsRefused(refused) => self.of_cors(refused, gathered),
            What::EtagNotExposed { origins } => self.of_hidden_etag(origins),
        };
        (cause, None)
    }

    /// Why a call of a step failed, with what the further looks say of it.
    fn of_call(
        &self,
        step: StepName,
        action: Option<&str>,
        failure: &AwsFailure,
        gathered: &Gathered,
    ) -> Cause {
        let is_of_listed = step == StepName::GetObject
            && gathered.looks.absent_key == Some(AbsentKey::NotFound)
            && failure.kind == FailureKind::AccessDenied
            && failure.reason() == DenialReason::NotGiven;
        if is_of_listed {
            let denial = failure.denial.as_deref();
            let named = denial.and_then(|denial| denial.resource.as_deref());
            let key = named
                .and_then(|arn| arn.split_once('/'))
                .map(|(_, key)| key);
            return ObjectOfOtherOwner {
                bucket: self.bucket(),
                key: key
                    .or(gathered.listed_key.as_deref())
                    .unwrap_or("KEY")
                    .to_owned(),
            }
            .into();
        }
        match self.of_failure(action, failure) {
            Cause::DeniedWithoutReason(mut cause) => {
                cause.is_not_requester_pays = gathered.looks.pays == Some(false);
                cause.into()
            }
            Cause::PermissionMissing(mut cause) => {
                cause.also = hidden_by(step, gathered);
                cause.into()
            }
            cause => cause,
        }
    }

    fn why_left(&self, failure: &AwsFailure) -> Left {
        match failure.kind {
            FailureKind::ObjectLocked => Left::Locked(failure.lock()),
            FailureKind::AccessDenied => {
                let words = self.of_denial("s3:DeleteObjectVersion", failure).words();
                Left::Denied {
                    is_implicit: is_implicit(failure.reason()),
                    because: words.explanation.trim_end_matches('.').to_owned(),
                    remedy: words.remedy,
                }
            }
            FailureKind::KmsDenied
            | FailureKind::BadCredentials
            | FailureKind::ClockSkew
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::InvalidRequest
            | FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::ForbiddenAddress
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => {
                Left::Answered(shown(failure.error_code.as_deref().unwrap_or_default()))
            }
        }
    }
}

/// What to say of a probe object that could not be deleted.
fn still_there(key: &str, is_at_store: bool, expires: Option<OffsetDateTime>) -> String {
    let day = format_description!("[year]-[month]-[day]");
    let expires = expires.and_then(|at| at.to_offset(UtcOffset::UTC).format(day).ok());
    let until = match (expires, is_at_store) {
        (Some(day), true) => {
            format!(" The store says that a rule of the bucket deletes it on {day}.")
        }
        (Some(day), false) => format!(" S3 says that a rule of the bucket deletes it on {day}."),
        (None, _) => String::new(),
    };
    format!(
        "The probe file `{key}` is still in the bucket. The next check removes it, if it may.{until}"
    )
}

/// Whether the listing failed in the same way as the location did, so that it is not about the location.
fn is_shared_answer(failure: &AwsFailure, gathered: &Gathered) -> bool {
    let list = gathered
        .fault(StepName::ListBucket)
        .map(|fault| &fault.what);
    matches!(list, Some(What::Failed { failure: other, .. }) if other.kind == failure.kind)
}

/// What the step lacks besides, as it would warn of, had it not failed.
fn hidden_by(step: StepName, gathered: &Gathered) -> Vec<String> {
    let beside = match step {
        StepName::ListBucket => "s3:ListBucketVersions",
        StepName::GetObject => "s3:GetObjectAcl",
        StepName::PutObject => "s3:PutObjectAcl",
        StepName::DeleteObject => "s3:DeleteObjectVersion",
        StepName::AssumeRole
        | StepName::RefusesMissingExternalId
        | StepName::RefusesWrongExternalId
        | StepName::GetBucketLocation
        | StepName::BucketOwner
        | StepName::Cors => return Vec::new(),
    };
    optional_lacks(gathered)
        .filter(|action| *action == beside)
        .map(str::to_owned)
        .collect()
}

/// Whether other steps were denied for the same reason, which a policy that does not allow one action alone is not.
fn is_of_all(fault: &Fault, failure: &AwsFailure, gathered: &Gathered) -> bool {
    let reason = failure.reason();
    let mut others = gathered
        .faults
        .iter()
        .filter(|other| other.step != fault.step && other.status == StepStatus::Failed);
    failure.kind == FailureKind::AccessDenied
        && !is_implicit(reason)
        && others.any(|other| denial(&other.what).is_some_and(|denied| denied.reason() == reason))
}
