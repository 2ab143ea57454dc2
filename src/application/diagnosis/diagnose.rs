//! From everything that a check found out to its findings: no call is made here, and the same answers always give
//! the same findings.

use crate::application::bucket::probe::PutEncryption;
use crate::application::diagnosis::cause_of_denial::is_implicit;
use crate::application::diagnosis::evidence::{AbsentKey, Gathered};
use crate::application::diagnosis::fault::{Fault, What};
use crate::application::diagnosis::finding::Finding;
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_code::shown;
use crate::domain::aws_failure::{AwsFailure, DenialReason, FailureKind, PolicyEffect, PolicyKind};
use crate::domain::cause::Cause;
use crate::domain::cause::bucket::bucket_owned_by_another_account::BucketOwnedByAnotherAccount;
use crate::domain::cause::bucket::location_not_permitted::LocationNotPermitted;
use crate::domain::cause::bucket::location_not_supported::LocationNotSupported;
use crate::domain::cause::bucket::region_differs::RegionDiffers;
use crate::domain::cause::bucket::requester_pays::RequesterPays;
use crate::domain::cause::denials::Denied;
use crate::domain::cause::denials::acl_permission_missing::AclPermissionMissing;
use crate::domain::cause::denials::bucket_policy_denies_all::BucketPolicyDeniesAll;
use crate::domain::cause::denials::bucket_policy_needs_encryption::{
    BucketPolicyNeedsEncryption, Encryption,
};
use crate::domain::cause::denials::folders_not_listed::FoldersNotListed;
use crate::domain::cause::denials::list_condition_or_arn_wrong::ListConditionOrArnWrong;
use crate::domain::cause::denials::object_arn_or_prefix_wrong::ObjectArnOrPrefixWrong;
use crate::domain::cause::denials::policy_absent_or_elsewhere::PolicyAbsentOrElsewhere;
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
use crate::domain::check::problem::Evidence;
use crate::domain::check::{StepName, StepStatus};
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::files::file_operation::{Target, target_of};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// The steps that were denied for a reason that is asked for.
type StepsBy<'a> = dyn Fn(&dyn Fn(DenialReason) -> bool) -> Vec<StepName> + 'a;

/// The steps that ask for files.
const OF_OBJECTS: [StepName; 3] = [
    StepName::GetObject,
    StepName::PutObject,
    StepName::DeleteObject,
];

impl Subject<'_> {
    /// What is behind the faults, in the order of the report. Each fault is explained by one finding.
    pub(crate) fn diagnose(&self, gathered: &Gathered) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut left: Vec<&Fault> = gathered.faults.iter().collect();
        // What the location shares with other calls is told by those.
        left.sort_by_key(|fault| fault.step == StepName::GetBucketLocation);
        for (cause, steps) in self.patterns(gathered) {
            let (explained, rest): (Vec<&Fault>, Vec<&Fault>) = left
                .into_iter()
                .partition(|fault| steps.contains(&fault.step));
            left = rest;
            findings.extend(over(cause, &explained));
        }
        for fault in left {
            let (cause, also) = self.cause(fault, gathered);
            match findings
                .iter_mut()
                .find(|finding| is_same(&finding.cause, &cause))
            {
                Some(finding) => {
                    // A read names no key of KMS, and a write does.
                    if key_of(&finding.cause).is_none() && key_of(&cause).is_some() {
                        finding.cause = cause.clone();
                    }
                    let mut cause = cause;
                    if let (Some(known), Some(one)) =
                        (denied_of(&mut finding.cause), denied_of(&mut cause))
                    {
                        known.and(&one.action);
                    }
                    finding.steps.push((fault.step, fault.evidence.clone()));
                    finding.also = finding.also.take().or(also);
                }
                None => findings.push(Finding {
                    cause,
                    steps: vec![(fault.step, fault.evidence.clone())],
                    also,
                }),
            }
        }
        for finding in &mut findings {
            finding.steps.sort_by_key(|(step, _)| *step);
        }
        findings.sort_by_key(|finding| finding.steps.first().map(|(step, _)| *step));
        findings
    }

    /// Causes that show in the answers of several steps together, with the steps that they explain.
    fn patterns(&self, gathered: &Gathered) -> Vec<(Cause, Vec<StepName>)> {
        let mut found = Vec::new();
        let denied: Vec<(StepName, &AwsFailure)> = gathered
            .faults
            .iter()
            .filter_map(|fault| Some((fault.step, denial(&fault.what)?)))
            .collect();
        let by = |wanted: &dyn Fn(DenialReason) -> bool| -> Vec<StepName> {
            denied
                .iter()
                .filter(|(_, failure)| wanted(failure.reason()))
                .map(|(step, _)| *step)
                .collect()
        };
        // A bare denial that the agreement to pay lifts.
        let bare = by(&|reason| reason == DenialReason::NotGiven);
        if !bare.is_empty() && gathered.looks.pays == Some(true) {
            let bucket = self.bucket();
            found.push((RequesterPays { bucket }.into(), bare));
            return found;
        }
        if let Some(found) = self.foreign_bucket(gathered, &by) {
            return vec![found];
        }
        let implicit = by(&is_implicit);
        let of_objects = |steps: &[StepName]| -> Vec<StepName> {
            OF_OBJECTS
                .into_iter()
                .filter(|step| steps.contains(step))
                .collect()
        };
        let asked_of_objects: Vec<StepName> = OF_OBJECTS
            .into_iter()
            .filter(|step| gathered.passed(*step) || gathered.fault(*step).is_some())
            .collect();
        let all_objects_refused =
            !asked_of_objects.is_empty() && of_objects(&implicit) == asked_of_objects;
        let no_list = implicit.contains(&StepName::ListBucket);
        let lists = gathered.passed(StepName::ListBucket)
            || gathered.fault(StepName::ListBucket).is_some_and(|fault| {
                matches!(
                    fault.what,
                    What::NothingBelowPrefix { .. }
                        | What::OptionalDenied { .. }
                        | What::FilesThatExpire { .. }
                )
            });
        if no_list
            && implicit.contains(&StepName::GetBucketLocation)
            && (all_objects_refused || asked_of_objects.is_empty())
        {
            found.push((
                PolicyAbsentOrElsewhere {
                    caller: self.caller(),
                    bucket: self.bucket(),
                }
                .into(),
                implicit.clone(),
            ));
        }
        let is_absent = !found.is_empty();
        // The location is allowed, so the policy is of this bucket: its prefix is wrong in both.
        let neither =
            no_list && all_objects_refused && gathered.passed(StepName::GetBucketLocation);
        if !is_absent && all_objects_refused && (neither || lists && asked_of_objects.len() > 1) {
            let mut actions: Vec<String> = denied
                .iter()
                .filter(|(step, _)| OF_OBJECTS.contains(step))
                .map(|(step, failure)| self.denied(action_of(*step), failure).action)
                .collect();
            actions.extend(lacking(gathered, Target::Objects));
            found.push((
                ObjectArnOrPrefixWrong {
                    caller: self.caller(),
                    lists,
                    actions,
                    resource: self.resource_for("s3:GetObject").unwrap_or_default(),
                }
                .into(),
                asked_of_objects.clone(),
            ));
        }
        let others_pass = gathered.passed(StepName::GetBucketLocation)
            || OF_OBJECTS.iter().any(|step| gathered.passed(*step));
        if !is_absent && no_list && others_pass {
            found.push((
                ListConditionOrArnWrong {
                    caller: self.caller(),
                    bucket: self.bucket(),
                    prefix: self.prefix(),
                    also: lacking(gathered, Target::Bucket).collect(),
                }
                .into(),
                vec![StepName::ListBucket],
            ));
        }
        // A Deny of the bucket's policy, by how much it covers.
        let explicit = by(&|reason| {
            reason == DenialReason::By(PolicyKind::Resource, PolicyEffect::ExplicitDeny)
        });
        let covers_all = explicit.contains(&StepName::ListBucket)
            && of_objects(&explicit) == asked_of_objects
            && (explicit.len() > 1 || asked_of_objects.is_empty());
        if covers_all
            && let Some((step, failure)) = denied.iter().find(|(step, _)| explicit.contains(step))
        {
            let denied = self.denied(action_of(*step), failure);
            found.push((BucketPolicyDeniesAll { denied }.into(), explicit));
        } else if let Some(passes_with) = gathered.looks.put_passes_with
            && let Some((step, failure)) =
                denied.iter().find(|(step, _)| *step == StepName::PutObject)
        {
            found.push((
                BucketPolicyNeedsEncryption {
                    denied: self.denied(action_of(*step), failure),
                    passes_with: match passes_with {
                        PutEncryption::S3 => Encryption::S3,
                        PutEncryption::Kms => Encryption::Kms,
                    },
                }
                .into(),
                vec![*step],
            ));
        }
        found
    }

    /// The session is narrowed to what the bucket's account owns, and allows the rest. So where it allows nothing of the
    /// bucket, another account owns it.
    fn foreign_bucket(
        &self,
        gathered: &Gathered,
        by: &StepsBy<'_>,
    ) -> Option<(Cause, Vec<StepName>)> {
        let account = self.connection.expected_owner()?;
        let mut steps =
            by(&|reason| reason == DenialReason::By(PolicyKind::Session, PolicyEffect::NoAllow));
        let asked = [
            StepName::GetBucketLocation,
            StepName::ListBucket,
            StepName::GetObject,
            StepName::PutObject,
            StepName::DeleteObject,
        ];
        let is_all = steps.contains(&StepName::ListBucket)
            && asked.iter().all(|step| !gathered.passed(*step));
        if !is_all {
            return None;
        }
        steps.push(StepName::BucketOwner);
        let cause = BucketOwnedByAnotherAccount {
            bucket: self.bucket(),
            account: account.to_string(),
            is_named: self.connection.settings.bucket_account.is_some(),
        };
        Some((cause.into(), steps))
    }

    /// What one fault says by itself, and what follows its explanation.
    fn cause(&self, fault: &Fault, gathered: &Gathered) -> (Cause, Option<String>) {
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
            What::FilesThatExpire { found } => FilesThatExpire {
                bucket: self.bucket(),
                prefix: self.prefix(),
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
                versions,
                failure,
            } => ProbeLeft {
                key: key.clone(),
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
            What::NothingBelowPrefix { beside } => NothingBelowPrefix {
                bucket: self.bucket(),
                prefix: self.prefix(),
                beside: match beside.is_empty() {
                    true => looks.folders_beside.clone(),
                    false => beside.clone(),
                },
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

/// The denial of S3 behind a fault.
fn denial(what: &What) -> Option<&AwsFailure> {
    let failure = match what {
        What::Failed { failure, .. }
        | What::NotDeleted { failure, .. }
        | What::LocationDenied { failure, .. } => failure,
        What::RoleNotAssumed(_)
        | What::FoldersNotListed { .. }
        | What::RoleAcceptsMissing
        | What::RoleAcceptsWrong { .. }
        | What::RefusalNotProven(_)
        | What::RegionDiffers { .. }
        | What::LocationNotSupported(_)
        | What::AnotherOwner
        | What::OptionalDenied { .. }
        | What::ProbeLeft { .. }
        | What::ProbeNotStored
        | What::ProbeDiffers { .. }
        | What::ProbeEncryptionDiffers { .. }
        | What::AllArchived { .. }
        | What::NothingBelowPrefix { .. }
        | What::FilesThatExpire { .. }
        | What::CorsRefused(_)
        | What::EtagNotExposed { .. } => return None,
    };
    (failure.kind == FailureKind::AccessDenied).then_some(failure)
}

/// The actions on this target that no policy allows, and that the connection works without.
fn lacking(gathered: &Gathered, on: Target) -> impl Iterator<Item = String> {
    let implicit = gathered.optional.iter().filter(move |(action, failure)| {
        is_implicit(failure.reason()) && target_of(action) == Some(on)
    });
    implicit.map(|(action, _)| (*action).to_owned())
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
    [Target::Bucket, Target::Objects]
        .into_iter()
        .flat_map(|target| lacking(gathered, target))
        .filter(|action| action == beside)
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

/// The action that a step needs.
fn action_of(step: StepName) -> &'static str {
    match step {
        StepName::GetBucketLocation | StepName::BucketOwner => "s3:GetBucketLocation",
        StepName::ListBucket => "s3:ListBucket",
        StepName::GetObject => "s3:GetObject",
        StepName::PutObject => "s3:PutObject",
        StepName::DeleteObject => "s3:DeleteObject",
        StepName::AssumeRole
        | StepName::RefusesMissingExternalId
        | StepName::RefusesWrongExternalId => "sts:AssumeRole",
        StepName::Cors => "",
    }
}

/// The KMS key that AWS named of a cause.
fn key_of(cause: &Cause) -> Option<&KmsKeyArn> {
    match cause {
        Cause::KmsKeyNotEntered(cause) => cause.denied.key.as_ref(),
        Cause::KmsOtherKey(cause) => cause.denied.key.as_ref(),
        Cause::KmsDenied(cause) => cause.denied.key.as_ref(),
        Cause::KmsForeignKey(cause) => cause.denied.key.as_ref(),
        Cause::KmsKeyPolicy(cause) => cause.denied.key.as_ref(),
        _ => None,
    }
}

/// The denial of a cause that may cover several actions.
fn denied_of(cause: &mut Cause) -> Option<&mut Denied> {
    Some(match cause {
        Cause::DeniedByBucketPolicy(cause) => &mut cause.denied,
        Cause::DeniedByIdentityPolicy(cause) => &mut cause.denied,
        Cause::DeniedByPermissionsBoundary(cause) => &mut cause.denied,
        Cause::DeniedByServiceControlPolicy(cause) => &mut cause.denied,
        Cause::DeniedByResourceControlPolicy(cause) => &mut cause.denied,
        Cause::DeniedByVpcEndpointPolicy(cause) => &mut cause.denied,
        Cause::DeniedBySessionPolicy(cause) => &mut cause.denied,
        Cause::DeniedWithoutReason(cause) => &mut cause.denied,
        Cause::DeniedForUnknownReason(cause) => &mut cause.denied,
        Cause::BucketPolicyMissing(cause) => &mut cause.denied,
        _ => return None,
    })
}

/// Whether two faults have one cause: the same one, or the same policy that refuses another action.
fn is_same(one: &Cause, other: &Cause) -> bool {
    match (one, other) {
        (Cause::DeniedByBucketPolicy(_), Cause::DeniedByBucketPolicy(_))
        | (Cause::DeniedByIdentityPolicy(_), Cause::DeniedByIdentityPolicy(_))
        | (Cause::DeniedByPermissionsBoundary(_), Cause::DeniedByPermissionsBoundary(_))
        | (Cause::DeniedByServiceControlPolicy(_), Cause::DeniedByServiceControlPolicy(_))
        | (Cause::DeniedByResourceControlPolicy(_), Cause::DeniedByResourceControlPolicy(_))
        | (Cause::DeniedByVpcEndpointPolicy(_), Cause::DeniedByVpcEndpointPolicy(_))
        | (Cause::DeniedBySessionPolicy(_), Cause::DeniedBySessionPolicy(_))
        | (Cause::DeniedWithoutReason(_), Cause::DeniedWithoutReason(_))
        | (Cause::DeniedForUnknownReason(_), Cause::DeniedForUnknownReason(_))
        | (Cause::BucketPolicyMissing(_), Cause::BucketPolicyMissing(_))
        | (Cause::KmsKeyNotEntered(_), Cause::KmsKeyNotEntered(_))
        | (Cause::KmsOtherKey(_), Cause::KmsOtherKey(_))
        | (Cause::KmsDenied(_), Cause::KmsDenied(_))
        | (Cause::KmsForeignKey(_), Cause::KmsForeignKey(_))
        | (Cause::KmsKeyPolicy(_), Cause::KmsKeyPolicy(_)) => true,
        (one, other) => one == other,
    }
}

/// One finding over these faults. `None`: there are none.
fn over(cause: Cause, faults: &[&Fault]) -> Option<Finding> {
    let steps: Vec<(StepName, Vec<Evidence>)> = faults
        .iter()
        .map(|fault| (fault.step, fault.evidence.clone()))
        .collect();
    (!steps.is_empty()).then_some(Finding {
        cause,
        steps,
        also: None,
    })
}
