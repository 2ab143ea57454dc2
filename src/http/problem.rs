//! Errors as clients see them: `application/problem+json` (RFC 9457).
//!
//! Use cases fail with [`Error`]; what only HTTP knows (a wrong content type, a method that is not
//! there) is a [`Problem`] with a status of its own. Both are rendered in one place, at the boundary,
//! where the request ID is known. `docs/errors.md` is the policy in prose.

use crate::application::closed_sets;
use crate::application::error::{Diagnosis, Error, Kind};
use crate::http::step_problem::{
    CandidateBody, EvidenceBody, MissingPermissionBody, PatchBody, StepProblemBody,
};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use utoipa::ToSchema;

/// What `Retry-After` says, in seconds, where nobody knows better.
const UNKNOWN_WAIT: u64 = 30;

/// Statuses of the kinds of failure.
pub fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::ClientTimeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::CustomerSide => StatusCode::FAILED_DEPENDENCY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// A refusal with the status and headers it is answered with.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub error: Error,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal by HTTP's own rules, with a status that no [`Kind`] has.
    pub fn http(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let kind = if status.is_server_error() {
            Kind::Internal
        } else {
            Kind::Malformed
        };
        Self {
            status,
            error: Error::new(kind, code, detail),
            headers: Vec::new(),
        }
    }

    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.error = self.error.remedy(remedy);
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What went wrong with a request, whoever made the error: a use case, HTTP's rules, or the web
    /// framework, whose own texts do not go out.
    pub fn of(error: &actix_web::Error) -> Self {
        if let Some(problem) = error.as_error::<Self>() {
            return problem.clone();
        }
        if let Some(error) = error.as_error::<Error>() {
            return error.clone().into();
        }
        let status = error.as_response_error().status_code();
        let mut problem = Self::bare(status);
        problem.error = problem.error.internal(error);
        problem
    }

    /// The same in the words, and with the members, that its reader may see. Reports of checks are for admins.
    pub fn seen_by(mut self, is_admin: bool) -> Self {
        let Some(diagnosis) = self.error.diagnosis.clone() else {
            return self;
        };
        if is_admin {
            self.error = self.error.for_admins();
        }
        let members = members_of(&diagnosis, is_admin);
        self.error.members.extend(members);
        self
    }

    /// A problem that is known by its status only.
    pub fn bare(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "There is nothing at this address."),
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "The request's body is too large."),
            StatusCode::REQUEST_TIMEOUT => ("request_timeout", "The request did not come in time."),
            status if status.is_server_error() => return Error::bug(status).into(),
            _ => ("bad_request", "The request cannot be read."),
        };
        Self::http(status, code, detail)
    }

    /// After how many seconds the request may be sent again, for `Retry-After`. Every 429 and 503 has it.
    pub fn retry_after(&self) -> Option<u64> {
        match (self.error.retry_after, self.status) {
            // Rounded up: too early would only be refused again.
            (Some(wait), _) => Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            (None, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                Some(UNKNOWN_WAIT)
            }
            (None, _) => None,
        }
    }

    /// The answer.
    pub fn render(&self, request_id: Option<&str>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        let body = ProblemBody::new(self, request_id);
        match serde_json::to_vec(&body) {
            Ok(bytes) => response.body(bytes),
            Err(_) => response.finish(),
        }
    }
}

/// Members of a step's problem that everybody sees: the cause and whose it is.
const OF_EVERYBODY: [&str; 2] = ["certainty", "side"];
/// Those that name what is in the customer's account.
const OF_ADMINS: [&str; 5] = ["causes", "evidence", "missing", "patch", "learn_more"];

fn members_of(diagnosis: &Diagnosis, is_admin: bool) -> serde_json::Map<String, Value> {
    let body = StepProblemBody::from(diagnosis.problem.clone());
    let whole = serde_json::to_value(body).unwrap_or_default();
    let mut members = serde_json::Map::new();
    members.insert("cause".to_owned(), diagnosis.cause.code().into());
    let admins = OF_ADMINS.iter().filter(|_| is_admin);
    for name in OF_EVERYBODY.iter().chain(admins) {
        if let Some(value) = whole.get(name) {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(storage) = diagnosis.storage.as_ref().filter(|_| is_admin) {
        let path = format!("/v1/storages/{storage}/checks");
        members.insert("check".to_owned(), path.into());
    }
    members
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self {
            status: status_of(error.kind),
            error,
            headers: Vec::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.render(None)
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status_of(self.kind)
    }

    fn error_response(&self) -> HttpResponse {
        Problem::from(self.clone()).render(None)
    }
}

/// An error, as RFC 9457 has it. A problem may have further members that its `code` explains.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Always `about:blank`: `code` distinguishes the problems.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What happened, and why.
    #[schema(example = "A name has at least one visible character.")]
    detail: &'a str,
    /// What kind of problem it is: stable, for programs.
    #[schema(value_type = closed_sets::AnyProblemCode)]
    code: &'static str,
    /// The same as the header `X-Request-Id`; the operator finds the request in the log by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required, example = "019a1f0e-7c1b-7d43-9a52-0c8c2f6f6b1e")]
    request_id: Option<&'a str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    /// The fields of the request that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem<'a>>,
    /// The ID of the AWS request that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_request_id: Option<&'a str>,
    #[serde(flatten)]
    #[schema(value_type = ProblemMembers)]
    members: &'a serde_json::Map<String, serde_json::Value>,
}

/// The members that only some problems have; the code says which.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only for the OpenAPI document; use cases add members by their names"
)]
pub struct ProblemMembers {
    /// Where a call to AWS or the store failed: the code of the cause, as in a check's report.
    #[schema(value_type = Option<closed_sets::AnyCauseCode>)]
    cause: Option<String>,
    /// With `cause`: how sure it is.
    #[schema(value_type = Option<closed_sets::ProblemCertainty>)]
    certainty: Option<String>,
    /// With `cause`: who can remove it.
    #[schema(value_type = Option<closed_sets::ProblemSide>)]
    side: Option<String>,
    /// With `cause`, for admins: what may be behind it, the likeliest first, where AWS does not say which.
    causes: Option<Vec<CandidateBody>>,
    /// With `cause`, for admins: the answer that it was found by.
    evidence: Option<Vec<EvidenceBody>>,
    /// With `cause`, for admins: the permissions whose lack explains it, where AWS says that no policy allows them.
    missing: Option<Vec<MissingPermissionBody>>,
    /// With `cause`, for admins: what to change, where one document can.
    patch: Option<PatchBody>,
    /// With `cause`, for admins: where AWS describes it.
    learn_more: Option<String>,
    /// With `cause`, for admins: the path of the storage's checks. A new check says more.
    #[schema(example = "/v1/storages/sto_019a1f0e7c1b7d439a520c8c2f6f6b1e/checks")]
    check: Option<String>,
    /// With `sign_in_link_unusable`, and with `not_signed_in` where a session has ended: where another link can be
    /// had.
    #[schema(example = "https://app.example.com/settings")]
    return_url: Option<String>,
    /// With `missing_files`: every file key that the storage does not have.
    #[schema(example = json!(["/some-folder/image.png"]))]
    missing_files: Option<Vec<String>>,
    /// With `missing_files`: how many files were named.
    file_count: Option<u64>,
    /// With `archived_files`: the file keys, at most 100 of them.
    #[schema(example = json!(["/some-folder/image.png"]))]
    archived_files: Option<Vec<String>>,
    /// With a list of files that a project does not have: their keys.
    #[schema(example = json!(["/some-folder/image.png"]))]
    unknown_files: Option<Vec<String>>,
    /// With `storage_quarantined`: since when, by which check, and the code of what that found.
    quarantine: Option<QuarantineMember>,
    /// With `storage_overlaps`: the storages that have files of the same place.
    #[schema(example = json!(["sto_019a1f0e7c1b7d439a520c8c2f6f6b1e"]))]
    storage_ids: Option<Vec<String>>,
    /// With `missing_scope`: the scope that the key does not have.
    #[schema(value_type = Option<closed_sets::Scope>)]
    scope: Option<String>,
    /// With `outside_of_token`, where a folder was to be listed: the folders that the token lists.
    #[schema(example = json!(["/some-folder/"]))]
    folders: Option<Vec<String>>,
    /// With `storage_in_use`: how many projects use the storage.
    project_count: Option<i64>,
    /// With a move whose original could not be deleted: the key of the copy.
    #[schema(example = "/other-folder/image.png")]
    copied: Option<String>,
    /// With `malformed_json`: where the body is broken, counted from 1.
    line: Option<u64>,
    /// With `malformed_json`: where the line is broken, counted from 1.
    column: Option<u64>,
}

/// Why a storage is not used.
#[derive(ToSchema)]
#[schema(as = ProblemQuarantine)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
pub struct QuarantineMember {
    #[schema(value_type = Option<time::OffsetDateTime>)]
    since: Option<String>,
    #[schema(example = "chk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    check_id: String,
    #[schema(value_type = closed_sets::AnyCauseCode)]
    code: String,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem<'a> {
    /// The field's path in the body, or the parameter's or header's name.
    #[schema(example = "name")]
    field: &'a str,
    /// What is wrong: stable, for programs.
    #[schema(value_type = closed_sets::AnyFieldCode)]
    code: &'static str,
    #[schema(example = "A name has at least one visible character.")]
    detail: &'a str,
}

impl<'a> ProblemBody<'a> {
    fn new(problem: &'a Problem, request_id: Option<&'a str>) -> Self {
        let error = &problem.error;
        Self {
            r#type: "about:blank",
            title: problem.status.canonical_reason().unwrap_or("Error"),
            status: problem.status.as_u16(),
            detail: &error.detail,
            code: error.code,
            request_id,
            remedy: error.remedy.as_deref(),
            errors: error
                .fields
                .iter()
                .map(|f| FieldProblem {
                    field: &f.field,
                    code: f.code,
                    detail: &f.detail,
                })
                .collect(),
            aws_request_id: error.aws_request_id.as_deref(),
            members: &error.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn waiting_is_rounded_up_to_whole_seconds() {
        let error = Error::new(Kind::TooMany, "too_many_checks", "Wait.");
        let response = Problem::from(error.retry_after(Duration::from_millis(1_001))).render(None);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "2");
    }

    #[test]
    fn every_429_and_503_says_when_to_try_again() {
        let after = |kind| {
            let response = Problem::from(Error::new(kind, "any", "Any.")).render(None);
            let value = response.headers().get(header::RETRY_AFTER).cloned();
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(after(Kind::TooMany).as_deref(), Some("30"));
        assert_eq!(after(Kind::Unavailable).as_deref(), Some("30"));
        assert_eq!(after(Kind::Conflict), None);
    }

    #[test]
    fn the_framework_s_own_texts_do_not_go_out() {
        let error = actix_web::error::ErrorBadRequest("what the framework says");
        let problem = Problem::of(&error);
        assert_eq!(problem.status, 400);
        assert!(!problem.to_string().contains("framework"));
        assert!(
            problem
                .error
                .internal
                .as_deref()
                .unwrap()
                .contains("framework")
        );
    }
}
