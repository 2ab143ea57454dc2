//! What can be wrong with a connection: a closed list, and the only words for it.

pub mod denied;
pub mod no_answer;
pub mod probe;
pub mod role;
pub mod s3;
pub mod sts;
pub mod words;

use crate::domain::aws_code::{S3Code, StsCode};
use crate::domain::aws_failure::{AwsFailure, FailureKind, ObjectLock, PolicyKind};
use crate::domain::cause::denied::{DeniedAction, DeniedKey, locked_until};
use crate::domain::cause::no_answer::NoAnswer;
use crate::domain::cause::probe::{ProbeDifference, ProbeLeft};
use crate::domain::cause::role::RoleRefusal;
use crate::domain::cause::s3::S3Answer;
use crate::domain::cause::sts::PolicyComplaint;
use crate::domain::cause::words::{CauseWords, words};
use crate::domain::check::{Bearing, MissingPermission};
use crate::domain::connection::access::Auth;
use crate::domain::connection::region::Region;
use crate::domain::files::file_operation::FileOperation;

/// A cause, with what its words name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A policy on our own side does not let us call AssumeRole.
    ServiceNotPermitted(PolicyKind),
    ServiceCredentialsRejected,
    RoleRefused {
        /// The service's account, where it is known.
        account: Option<String>,
        role: String,
        external_id: String,
        why: RoleRefusal,
    },
    /// STS answered AssumeRole, and not with a refusal of the role.
    RoleNotAsked {
        /// `None`: a code that is in no list.
        code: Option<StsCode>,
        /// The code as it came.
        raw: Option<String>,
        complaint: PolicyComplaint,
    },
    RoleAcceptsMissingExternalId {
        role: String,
        external_id: String,
    },
    RoleAcceptsWrongExternalId {
        role: String,
        external_id: String,
        /// It was refused with any other ID, and not with one that differs in a single digit.
        nearly: bool,
    },
    RefusalNotProven(NotProven),
    RegionDiffers {
        entered: Region,
        found: Region,
    },
    LocationNotPermitted {
        found: Option<Region>,
    },
    /// An S3-compatible store does not say where a bucket is, or not in a form that can be read.
    LocationNotSupported,
    BucketOwnedByAnotherAccount {
        bucket: String,
        /// The account that was expected.
        account: String,
        /// Whether the settings name the account; otherwise it is the role's.
        is_named: bool,
    },
    BucketNotFound {
        bucket: String,
    },
    BucketRegionUnknown,
    CredentialsRejected,
    EndpointNotAllowed,
    ActionDenied(DeniedAction),
    KeyDenied(DeniedKey),
    /// The prefix itself can be listed, and no folder below it.
    FoldersNotListed {
        denied: DeniedAction,
        prefix: String,
        folder: String,
    },
    /// An action of the documents that the connection works without.
    OptionalActionDenied {
        denied: DeniedAction,
        /// What cannot be done without it.
        without: &'static str,
    },
    /// Object Lock refused a change.
    ObjectLocked {
        lock: Option<ObjectLock>,
    },
    /// What was written reads back differently, or not at all.
    ProbeDiffers(ProbeDifference),
    /// What the check wrote is still there.
    ProbeLeft {
        key: String,
        versions: Vec<String>,
        why: ProbeLeft,
    },
    EndpointRedirects {
        /// `None`: the answer does not say where to.
        to: Option<String>,
    },
    /// Any other answer of the store that is no fault of its own.
    StoreAnswered(S3Answer),
    CorsNotAllowed {
        bucket: String,
        /// Methods and origins, for people.
        refused: String,
    },
    /// A file operation outside of a check was denied.
    OperationNotPermitted {
        operation: FileOperation,
        /// `None`: the built-in storage.
        auth: Option<Auth>,
        missing: Vec<MissingPermission>,
    },
    NotAnswered {
        /// What we tried to do.
        attempt: &'static str,
        why: NoAnswer,
    },
}

/// Why it is not proved that the role refuses others, although it did not let them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    NoAnswer(NoAnswer),
    /// A policy on the service's own side refused, so the role was not asked.
    ByService(PolicyKind),
    /// AWS gave a reason that this service does not know.
    UnknownReason,
    /// The role let us in, and refused us a moment later: its trust policy is not known everywhere in STS
    /// yet, so where it refused others it may not have been known either.
    Spreading,
}

impl Cause {
    /// The cause of a failed call that needs no permission of its own. `auth`: how the connection signs
    /// in; `None`: by the service's own credentials.
    pub fn of_bucket(bucket: &str, auth: Option<Auth>, failure: &AwsFailure) -> Self {
        let code = failure.error_code.as_deref().and_then(S3Code::parse);
        let answered = || {
            Self::StoreAnswered(S3Answer {
                code,
                raw: failure.error_code.clone(),
                http_status: failure.http_status,
                auth,
                needs_customer_key: failure.needs_customer_key(),
            })
        };
        match failure.kind {
            FailureKind::NoSuchBucket => Self::BucketNotFound {
                bucket: bucket.to_owned(),
            },
            FailureKind::WrongRegion => Self::BucketRegionUnknown,
            FailureKind::ForbiddenAddress => Self::EndpointNotAllowed,
            FailureKind::Redirected => Self::EndpointRedirects {
                to: failure.redirects_to().map(ToString::to_string),
            },
            FailureKind::ObjectLocked => Self::ObjectLocked {
                lock: failure.lock(),
            },
            // Made by this service itself, before a call.
            FailureKind::BadCredentials if failure.http_status.is_none() => {
                Self::CredentialsRejected
            }
            FailureKind::Unavailable if code == Some(S3Code::OperationAborted) => answered(),
            FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete
            | FailureKind::ClockSkew => Self::NotAnswered {
                attempt: "ask the bucket",
                why: failure.kind.into(),
            },
            FailureKind::BadCredentials
            | FailureKind::AccessDenied
            | FailureKind::KmsDenied
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::NotSupported
            | FailureKind::NoSuchKey
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::InvalidRequest => answered(),
        }
    }

    /// What it says of the connection.
    pub fn bearing(&self) -> Bearing {
        match self {
            Self::RoleNotAsked {
                code,
                raw,
                complaint,
            } => sts::entry(*code, raw.as_deref(), *complaint).bearing,
            Self::StoreAnswered(answer) => s3::entry(answer).bearing,
            Self::RoleRefused { .. } => Bearing::RefusesUs,
            Self::RoleAcceptsMissingExternalId { .. } | Self::RoleAcceptsWrongExternalId { .. } => {
                Bearing::OpenToOthers
            }
            Self::RefusalNotProven(NotProven::Spreading) => Bearing::Passing,
            Self::RefusalNotProven(NotProven::NoAnswer(why)) if why.passes() => Bearing::Passing,
            Self::NotAnswered { why, .. } if why.passes() => Bearing::Passing,
            Self::ActionDenied(denied) if denied.is_own_policy() => Bearing::Undecided,
            Self::ServiceNotPermitted(_)
            | Self::ServiceCredentialsRejected
            // The service's own clock may be the wrong one.
            | Self::NotAnswered {
                why: NoAnswer::ClockSkew,
                ..
            }
            | Self::RefusalNotProven(
                NotProven::NoAnswer(_) | NotProven::ByService(_) | NotProven::UnknownReason,
            ) => Bearing::Undecided,
            Self::RegionDiffers { .. }
            | Self::LocationNotPermitted { .. }
            | Self::LocationNotSupported
            | Self::BucketOwnedByAnotherAccount { .. }
            | Self::BucketNotFound { .. }
            | Self::BucketRegionUnknown
            | Self::CredentialsRejected
            | Self::EndpointNotAllowed
            | Self::EndpointRedirects { .. }
            | Self::ActionDenied(_)
            | Self::KeyDenied(_)
            | Self::FoldersNotListed { .. }
            | Self::OptionalActionDenied { .. }
            | Self::ObjectLocked { .. }
            | Self::ProbeDiffers(_)
            | Self::ProbeLeft { .. }
            | Self::CorsNotAllowed { .. }
            | Self::OperationNotPermitted { .. }
            | Self::NotAnswered { .. } => Bearing::Definite,
        }
    }

    /// Whether a fault that passes, or a change of IAM that is still spreading, explains the failure. A
    /// change spreads both ways: a role whose trust policy was tightened a moment ago may still let
    /// others in. A missing bucket, or a missing CORS rule, does not change by itself.
    pub fn may_pass_later(&self) -> bool {
        match self {
            Self::RoleNotAsked {
                code,
                raw,
                complaint,
            } => sts::entry(*code, raw.as_deref(), *complaint).passes,
            Self::StoreAnswered(answer) => s3::entry(answer).passes,
            Self::RoleRefused { .. }
            | Self::RoleAcceptsMissingExternalId { .. }
            | Self::RoleAcceptsWrongExternalId { .. }
            | Self::FoldersNotListed { .. }
            | Self::KeyDenied(_) => true,
            Self::ActionDenied(denied) => !denied.is_own_policy(),
            Self::RefusalNotProven(_) | Self::NotAnswered { .. } => {
                self.bearing() == Bearing::Passing
            }
            Self::ServiceNotPermitted(_)
            | Self::ServiceCredentialsRejected
            | Self::RegionDiffers { .. }
            | Self::LocationNotPermitted { .. }
            | Self::LocationNotSupported
            | Self::BucketOwnedByAnotherAccount { .. }
            | Self::BucketNotFound { .. }
            | Self::BucketRegionUnknown
            | Self::CredentialsRejected
            | Self::EndpointNotAllowed
            | Self::EndpointRedirects { .. }
            | Self::OptionalActionDenied { .. }
            | Self::ObjectLocked { .. }
            | Self::ProbeDiffers(_)
            | Self::ProbeLeft { .. }
            | Self::CorsNotAllowed { .. }
            | Self::OperationNotPermitted { .. } => false,
        }
    }

    pub fn words(&self) -> CauseWords {
        match self {
            Self::RoleNotAsked {
                code,
                raw,
                complaint,
            } => sts::entry(*code, raw.as_deref(), *complaint).words,
            Self::StoreAnswered(answer) => s3::entry(answer).words,
            Self::ServiceNotPermitted(by) => words(
                "service_not_permitted",
                "The service itself may not assume the role",
                format!(
                    "AWS did not let the service call sts:AssumeRole on this role because of {}. The customer cannot fix this.",
                    policy_of_the_service(*by)
                ),
                "Ask the operator: that policy must allow sts:AssumeRole on customers' roles.",
            ),
            Self::ServiceCredentialsRejected => words(
                "service_credentials_rejected",
                "The service's own credentials do not work",
                "AWS did not accept the credentials that the service runs on. The customer cannot fix this.",
                "Contact the operator.",
            ),
            Self::RoleRefused {
                account,
                role,
                external_id,
                why,
            } => {
                let account = match account {
                    Some(account) => format!("account {account}"),
                    None => "the service's account".to_owned(),
                };
                role::refused(&account, role, external_id, *why)
            }
            Self::RoleAcceptsMissingExternalId { role, external_id } => accepts(
                "role_accepts_missing_external_id",
                "without any external ID",
                role,
                external_id,
            ),
            Self::RoleAcceptsWrongExternalId {
                role,
                external_id,
                nearly,
            } => accepts(
                "role_accepts_wrong_external_id",
                match nearly {
                    true => "with an external ID that differs from yours in its last digit",
                    false => "with an external ID that is not yours",
                },
                role,
                external_id,
            ),
            Self::RefusalNotProven(why) => {
                let (explanation, remedy) = not_proven(*why);
                words(
                    "refusal_not_proven",
                    "It is not proved that the role refuses others",
                    explanation,
                    remedy,
                )
            }
            Self::RegionDiffers { entered, found } => words(
                "region_differs",
                "The bucket is in another Region",
                format!(
                    "The settings say {entered}, and the bucket is in {found}. The bucket's own is used."
                ),
                format!("Change the Region to {found}, or leave it empty."),
            ),
            Self::LocationNotPermitted { found } => {
                let used = match found {
                    Some(region) => {
                        format!("The bucket's own answers say {region}, which is used.")
                    }
                    None => "The Region of the settings is used.".to_owned(),
                };
                words(
                    "location_not_permitted",
                    "The role may not read the bucket's location",
                    format!("This does no harm. {used}"),
                    "To have the Region confirmed, allow s3:GetBucketLocation on the bucket.",
                )
            }
            Self::LocationNotSupported => words(
                "location_not_supported",
                "The store does not say where the bucket is",
                "The store did not answer GetBucketLocation, or not with a Region that can be read. This does no harm: the Region of the settings is used.",
                "Nothing needs to be changed while the other steps pass. If the store signs for a Region of its own, enter that in the settings.",
            ),
            Self::BucketOwnedByAnotherAccount {
                bucket,
                account,
                is_named,
            } => {
                let (whose, remedy) = if *is_named {
                    (
                        "is named as the bucket's",
                        "Correct the ID of the bucket's account, or use a bucket of that account.",
                    )
                } else {
                    (
                        "the role belongs to",
                        "Use a bucket of the same account as the role. If the bucket is meant to be another account's, name that account as the bucket's.",
                    )
                };
                words(
                    "bucket_owned_by_another_account",
                    "The bucket belongs to another account",
                    format!(
                        "S3 says that account {account}, which {whose}, does not own the bucket `{bucket}`. Somebody else may have taken a name that was free."
                    ),
                    remedy,
                )
            }
            Self::BucketNotFound { bucket } => words(
                "bucket_not_found",
                "There is no such bucket",
                format!("S3 knows no bucket `{bucket}`."),
                "Compare the bucket's name with the one in the S3 console.",
            ),
            Self::BucketRegionUnknown => words(
                "bucket_region_unknown",
                "The bucket is in another Region",
                "S3 says that the bucket is in another Region, but not in which.",
                "Enter the bucket's Region: the S3 console shows it beside the bucket's name.",
            ),
            Self::CredentialsRejected => words(
                "credentials_rejected",
                "The credentials do not work",
                "The store does not accept the access key, or its secret.",
                "Enter the access key again, or make a new one.",
            ),
            Self::EndpointNotAllowed => words(
                "endpoint_not_allowed",
                "The endpoint may not be reached from here",
                "It leads to a network that the operator does not allow customers' endpoints to be in.",
                "Use a public endpoint, or ask the operator to allow the network.",
            ),
            Self::EndpointRedirects { to } => {
                let (whither, remedy) = match to {
                    Some(to) => (
                        format!("to `{to}`"),
                        format!("If that is your store, enter `{to}` as the endpoint."),
                    ),
                    None => (
                        "without saying where to".to_owned(),
                        "Enter the endpoint as the store's documentation has it, with `https://` where the store wants TLS.".to_owned(),
                    ),
                };
                words(
                    "endpoint_redirects",
                    "The endpoint redirects to another address",
                    format!(
                        "This endpoint redirects {whither}, and not as S3 does for a bucket in another Region. The service does not follow such a redirect: a signature is for one host, and the other may be anybody's."
                    ),
                    remedy,
                )
            }
            Self::ActionDenied(denied) => denied.words(),
            Self::KeyDenied(denied) => denied.words(),
            Self::FoldersNotListed {
                denied,
                prefix,
                folder,
            } => {
                let parent = match prefix.is_empty() {
                    true => "the top of the bucket".to_owned(),
                    false => format!("`{prefix}`"),
                };
                let shown = denied.words();
                words(
                    "folders_not_listed",
                    "Folders below the prefix cannot be listed",
                    format!(
                        "S3 lists {parent} and refuses its folder `{folder}`. A condition on `s3:prefix` with StringEquals does that, or one with StringLike and no `*` at its end. {}",
                        shown.explanation
                    ),
                    match denied.is_missing_permission() {
                        true => format!(
                            "Use StringLike with `{prefix}*` in the statement for s3:ListBucket, as the statement shown here does."
                        ),
                        false => shown.remedy,
                    },
                )
            }
            Self::OptionalActionDenied { denied, without } => {
                let shown = denied.words();
                words(
                    "optional_permission_missing",
                    format!("Without {}, {without} cannot be used", denied.action),
                    format!("{} The other steps do not depend on it.", shown.explanation),
                    format!("If you need {without}: {}", shown.remedy),
                )
            }
            Self::ObjectLocked { lock } => words(
                "object_locked",
                "Object Lock protects the object",
                format!(
                    "The store refused the change because Object Lock protects the object{}. No permission changes that.",
                    locked_until(lock.as_ref())
                ),
                "Wait until the retention ends, or have the legal hold removed. If files of this storage are to be deleted, use a bucket without default retention.",
            ),
            Self::ProbeDiffers(how) => probe::differs(how),
            Self::ProbeLeft { key, versions, why } => probe::left(key, versions, why),
            Self::CorsNotAllowed { bucket, refused } => words(
                "cors_not_allowed",
                "Browsers may not use the bucket",
                format!("The bucket's CORS configuration does not allow {refused}."),
                format!(
                    "In S3 > {bucket} > Permissions, edit Cross-origin resource sharing (CORS) and paste the CORS document. If only servers use the bucket, set `browser_access` to false instead: it then needs no CORS rules."
                ),
            ),
            Self::OperationNotPermitted {
                operation,
                auth,
                missing,
            } => words(
                "storage_access_denied",
                "The storage does not permit this",
                format!("The storage does not permit {operation}."),
                not_permitted(*auth, missing),
            ),
            Self::NotAnswered { attempt, why } => words(
                why.code(),
                "AWS gave no usable answer",
                why.explained(attempt),
                NoAnswer::REMEDY,
            ),
        }
    }
}

/// Why a refusal proves nothing about the role, and what to do.
fn not_proven(why: NotProven) -> (String, &'static str) {
    match why {
        NotProven::NoAnswer(why) => (
            why.explained("find out whether the role refuses others"),
            NoAnswer::REMEDY,
        ),
        NotProven::ByService(by) => (
            format!(
                "AWS refused the call because of {}. So it is not known what the role itself does with such a call. The customer cannot fix this.",
                policy_of_the_service(by)
            ),
            "Ask the operator: the service's identity must be allowed to call sts:AssumeRole on customers' roles also without an external ID and with a foreign one, which is how the check asks.",
        ),
        NotProven::UnknownReason => (
            "AWS refused the call for a reason that this service does not know, so it cannot tell whether the role refused or something else did.".to_owned(),
            "Contact the operator, whose log has AWS's own words.",
        ),
        NotProven::Spreading => (
            "The role let us in, and a moment later it refused us with the same external ID. A change of the role is not known everywhere in AWS yet, so its refusals of others prove nothing.".to_owned(),
            "Wait a minute, then check again.",
        ),
    }
}

/// Which policy of our own side refused an AssumeRole call of ours.
fn policy_of_the_service(by: PolicyKind) -> &'static str {
    match by {
        PolicyKind::Identity => {
            "the policies of the service's identity, which do not allow it or deny it"
        }
        PolicyKind::ServiceControl => "a service control policy of the service's organization",
        PolicyKind::PermissionsBoundary => "the permissions boundary of the service's identity",
        PolicyKind::Session => "the session policy that the service runs under",
        PolicyKind::VpcEndpoint => "the policy of the VPC endpoint that the service uses",
        PolicyKind::Resource | PolicyKind::RoleTrust | PolicyKind::ResourceControl => {
            "a policy of the service's side"
        }
    }
}

/// Who must allow what, for a denied file operation.
fn not_permitted(auth: Option<Auth>, missing: &[MissingPermission]) -> String {
    let needed: Vec<_> = missing
        .iter()
        .map(|permission| format!("{} on {}", permission.action, permission.resource))
        .collect();
    let needed = needed.join(" and ");
    match auth {
        Some(Auth::Role) => format!("Let the role's permission policy allow {needed}."),
        Some(Auth::AccessKey) => {
            format!("Let a policy of the access key's user allow {needed}.")
        }
        None => {
            let first = missing.first().map_or("", |first| first.action.as_str());
            format!("Ask the operator: the service needs {first}.")
        }
    }
}

fn accepts(code: &'static str, sent: &str, role: &str, external_id: &str) -> CauseWords {
    words(
        code,
        "The role lets others in",
        format!(
            "We could assume the role {sent}. So could any other customer of this service who learns the role's ARN, and read your bucket through it."
        ),
        format!(
            "In IAM > Roles > {role} > Trust relationships, require the external ID `{external_id}` with the condition operator StringEquals. StringEqualsIfExists, StringLike and wildcards do not protect the role."
        ),
    )
}
