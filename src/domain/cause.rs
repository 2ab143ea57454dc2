//! What can be wrong with a connection: a closed list, and the only words for it.

use crate::domain::aws_failure::{AwsFailure, DenialCause, FailureKind};
use crate::domain::check::{Bearing, MissingPermission};
use crate::domain::connection::access::Auth;
use crate::domain::connection::region::Region;
use crate::domain::files::file_operation::FileOperation;

/// A cause, with what its words name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A policy on our own side does not let us call AssumeRole.
    ServiceNotPermitted(DenialCause),
    ServiceCredentialsRejected,
    /// The role does not exist, does not trust us, or requires another external ID. AWS does not say
    /// which of these it is.
    RoleRefused {
        /// The service's account, where it is known.
        account: Option<String>,
        role: String,
        external_id: String,
    },
    StsRegionDisabled,
    SessionPolicyRejected,
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
    PermissionMissing {
        action: String,
        denial: Option<DenialCause>,
    },
    KmsPermissionMissing {
        action: &'static str,
    },
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

/// Why it is not proved that the role refuses others, although it did not let them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    NoAnswer(NoAnswer),
    /// A policy on the service's own side refused, so the role was not asked.
    ByService(DenialCause),
    /// AWS gave a reason that this service does not know.
    UnknownReason,
    /// The role let us in, and refused us a moment later: its trust policy is not known everywhere in STS
    /// yet, so where it refused others it may not have been known either.
    Spreading,
}

/// What a person reads of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseWords {
    /// Stable, `snake_case`.
    pub code: &'static str,
    pub title: String,
    pub explanation: String,
    pub remedy: String,
}

impl Cause {
    /// The cause of a failed call that needs no permission of its own.
    pub fn of_bucket(bucket: &str, failure: &AwsFailure) -> Self {
        match failure.kind {
            FailureKind::NoSuchBucket => Self::BucketNotFound {
                bucket: bucket.to_owned(),
            },
            FailureKind::WrongRegion => Self::BucketRegionUnknown,
            FailureKind::BadCredentials => Self::CredentialsRejected,
            FailureKind::ForbiddenAddress => Self::EndpointNotAllowed,
            FailureKind::AccessDenied
            | FailureKind::KmsDenied
            | FailureKind::ClockSkew
            | FailureKind::NoSuchKey
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::InvalidRequest
            | FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => Self::NotAnswered {
                attempt: "ask the bucket",
                why: failure.kind.into(),
            },
        }
    }

    /// What it says of the connection.
    pub fn bearing(&self) -> Bearing {
        match self {
            Self::RoleRefused { .. } => Bearing::RefusesUs,
            Self::RoleAcceptsMissingExternalId { .. } | Self::RoleAcceptsWrongExternalId { .. } => {
                Bearing::OpenToOthers
            }
            Self::RefusalNotProven(NotProven::Spreading) => Bearing::Passing,
            Self::RefusalNotProven(NotProven::NoAnswer(why)) if why.passes() => Bearing::Passing,
            Self::NotAnswered { why, .. } if why.passes() => Bearing::Passing,
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
            Self::StsRegionDisabled
            | Self::SessionPolicyRejected
            | Self::RegionDiffers { .. }
            | Self::LocationNotPermitted { .. }
            | Self::LocationNotSupported
            | Self::BucketOwnedByAnotherAccount { .. }
            | Self::BucketNotFound { .. }
            | Self::BucketRegionUnknown
            | Self::CredentialsRejected
            | Self::EndpointNotAllowed
            | Self::PermissionMissing { .. }
            | Self::KmsPermissionMissing { .. }
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
            Self::RoleRefused { .. }
            | Self::RoleAcceptsMissingExternalId { .. }
            | Self::RoleAcceptsWrongExternalId { .. }
            | Self::PermissionMissing { .. }
            | Self::KmsPermissionMissing { .. } => true,
            Self::RefusalNotProven(_) | Self::NotAnswered { .. } => {
                self.bearing() == Bearing::Passing
            }
            Self::ServiceNotPermitted(_)
            | Self::ServiceCredentialsRejected
            | Self::StsRegionDisabled
            | Self::SessionPolicyRejected
            | Self::RegionDiffers { .. }
            | Self::LocationNotPermitted { .. }
            | Self::LocationNotSupported
            | Self::BucketOwnedByAnotherAccount { .. }
            | Self::BucketNotFound { .. }
            | Self::BucketRegionUnknown
            | Self::CredentialsRejected
            | Self::EndpointNotAllowed
            | Self::CorsNotAllowed { .. }
            | Self::OperationNotPermitted { .. } => false,
        }
    }

    pub fn words(&self) -> CauseWords {
        match self {
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
            } => {
                let account = match account {
                    Some(account) => format!("account {account}"),
                    None => "the service's account".to_owned(),
                };
                words(
                    "role_refused",
                    "The role refused us",
                    format!(
                        "Either there is no such role, or its trust policy does not name {account}, or it asks for another external ID. A role made a moment ago may also need up to a minute."
                    ),
                    format!(
                        "Compare the account and the external ID `{external_id}` with IAM > Roles > {role} > Trust relationships, or paste the trust policy there again."
                    ),
                )
            }
            Self::StsRegionDisabled => words(
                "sts_region_disabled",
                "STS is switched off in the service's Region",
                "The customer's account has switched AWS STS off in the Region that the service runs in.",
                "Activate the Region under IAM > Account settings > Security Token Service.",
            ),
            Self::SessionPolicyRejected => words(
                "session_policy_rejected",
                "The bucket prefix is too long for a session",
                "AWS did not accept the session policy that limits us to this bucket and prefix.",
                "Choose a shorter bucket prefix.",
            ),
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
            Self::PermissionMissing { action, denial } => {
                let (because, remedy) = denied(*denial);
                words(
                    "permission_missing",
                    format!("The role may not use {action}"),
                    format!("S3 refused {action}: {because}."),
                    remedy,
                )
            }
            Self::KmsPermissionMissing { action } => words(
                "kms_permission_missing",
                format!("The role may not use {action}"),
                "The bucket's objects are encrypted with a KMS key, and the role may not use it.",
                "Enter the key's ARN in the first step and apply the permission policy again; the key's own policy must let the role's account use IAM policies.",
            ),
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

impl NoAnswer {
    const REMEDY: &str = "Check again in a moment. If it stays, contact the operator.";

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

    fn code(self) -> &'static str {
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

    fn explained(self, attempt: &str) -> String {
        let why = match self {
            Self::Throttled => "AWS asks for fewer requests at the moment",
            Self::Timeout => "AWS did not answer in time",
            Self::Unreachable => "AWS could not be reached",
            Self::Unavailable => "AWS answered with a fault of its own",
            Self::Unreadable => "the response did not come from AWS",
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

/// Why S3 denied an action, and what to change.
fn denied(denial: Option<DenialCause>) -> (&'static str, &'static str) {
    const REMOVE: &str = "Remove the denial, or make an exception for the role.";
    const ASK: &str = "Ask whoever manages that policy to allow it; the role's own policy cannot.";
    match denial {
        Some(DenialCause::ExplicitDenyResource) => {
            ("the bucket policy denies it explicitly", REMOVE)
        }
        Some(DenialCause::ExplicitDenyIdentity) => {
            ("a policy of the role denies it explicitly", REMOVE)
        }
        Some(DenialCause::ServiceControlPolicy) => (
            "a service control policy of the customer's organization does not allow it",
            ASK,
        ),
        Some(DenialCause::ResourceControlPolicy) => (
            "a resource control policy of the customer's organization does not allow it",
            ASK,
        ),
        Some(DenialCause::PermissionsBoundary) => {
            ("the role's permissions boundary does not allow it", ASK)
        }
        Some(DenialCause::VpcEndpointPolicy) => ("a VPC endpoint policy does not allow it", ASK),
        Some(
            DenialCause::NoIdentityPolicy
            | DenialCause::NoResourcePolicy
            | DenialCause::NoSessionPolicy
            | DenialCause::NoTrustPolicy
            | DenialCause::SessionPolicy
            | DenialCause::Unrecognised,
        )
        | None => (
            "no policy of the role allows it on this bucket and prefix",
            "Add the statement shown here to the role's permission policy, or apply the permission policy again.",
        ),
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
fn policy_of_the_service(by: DenialCause) -> &'static str {
    match by {
        DenialCause::NoIdentityPolicy => {
            "the policies of the service's identity, none of which allows it"
        }
        DenialCause::ExplicitDenyIdentity => "a policy of the service's identity, which denies it",
        DenialCause::ServiceControlPolicy => {
            "a service control policy of the service's organization"
        }
        DenialCause::PermissionsBoundary => "the permissions boundary of the service's identity",
        DenialCause::SessionPolicy | DenialCause::NoSessionPolicy => {
            "the session policy that the service runs under"
        }
        DenialCause::VpcEndpointPolicy => "the policy of the VPC endpoint that the service uses",
        DenialCause::NoResourcePolicy
        | DenialCause::NoTrustPolicy
        | DenialCause::ExplicitDenyResource
        | DenialCause::ResourceControlPolicy
        | DenialCause::Unrecognised => "a policy of the service's side",
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

fn words(
    code: &'static str,
    title: impl Into<String>,
    explanation: impl Into<String>,
    remedy: impl Into<String>,
) -> CauseWords {
    CauseWords {
        code,
        title: title.into(),
        explanation: explanation.into(),
        remedy: remedy.into(),
    }
}
