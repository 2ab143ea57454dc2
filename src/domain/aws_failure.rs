//! Why a call to AWS did not do what was asked, in the terms that decisions are made on.

use crate::domain::connection::region::Region;
use crate::domain::origin::Origin;
use time::OffsetDateTime;

/// What kind of failure it was. Decided from status and error code, and from AWS's sentence only where one
/// code stands for several cases: Object Lock, a KMS key, an absent object, a wrong clock.
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
    /// Object Lock, or what a store calls so, keeps the object as it is. No permission changes that.
    ObjectLocked,
    /// The KMS key cannot be used by anybody: it is disabled, absent, or of another kind (`KMS.…`).
    KmsUnusable,
    /// The account or the bucket is switched off as a whole (`AllAccessDisabled`, `AccountProblem`,
    /// `NotSignedUp`).
    AccountDisabled,
    /// The endpoint sends callers to another address, and not for a bucket's Region.
    Redirected,
    /// The store does not know the operation (`NotImplemented`, `MethodNotAllowed`).
    NotSupported,
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

/// What few answers say, and what is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerDetails {
    /// Where a redirect leads.
    pub redirects_to: Option<Origin>,
    /// What is known of the lock that refused a change.
    pub lock: Option<ObjectLock>,
    /// The object was stored with a key that its owner sends with each request (SSE-C).
    pub needs_customer_key: bool,
    /// Why there was no connection.
    pub no_connection: Option<NoConnection>,
    /// What STS says of a session policy that it does not take.
    pub policy_complaint: Option<PolicyComplaint>,
    /// What is said of a KMS key that cannot be used.
    pub key: Option<UnusableKey>,
}

/// Why there was no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoConnection {
    /// The name has no address.
    Dns,
    /// Nothing accepts connections at the address.
    Refused,
    /// No agreement on TLS: its certificate, or what answers does not speak it.
    Tls,
}

/// What STS says of the session policy that the service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyComplaint {
    NotJson,
    /// A resource is no ARN that it takes.
    Resource,
    Partition,
    Syntax,
    TooLong,
    /// Session tags take the room.
    Tags,
    /// Something else, or nothing that this service understands.
    Unread,
}

impl PolicyComplaint {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::NotJson,
        Self::Resource,
        Self::Partition,
        Self::Syntax,
        Self::TooLong,
        Self::Tags,
        Self::Unread,
    ];
}

/// A KMS key that nobody can use, or not from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its ARN, where AWS names it.
    pub arn: Option<String>,
    pub state: KeyState,
}

/// The state of a KMS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    Disabled,
    PendingDeletion,
    /// Another state, which is not said.
    Other,
    /// "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you
    /// are not allowed to access."
    OutOfReach,
}

/// Which kind of policy a denial names (IAM user guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    Identity,
    Resource,
    /// A role's trust policy: its resource-based policy.
    RoleTrust,
    Session,
    PermissionsBoundary,
    ServiceControl,
    ResourceControl,
    VpcEndpoint,
}

/// How the policy denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyEffect {
    /// A statement denies it. No other statement can allow it then.
    ExplicitDeny,
    /// No statement allows it. One whose condition the request does not meet counts as none.
    NoAllow,
}

/// Why access was denied, as far as AWS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DenialReason {
    /// AWS gives no reason, as it does between accounts of different organizations.
    #[default]
    NotGiven,
    By(PolicyKind, PolicyEffect),
    /// The request needs a code of a multi-factor device.
    Mfa,
    /// AWS gave a reason that this service does not know.
    Unrecognised,
}

/// What AWS said of a denial: parts of its own sentence. For decisions; they may name foreign ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denial {
    /// Like `s3:GetObject`.
    pub action: Option<String>,
    /// The ARN of what was asked for.
    pub resource: Option<String>,
    pub reason: DenialReason,
    /// The policy that decided, where AWS names it.
    pub policy_arn: Option<String>,
}

/// What keeps an object as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObjectLock {
    /// When the retention ends. `None`: not known.
    pub until: Option<OffsetDateTime>,
    /// Whether the retention holds for everybody (`COMPLIANCE`).
    pub compliance: bool,
    /// Whether a legal hold is on it, which has no end by itself.
    pub legal_hold: bool,
}

impl ObjectLock {
    /// Whether something of it is known.
    pub fn is_known(&self) -> bool {
        self.until.is_some() || self.legal_hold
    }
}

/// Whose policy refused an AssumeRole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssumeRoleRefusal {
    /// The role's trust policy, or another policy of the account that the role is in.
    Role,
    /// A policy of the caller's own account: it says nothing about the role.
    Service(PolicyKind, PolicyEffect),
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
        use PolicyKind as Policy;
        Some(match self.reason() {
            DenialReason::NotGiven
            | DenialReason::Mfa
            | DenialReason::By(
                Policy::RoleTrust | Policy::Resource | Policy::ResourceControl,
                PolicyEffect::ExplicitDeny | PolicyEffect::NoAllow,
            ) => AssumeRoleRefusal::Role,
            DenialReason::By(
                by @ (Policy::Identity
                | Policy::Session
                | Policy::ServiceControl
                | Policy::PermissionsBoundary
                | Policy::VpcEndpoint),
                effect @ (PolicyEffect::ExplicitDeny | PolicyEffect::NoAllow),
            ) => AssumeRoleRefusal::Service(by, effect),
            DenialReason::Unrecognised => AssumeRoleRefusal::Unknown,
        })
    }

    /// Why it was denied, as far as AWS says.
    pub fn reason(&self) -> DenialReason {
        match &self.denial {
            Some(denial) => denial.reason,
            None => DenialReason::NotGiven,
        }
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
    /// What AWS said of a denial, where it said something.
    pub denial: Option<Box<Denial>>,
    /// Where the bucket is, when the answer says (`x-amz-bucket-region`).
    ///
    /// In a box, because few failures have one and every answer of a call is as large as a failure.
    pub bucket_region: Option<Box<Region>>,
    /// What few answers have.
    pub details: Option<Box<AnswerDetails>>,
    /// AWS's message. For the operator's log only: it may name foreign ARNs and keys.
    pub message: Option<String>,
}

impl AwsFailure {
    /// Our own code for an object that is deleted in a bucket that keeps versions.
    pub const DELETE_MARKER: &str = "DeleteMarker";

    /// Our own code for an access key whose secret was sealed with a lost master key.
    pub const CREDENTIALS_LOST: &str = "CredentialsLost";

    /// Our own code for an upload whose end was not confirmed, and not proved either.
    pub const OUTCOME_UNKNOWN: &str = "OutcomeUnknown";

    /// Our own code for a success that is a page for people.
    pub const PAGE: &str = "Page";

    /// Where a redirect leads.
    pub fn redirects_to(&self) -> Option<&Origin> {
        self.details.as_ref()?.redirects_to.as_ref()
    }

    /// The code, where the answer had one: not those of our own, for answers without.
    pub fn sent_code(&self) -> Option<&str> {
        let code = self.error_code.as_deref()?;
        let own = [
            Self::PAGE,
            Self::DELETE_MARKER,
            Self::CREDENTIALS_LOST,
            Self::OUTCOME_UNKNOWN,
        ];
        (!own.contains(&code)).then_some(code)
    }

    /// What is known of the lock that refused a change.
    pub fn lock(&self) -> Option<ObjectLock> {
        self.details.as_ref()?.lock
    }

    /// The same failure with what was found out about the lock.
    pub fn with_lock(mut self, lock: ObjectLock) -> Self {
        self.details.get_or_insert_default().lock = Some(lock);
        self
    }

    /// Whether the object needs a key that its owner sends with each request (SSE-C).
    pub fn needs_customer_key(&self) -> bool {
        let details = self.details.as_ref();
        details.is_some_and(|details| details.needs_customer_key)
    }

    /// Why there was no connection.
    pub fn no_connection(&self) -> Option<NoConnection> {
        self.details.as_ref()?.no_connection
    }

    /// What STS says of the session policy.
    pub fn policy_complaint(&self) -> PolicyComplaint {
        let details = self.details.as_ref();
        details
            .and_then(|details| details.policy_complaint)
            .unwrap_or(PolicyComplaint::Unread)
    }

    /// What is said of a KMS key that cannot be used.
    pub fn unusable_key(&self) -> Option<&UnusableKey> {
        self.details.as_ref()?.key.as_ref()
    }

    /// Where the bucket is, when the answer says.
    pub fn region(&self) -> Option<Region> {
        self.bucket_region.as_deref().copied()
    }
}
