//! Errors of the use cases: what a client may see, and what only the operator may.

use crate::domain::Invalid;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::cause::Cause;
use crate::domain::check::problem::StepProblem;
use crate::domain::ids::StorageRef;
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
    /// What callers decide by, where one does. They never decide by the code, which is a text for clients.
    pub reason: Option<Reason>,
    /// The cause, where a call to AWS or the store failed for one.
    pub diagnosis: Option<Box<Diagnosis>>,
    /// The request ID of the AWS call that failed, for the caller to quote.
    pub aws_request_id: Option<String>,
    /// For the operator's log only.
    pub internal: Option<String>,
}

/// Errors that another use case, or the HTTP layer, goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no file with this key.
    FileAbsent,
    /// A condition of the request does not hold: the file is another by now, or is there already.
    ConditionFailed,
    /// The caller has the file as it is.
    NotModified,
    /// No check of these settings counts.
    CheckRequired,
    /// No change waits for its check.
    NoPendingChange,
    /// Projects use the storage.
    StorageInUse,
    /// The storage is the default, and nothing was said of the next one.
    StorageIsDefault,
    /// Somebody else's change came in between.
    ChangedMeanwhile,
    /// The operator has configured no built-in storage.
    NoBuiltInStorage,
    /// The service's own database failed.
    Database,
    /// The same, and the change may have been stored.
    OutcomeUnknown,
    /// A request with the same idempotency key is under way.
    KeyInProgress,
}

/// The cause behind an error. The error's own `detail` and `remedy` are for everybody; all of this is for those who
/// may see the reports of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub cause: Cause,
    /// What a check says of the cause, with the answer that failed as its evidence.
    pub problem: StepProblem,
    /// What happened, and why.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// The storage whose check says more. `None`: it is no storage's connection, or one that keeps no checks.
    pub storage: Option<StorageRef>,
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
    /// 408: the client sent its body too slowly.
    ClientTimeout,
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
            reason: None,
            diagnosis: None,
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

    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    pub fn member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a further sentence of what happened.
    pub fn also(mut self, sentence: &str) -> Self {
        let parts = &mut *self.0;
        let details = parts
            .diagnosis
            .iter_mut()
            .map(|diagnosis| &mut diagnosis.detail);
        for detail in details.chain([&mut parts.detail]) {
            detail.push(' ');
            detail.push_str(sentence);
        }
        self
    }

    /// The same in the words for those who may see the reports of checks.
    pub fn for_admins(mut self) -> Self {
        let parts = &mut *self.0;
        if let Some(diagnosis) = &parts.diagnosis {
            parts.detail = diagnosis.detail.clone();
            parts.remedy = Some(diagnosis.remedy.clone());
        }
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
        .remedy("Try again. If the problem persists, send the operator the request ID.")
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
    /// What a failed call says of the request alone, and not of the connection. `None`: it has a cause, which the
    /// catalogue has the words for.
    pub(crate) fn of_request(failure: &AwsFailure) -> Option<Self> {
        let own = failure.error_code.as_deref();
        let (kind, code, detail, remedy) = match failure.kind {
            FailureKind::NoSuchKey if own == Some(AwsFailure::DELETE_MARKER) => (
                Kind::NotFound,
                "file_deleted",
                "The file was deleted. The bucket keeps its versions.",
                "Read one of its versions, or delete the delete marker to have the file back.",
            ),
            FailureKind::NoSuchKey if own == Some("NoSuchVersion") => (
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
            // Limits of this service: AWS was not asked.
            FailureKind::Throttled if own == Some("StorageBusy") => (
                Kind::Unavailable,
                "storage_busy",
                "Too many requests to this storage, or to the workspace's storages together, are under way.",
                "Try again in a moment, with fewer requests at once.",
            ),
            FailureKind::Throttled if own == Some("RoleSessionsBusy") => (
                Kind::Unavailable,
                "role_sessions_busy",
                "Too many role sessions are wanted at the moment.",
                "Try again in a moment.",
            ),
            FailureKind::InvalidRequest if own == Some("StorageDeleted") => (
                Kind::NotFound,
                "not_found",
                "There is no such storage in this workspace.",
                "It was deleted while the request was under way. Use another storage.",
            ),
            FailureKind::Unavailable if own == Some(AwsFailure::OUTCOME_UNKNOWN) => (
                Kind::Upstream,
                "upload_outcome_unknown",
                "The storage did not confirm that it put the file's parts together, and what is there does not prove it. It is not known whether the file was stored.",
                "Read the file's metadata: size and time show whether it is there. If it is not, send it again.",
            ),
            FailureKind::AccessDenied
            | FailureKind::KmsDenied
            | FailureKind::KmsUnusable
            | FailureKind::BadCredentials
            | FailureKind::ClockSkew
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::Archived
            | FailureKind::ObjectLocked
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
            | FailureKind::ListingIncomplete => return None,
        };
        let mut error = Self::new(kind, code, detail)
            .remedy(remedy)
            .of_call(failure);
        error.reason = match failure.kind {
            FailureKind::NoSuchKey => Some(Reason::FileAbsent),
            FailureKind::PreconditionFailed => Some(Reason::ConditionFailed),
            FailureKind::NotModified => Some(Reason::NotModified),
            _ => None,
        };
        Some(error)
    }

    /// Keeps what the log says of the failed call, and whether it may be repeated. AWS's text goes nowhere else: it
    /// can name foreign ARNs and keys.
    pub(crate) fn of_call(mut self, failure: &AwsFailure) -> Self {
        if failure.kind.is_transient() {
            self.retry_after = Some(Duration::from_secs(2));
        }
        self.internal = Some(format!(
            "{failure}; http_status={:?} aws_request_id={:?} message={:?}",
            failure.http_status, failure.request_id, failure.message
        ));
        self.aws_request_id = failure.request_id.clone();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, code: &str) -> AwsFailure {
        AwsFailure {
            operation: "GetObject",
            kind,
            http_status: Some(403),
            error_code: Some(code.into()),
            request_id: Some("req-1".into()),
            denial: None,
            bucket_region: None,
            details: None,
            message: Some("User: arn:aws:iam::111111111111:user/foreign is not authorized".into()),
        }
    }

    #[test]
    fn aws_texts_stay_inside() {
        let error = Error::of_request(&failure(FailureKind::NoSuchKey, "NoSuchKey")).unwrap();
        assert!(!error.to_string().contains("arn:"));
        assert!(!error.remedy.as_deref().unwrap().contains("arn:"));
        assert!(error.internal.as_deref().unwrap().contains("foreign"));
        assert_eq!(error.aws_request_id.as_deref(), Some("req-1"));
    }

    #[test]
    fn what_only_the_request_is_about_has_no_cause() {
        for (kind, code, expected) in [
            (FailureKind::NoSuchKey, "NoSuchKey", Some("file_not_found")),
            (FailureKind::NoSuchKey, "DeleteMarker", Some("file_deleted")),
            (
                FailureKind::NoSuchKey,
                "NoSuchVersion",
                Some("version_not_found"),
            ),
            (
                FailureKind::PreconditionFailed,
                "PreconditionFailed",
                Some("precondition_failed"),
            ),
            (FailureKind::NotModified, "304", Some("not_modified")),
            (
                FailureKind::InvalidRange,
                "InvalidRange",
                Some("range_not_satisfiable"),
            ),
            (FailureKind::Throttled, "StorageBusy", Some("storage_busy")),
            (FailureKind::Throttled, "SlowDown", None),
            (
                FailureKind::InvalidRequest,
                "StorageDeleted",
                Some("not_found"),
            ),
            (FailureKind::InvalidRequest, "InvalidRequest", None),
            (
                FailureKind::Unavailable,
                AwsFailure::OUTCOME_UNKNOWN,
                Some("upload_outcome_unknown"),
            ),
            (FailureKind::Unavailable, "InternalError", None),
            (FailureKind::AccessDenied, "AccessDenied", None),
        ] {
            let error = Error::of_request(&failure(kind, code));
            assert_eq!(error.map(|error| error.code), expected, "{kind:?} {code}");
        }
    }

    #[test]
    fn a_further_sentence_is_in_both_texts() {
        let error = Error::new(Kind::NotFound, "not_found", "One.").also("Two.");
        assert_eq!(error.detail, "One. Two.");
        assert_eq!(error.for_admins().detail, "One. Two.");
    }
}
