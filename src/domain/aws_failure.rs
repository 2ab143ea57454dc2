//! Why a call to AWS did not do what was asked, in the terms that decisions are made on.

use crate::domain::connection::region::Region;

/// What kind of failure it was. Decided from status and error code, never from message text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A definite refusal of permission (403 `AccessDenied` and its like). The only kind that proves
    /// that a role refuses.
    AccessDenied,
    /// Refused because of the KMS key, not because of S3's own permissions.
    KmsDenied,
    /// The credentials themselves are unknown, expired or wrongly signed.
    BadCredentials,
    /// The service's clock and the store's differ by more than a signature allows (15 minutes at AWS). The
    /// credentials may be good.
    ClockSkew,
    NoSuchKey,
    NoSuchBucket,
    /// The bucket is in another Region than the one asked.
    WrongRegion,
    NotModified,
    PreconditionFailed,
    InvalidRange,
    /// The object is archived (`InvalidObjectState`).
    Archived,
    /// AWS does not understand, or does not allow, what was asked (4xx not named above).
    InvalidRequest,
    Throttled,
    /// 5xx.
    Unavailable,
    Timeout,
    /// No connection, or one that broke.
    Network,
    /// The address may not be reached from here (a custom endpoint's, in a network that the operator
    /// does not allow).
    ForbiddenAddress,
    /// An answer in a form that cannot be read.
    InvalidResponse,
    /// A success that shows nothing that only an S3-compatible store sends, as of a proxy in between.
    NotS3,
    /// A listing that contradicts itself or what was listed before. Asked once more already.
    ListingIncomplete,
}

impl FailureKind {
    /// Whether the failure says nothing about permissions, so the same call may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::Unavailable
                | Self::Timeout
                | Self::Network
                | Self::InvalidResponse
                | Self::NotS3
        )
    }
}

/// Why access was denied, where AWS says so. S3 does within one account; STS adds it at times (IAM user
/// guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenialCause {
    NoIdentityPolicy,
    NoResourcePolicy,
    NoSessionPolicy,
    NoTrustPolicy,
    ExplicitDenyIdentity,
    ExplicitDenyResource,
    ServiceControlPolicy,
    ResourceControlPolicy,
    PermissionsBoundary,
    VpcEndpointPolicy,
    SessionPolicy,
    /// AWS gave a reason that this service does not know.
    Unrecognised,
}

/// Whose policy refused an AssumeRole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssumeRoleRefusal {
    /// The role's trust policy, or another policy of the account that the role is in.
    Role,
    /// A policy of the caller's own account: it says nothing about the role.
    Service(DenialCause),
    /// It is not known whose.
    Unknown,
}

impl AwsFailure {
    /// Whose policy refused an AssumeRole call; `None`: the failure is no refusal.
    ///
    /// The trust policy is the role's resource-based policy. Resource control policies bind the account
    /// that the resource is in (Organizations user guide, "Resource control policies"). Identity policies,
    /// service control policies, permissions boundaries, session policies and VPC endpoint policies are
    /// those of whoever calls. Between accounts of different organizations AWS gives no reason at all (IAM
    /// user guide, "Troubleshoot access denied error messages"), so a refusal without one is the role's.
    pub fn assume_role_refusal(&self) -> Option<AssumeRoleRefusal> {
        if self.kind != FailureKind::AccessDenied {
            return None;
        }
        Some(match self.denial {
            None
            | Some(
                DenialCause::NoTrustPolicy
                | DenialCause::NoResourcePolicy
                | DenialCause::ExplicitDenyResource
                | DenialCause::ResourceControlPolicy,
            ) => AssumeRoleRefusal::Role,
            Some(
                by @ (DenialCause::NoIdentityPolicy
                | DenialCause::NoSessionPolicy
                | DenialCause::ExplicitDenyIdentity
                | DenialCause::ServiceControlPolicy
                | DenialCause::PermissionsBoundary
                | DenialCause::VpcEndpointPolicy
                | DenialCause::SessionPolicy),
            ) => AssumeRoleRefusal::Service(by),
            Some(DenialCause::Unrecognised) => AssumeRoleRefusal::Unknown,
        })
    }
}

/// A failed call to AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {kind:?} ({})", error_code.as_deref().unwrap_or("no error code"))]
pub struct AwsFailure {
    /// The API operation, like `AssumeRole`.
    pub operation: &'static str,
    pub kind: FailureKind,
    pub http_status: Option<u16>,
    /// AWS's own code, like `AccessDenied`.
    pub error_code: Option<String>,
    /// AWS's request ID, which AWS support asks for.
    pub request_id: Option<String>,
    pub denial: Option<DenialCause>,
    /// Where the bucket is, when the answer says (`x-amz-bucket-region`).
    ///
    /// In a box, because few failures have one and every answer of a call is as large as a failure.
    pub bucket_region: Option<Box<Region>>,
    /// AWS's message. For the operator's log only: it may name foreign ARNs and keys.
    pub message: Option<String>,
}

impl AwsFailure {
    /// Where the bucket is, when the answer says.
    pub fn region(&self) -> Option<Region> {
        self.bucket_region.as_deref().copied()
    }
}
