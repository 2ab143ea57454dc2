//! Errors of the use cases: what a client may see, and what only the operator may.

use crate::domain::Invalid;
use crate::domain::aws_code::{self, S3Code};
use crate::domain::aws_failure::{AssumeRoleRefusal, AwsFailure, FailureKind};
use crate::domain::cause::objects::locked_until;
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Error>;

/// A refusal or failure. `Display` is safe to show to a client: AWS's and the database's own texts are
/// kept apart, in `internal`, for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.detail)]
pub struct Error(Box<ErrorParts>);

/// What an [`Error`] holds.
#[derive(Debug, Clone)]
pub struct ErrorParts {
    pub kind: Kind,
    /// Stable and `snake_case`: part of the API.
    pub code: &'static str,
    /// What happened, and why.
    pub detail: String,
    /// What to do about it.
    pub remedy: Option<String>,
    pub fields: Vec<FieldError>,
    /// More members for the problem document, like the list of missing keys.
    pub members: serde_json::Map<String, serde_json::Value>,
    pub retry_after: Option<Duration>,
    /// The request ID of the AWS call that failed, for the caller to quote.
    pub aws_request_id: Option<String>,
    /// For the operator's log only.
    pub internal: Option<String>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's path, as in `files[2].file_key`.
    pub field: String,
    pub code: &'static str,
    pub detail: String,
    /// Where in a list of the request it is, for those who show that list in another form.
    pub item: Option<ItemPlace>,
}

/// The place of an item in a list of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPlace {
    /// The list's field.
    pub list: String,
    /// Counted from 0.
    pub index: usize,
    /// The earlier item of the list that this one is the same as.
    pub same_as: Option<usize>,
}

impl FieldError {
    pub fn new(field: impl Into<String>, invalid: Invalid) -> Self {
        Self {
            field: field.into(),
            code: invalid.code,
            detail: invalid.detail,
            item: None,
        }
    }

    /// What is wrong with an item of a list, or with one field of it.
    pub fn of_item(list: &str, index: usize, inner: Option<&str>, invalid: Invalid) -> Self {
        let field = match inner {
            Some(inner) => format!("{list}[{index}].{inner}"),
            None => format!("{list}[{index}]"),
        };
        Self {
            item: Some(ItemPlace {
                list: list.to_owned(),
                index,
                same_as: None,
            }),
            ..Self::new(field, invalid)
        }
    }

    /// Says which earlier item of its list this one is the same as.
    pub fn same_as(mut self, earlier: Option<usize>) -> Self {
        if let Some(item) = &mut self.item {
            item.same_as = earlier;
        }
        self
    }
}

/// What each kind means, and the HTTP status it becomes; `docs/errors.md` says the same in prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: the request cannot be read.
    Malformed,
    /// 401
    Unauthenticated,
    /// 403
    Forbidden,
    /// 404: absent, or not the caller's.
    NotFound,
    /// 409: not in the present state.
    Conflict,
    /// 412
    PreconditionFailed,
    /// 413
    TooLarge,
    /// 416
    RangeNotSatisfiable,
    /// 422: well-formed but invalid.
    Unprocessable,
    /// 424: the customer's bucket, role, key or endpoint does not let us do it, and only the customer can
    /// change that.
    CustomerSide,
    /// 429
    TooMany,
    /// 500
    Internal,
    /// 502: AWS or the store broke, or refused for a reason on the service's own side.
    Upstream,
    /// 503: a dependency of this service is unavailable.
    Unavailable,
    /// 504: AWS did not answer in time.
    UpstreamTimeout,
}

impl Error {
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            kind,
            code,
            detail: detail.into(),
            remedy: None,
            fields: Vec::new(),
            members: serde_json::Map::new(),
            retry_after: None,
            aws_request_id: None,
            internal: None,
        }))
    }

    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub fn internal(mut self, cause: impl std::fmt::Display) -> Self {
        self.internal = Some(cause.to_string());
        self
    }

    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Fields of a request that were refused.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [one] => one.detail.clone(),
            several => format!("{} fields cannot be accepted.", several.len()),
        };
        let mut error = Self::new(Kind::Unprocessable, "invalid_request", detail);
        error.fields = fields;
        error
    }

    /// One field of a request that was refused.
    pub fn field(name: &str, invalid: Invalid) -> Self {
        Self::invalid(vec![FieldError::new(name, invalid)])
    }

    /// The same answer for what does not exist and for what belongs to somebody else.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Kind::NotFound,
            "not_found",
            format!("There is no such {what} in this workspace."),
        )
    }

    /// A fault of ours.
    pub fn bug(cause: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::Internal,
            "internal_error",
            "The service failed to do this, and it is not your fault.",
        )
        .remedy("Try again. If it stays, send the operator the request ID.")
        .internal(cause)
    }
}

impl std::ops::Deref for Error {
    type Target = ErrorParts;

    fn deref(&self) -> &ErrorParts {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorParts {
        &mut self.0
    }
}

impl Error {
    /// A failure of a call to the service's own bucket: what would be the customer's side is the operator's
    /// here.
    pub fn of_own_bucket(failure: AwsFailure) -> Self {
        Self::from(failure).on_own_side()
    }

    /// The same where there is no customer.
    pub(crate) fn on_own_side(mut self) -> Self {
        if self.kind == Kind::CustomerSide {
            self.kind = Kind::Upstream;
        }
        self
    }
}

/// A request that AWS or the store understands and does not accept.
fn rejected(
    assuming: bool,
    code: Option<&str>,
) -> (Kind, &'static str, &'static str, &'static str) {
    const CHECK: &str = "A workspace admin can check the connection. If that passes, send the operator the request ID.";
    if assuming {
        let detail = "AWS does not accept this request.";
        return (Kind::Upstream, "storage_request_rejected", detail, CHECK);
    }
    match code.and_then(S3Code::parse) {
        Some(S3Code::StorageFull) => (
            Kind::CustomerSide,
            "store_full",
            "The store, or the account's quota, is full.",
            "Make room in the store, or raise the quota. A permission does not help.",
        ),
        Some(S3Code::ContentSha256Mismatch | S3Code::InvalidDigest) => (
            Kind::Upstream,
            "body_altered",
            "The store says that the body does not fit its digest, and has not stored it.",
            "Something between the service and the store changes bodies, or the store does not understand the digest. Ask the operator to look at what is between them.",
        ),
        _ => (
            Kind::Upstream,
            "storage_request_rejected",
            "The store does not accept this request.",
            CHECK,
        ),
    }
}

/// Codes that this service gives to failures itself: no answer has them.
const OWN_CODES: [&str; 5] = [
    "DeleteMarker",
    "Page",
    "RoleSessionsBusy",
    "StorageBusy",
    "StorageDeleted",
];

/// The code that AWS or the store sent, as it may be shown.
fn sent_code(failure: &AwsFailure) -> Option<String> {
    let code = failure.error_code.as_deref();
    code.filter(|code| !OWN_CODES.contains(code))
        .and_then(aws_code::plain)
}

/// What was answered, where nothing else says what it was about.
fn answer_in_words(failure: &AwsFailure) -> Option<String> {
    let odd = matches!(
        failure.kind,
        FailureKind::Unavailable
            | FailureKind::InvalidRequest
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::NotSupported
            | FailureKind::Redirected
            | FailureKind::ListingIncomplete
    );
    let status = failure.http_status.filter(|_| odd)?;
    let code = sent_code(failure)
        .map(|code| format!(" and the code `{code}`"))
        .unwrap_or_default();
    Some(format!(
        "The answer to `{}` had the status {status}{code}.",
        failure.operation
    ))
}

/// The call that failed, as the steps of a check show it. `None`: nothing was answered.
fn evidence(failure: &AwsFailure) -> Option<serde_json::Value> {
    let status = failure.http_status?;
    Some(serde_json::json!({
        "operation": failure.operation,
        "http_status": status,
        "error_code": sent_code(failure),
        "request_id": failure.request_id,
    }))
}

impl From<AwsFailure> for Error {
    /// A failure of a call to the customer's bucket or role outside of the connection check. AWS's text
    /// stays in the log, because it can name foreign ARNs and keys.
    fn from(failure: AwsFailure) -> Self {
        let assuming = failure.operation == "AssumeRole";
        let lock = failure.lock();
        let locked = failure.kind == FailureKind::ObjectLocked;
        let (kind, code, detail, remedy) = match failure.kind {
            FailureKind::AccessDenied if assuming => match failure.assume_role_refusal() {
                Some(AssumeRoleRefusal::Service(..)) => (
                    Kind::Upstream,
                    "service_not_permitted",
                    "A policy on the service's own side does not let it assume the customer's role.",
                    "Send the operator the request ID: the customer cannot change this.",
                ),
                Some(AssumeRoleRefusal::Role | AssumeRoleRefusal::Unknown) | None => (
                    Kind::CustomerSide,
                    "role_refused",
                    "The customer's role refused us.",
                    "A workspace admin can check the connection: the report says what to change.",
                ),
            },
            FailureKind::AccessDenied => (
                Kind::CustomerSide,
                "storage_access_denied",
                "The storage does not permit this.",
                "A workspace admin can check the connection: the report names the missing permission.",
            ),
            FailureKind::KmsDenied => (
                Kind::CustomerSide,
                "kms_key_denied",
                "The object is encrypted with a KMS key that the storage's role may not use.",
                "A workspace admin can check the connection: the report says which policy refused. The key must be in the storage's settings, and its actions in the role's policy.",
            ),
            FailureKind::BadCredentials if assuming => (
                Kind::Upstream,
                "service_credentials_rejected",
                "AWS does not accept the service's own credentials.",
                "Send the operator the request ID: the customer cannot change this.",
            ),
            FailureKind::BadCredentials => (
                Kind::CustomerSide,
                "storage_credentials_rejected",
                "AWS does not accept the storage's credentials.",
                "A workspace admin can check the connection.",
            ),
            FailureKind::ClockSkew => (
                Kind::Unavailable,
                "clock_skew",
                "The store says that this service's clock differs from its own by more than it accepts.",
                "Ask the operator to compare the clock of the service with the true time. The clock of an S3-compatible store may be the wrong one.",
            ),
            FailureKind::NoSuchKey if failure.error_code.as_deref() == Some("DeleteMarker") => (
                Kind::NotFound,
                "file_deleted",
                "The file was deleted. The bucket keeps its versions.",
                "Read one of its versions, or delete the delete marker to have the file back.",
            ),
            FailureKind::NoSuchKey if failure.error_code.as_deref() == Some("NoSuchVersion") => (
                Kind::NotFound,
                "version_not_found",
                "The file has no such version.",
                "List the versions of the file.",
            ),
            FailureKind::NoSuchKey => (
                Kind::NotFound,
                "file_not_found",
                "There is no file with this key in the storage.",
                "Compare the key, letter case included, with the one in the bucket.",
            ),
            FailureKind::NoSuchBucket => (
                Kind::CustomerSide,
                "bucket_not_found",
                "The storage's bucket does not exist any more.",
                "A workspace admin can check the connection.",
            ),
            FailureKind::WrongRegion => (
                Kind::CustomerSide,
                "bucket_region_changed",
                "The storage's bucket is in another Region than when it was last checked.",
                "Check the connection again: the check finds the Region.",
            ),
            FailureKind::PreconditionFailed => (
                Kind::PreconditionFailed,
                "precondition_failed",
                "The file is not in the state that the request asks for.",
                "Read it again and repeat the request with its present ETag.",
            ),
            FailureKind::NotModified => (
                Kind::PreconditionFailed,
                "not_modified",
                "The file has not changed.",
                "Use the copy that you have.",
            ),
            FailureKind::InvalidRange => (
                Kind::RangeNotSatisfiable,
                "range_not_satisfiable",
                "The file has no bytes in this range.",
                "Ask for a range within its size.",
            ),
            FailureKind::ObjectLocked => (
                Kind::Conflict,
                "object_locked",
                "Object Lock protects the file or its version.",
                "Wait until the retention ends, or have the legal hold removed. Deleting a file without naming a version hides it, where the bucket keeps versions.",
            ),
            FailureKind::KmsUnusable => (
                Kind::CustomerSide,
                "kms_key_unusable",
                "The KMS key of the file cannot be used by anybody: it is disabled, waits for its deletion, is absent or of another kind.",
                "Look at the key's status under KMS > Customer managed keys. A permission does not help.",
            ),
            FailureKind::AccountDisabled => (
                Kind::CustomerSide,
                "storage_account_disabled",
                "The store says that the account, or all access to the bucket, is switched off.",
                "The owner of the account asks AWS Support. A permission does not help.",
            ),
            FailureKind::Redirected => (
                Kind::CustomerSide,
                "endpoint_redirects",
                "The endpoint redirects to another address, which the service does not follow.",
                "A workspace admin can check the connection: the report says where it leads.",
            ),
            FailureKind::NotSupported => (
                Kind::CustomerSide,
                "operation_not_supported",
                "The store does not have this operation.",
                "Use a store that has it. A permission does not help.",
            ),
            FailureKind::Archived => (
                Kind::Conflict,
                "file_archived",
                "The file is archived and must be restored before it can be read.",
                "Restore it in the S3 console, then try again.",
            ),
            FailureKind::Throttled if failure.error_code.as_deref() == Some("StorageBusy") => (
                Kind::Unavailable,
                "storage_busy",
                "Too many requests to this storage, or to the workspace's storages together, are under way.",
                "Try again in a moment, with fewer requests at once.",
            ),
            FailureKind::Throttled if failure.error_code.as_deref() == Some("RoleSessionsBusy") => {
                (
                    Kind::Unavailable,
                    "role_sessions_busy",
                    "Too many role sessions are wanted at the moment.",
                    "Try again in a moment.",
                )
            }
            FailureKind::Throttled => (
                Kind::Unavailable,
                "storage_throttled",
                "AWS asks for fewer requests to this storage at the moment.",
                "Try again in a moment.",
            ),
            FailureKind::Timeout => (
                Kind::UpstreamTimeout,
                "storage_timeout",
                "AWS did not answer in time.",
                "Try again in a moment.",
            ),
            FailureKind::ForbiddenAddress => (
                Kind::CustomerSide,
                "endpoint_not_allowed",
                "The storage's endpoint leads to a network that the operator does not allow.",
                "Ask the operator to allow the network, or use a public endpoint.",
            ),
            // AssumeRole is no call to the store.
            FailureKind::InvalidResponse if !assuming => (
                Kind::Upstream,
                "store_answer_unreadable",
                "The store answered in a form that cannot be read.",
                "Try again in a moment. If it stays, send the operator the request ID: the log has the operation and the status. Something between the service and the store, such as a proxy, may answer in its place.",
            ),
            FailureKind::NotS3 if !assuming => (
                Kind::Upstream,
                "store_answer_not_s3",
                "The answer shows nothing that an S3-compatible store sends, so it is not taken for a success.",
                "Check what stands between the service and the store, such as a proxy or a sign-in page, and the endpoint of the storage.",
            ),
            FailureKind::ListingIncomplete => (
                Kind::Upstream,
                "listing_incomplete",
                "The store's listing contradicts itself, so it may lack files. It was asked twice.",
                "Send the operator the request ID: the log says what does not agree. Whoever runs the store can find why it lists so.",
            ),
            FailureKind::Unavailable if failure.http_status.is_some() => (
                Kind::Upstream,
                "storage_unavailable",
                "The storage cannot do this at the moment.",
                "Try again in a moment.",
            ),
            FailureKind::Unavailable
            | FailureKind::Network
            | FailureKind::InvalidResponse
            | FailureKind::NotS3 => (
                Kind::Upstream,
                "storage_unavailable",
                "The storage cannot be reached at the moment.",
                "Try again in a moment.",
            ),
            FailureKind::InvalidRequest
                if failure.error_code.as_deref() == Some("StorageDeleted") =>
            {
                (
                    Kind::NotFound,
                    "not_found",
                    "There is no such storage in this workspace.",
                    "It was deleted while the request was under way. Use another storage.",
                )
            }
            FailureKind::InvalidRequest => rejected(assuming, failure.error_code.as_deref()),
        };
        let mut error = Self::new(kind, code, detail).remedy(remedy);
        if let Some(answer) = answer_in_words(&failure) {
            error.detail = format!("{} {answer}", error.detail);
        }
        if let Some(call) = evidence(&failure) {
            error = error.member("evidence", vec![call]);
        }
        if locked {
            error.detail = format!(
                "Object Lock protects the file or its version{}. No permission changes that.",
                locked_until(lock.as_ref())
            );
        }
        if failure.kind.is_transient() {
            error.retry_after = Some(Duration::from_secs(2));
        }
        error.internal = Some(format!(
            "{failure}; http_status={:?} aws_request_id={:?} message={:?}",
            failure.http_status, failure.request_id, failure.message
        ));
        error.aws_request_id = failure.request_id;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::aws_failure::{Denial, DenialReason, PolicyEffect, PolicyKind};

    #[test]
    fn aws_texts_stay_inside() {
        let failure = AwsFailure {
            operation: "AssumeRole",
            kind: FailureKind::AccessDenied,
            http_status: Some(403),
            error_code: Some("AccessDenied".into()),
            request_id: Some("req-1".into()),
            denial: None,
            bucket_region: None,
            details: None,
            message: Some("User: arn:aws:iam::111111111111:user/foreign is not authorized".into()),
        };
        let error = Error::from(failure);
        assert!(!error.to_string().contains("arn:"));
        assert!(!error.remedy.as_deref().unwrap().contains("arn:"));
        assert!(error.internal.as_deref().unwrap().contains("foreign"));
        assert_eq!(error.aws_request_id.as_deref(), Some("req-1"));
    }

    #[test]
    fn a_refusal_is_the_customer_s_and_a_fault_is_not() {
        let of = |operation, kind, denial: Option<DenialReason>| {
            Error::from(AwsFailure {
                operation,
                kind,
                http_status: None,
                error_code: None,
                request_id: None,
                denial: denial.map(|reason| {
                    Box::new(Denial {
                        reason,
                        ..Denial::default()
                    })
                }),
                bucket_region: None,
                details: None,
                message: None,
            })
        };
        let denied = FailureKind::AccessDenied;
        for (operation, kind, denial, expected) in [
            ("GetObject", denied, None, Kind::CustomerSide),
            (
                "GetObject",
                FailureKind::KmsDenied,
                None,
                Kind::CustomerSide,
            ),
            (
                "GetObject",
                FailureKind::BadCredentials,
                None,
                Kind::CustomerSide,
            ),
            (
                "GetObject",
                FailureKind::NoSuchBucket,
                None,
                Kind::CustomerSide,
            ),
            ("AssumeRole", denied, None, Kind::CustomerSide),
            (
                "AssumeRole",
                denied,
                Some(DenialReason::By(
                    PolicyKind::ServiceControl,
                    PolicyEffect::ExplicitDeny,
                )),
                Kind::Upstream,
            ),
            (
                "AssumeRole",
                FailureKind::BadCredentials,
                None,
                Kind::Upstream,
            ),
            ("GetObject", FailureKind::Throttled, None, Kind::Unavailable),
            (
                "GetObject",
                FailureKind::Timeout,
                None,
                Kind::UpstreamTimeout,
            ),
            ("GetObject", FailureKind::Unavailable, None, Kind::Upstream),
            ("GetObject", FailureKind::Network, None, Kind::Upstream),
        ] {
            let error = of(operation, kind, denial);
            assert_eq!(error.kind, expected, "{operation} {kind:?} {denial:?}");
            // Where the bucket is our own, nothing is the customer's.
            assert_ne!(error.on_own_side().kind, Kind::CustomerSide);
        }
    }
}
