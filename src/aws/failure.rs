//! From the SDK's errors to [`AwsFailure`]: the only place where an answer of AWS is judged.

use crate::aws::answers::store::{NotOfS3, is_page, names_a_store};
use crate::aws::denial;
use crate::domain::aws_code::S3Code;
use crate::domain::aws_failure::{
    AnswerDetails, AwsFailure, Denial, FailureKind, NoConnection, PolicyComplaint,
};
use crate::domain::connection::region::Region;
use crate::domain::origin::Origin;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

/// The endpoint leads to an address that the operator does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint leads to a network that is not allowed")]
pub struct ForbiddenAddress;

/// Judges a failed call of `operation`.
pub fn classify<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> AwsFailure
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    let response = error.raw_response();
    let http_status = response.map(|r| r.status().as_u16());
    let header = |name: &str| {
        response
            .and_then(|r| r.headers().get(name))
            .map(str::to_owned)
    };
    let service_error = error.as_service_error();
    let error_code = service_error.and_then(|e| e.code()).map(str::to_owned);
    let message = match service_error {
        Some(e) => e.message().map(str::to_owned),
        // Not the context of a service error: it would repeat headers and body.
        None => Some(DisplayErrorContext(error).to_string()),
    };
    // A delete marker hides the object: S3 answers 404, or 405 where the marker itself was asked for.
    let hidden = header("x-amz-delete-marker").as_deref() == Some("true");
    // The success of a deletion has the same header, where it made a marker.
    let hidden = hidden && http_status.is_none_or(|status| status >= 400);
    let error_code = if hidden {
        Some(AwsFailure::DELETE_MARKER.to_owned())
    } else {
        error_code
    };
    let in_place_of_a_store =
        response.is_some_and(|r| is_page(r.headers()) && !names_a_store(r.headers()));
    let not_of_s3 = causes(error).find_map(|cause| cause.downcast_ref::<NotOfS3>());
    let error_code = match not_of_s3 {
        Some(NotOfS3 { is_page: true }) => Some(AwsFailure::PAGE.to_owned()),
        Some(NotOfS3 { is_page: false }) | None => error_code,
    };
    let kind = match error {
        _ if hidden => FailureKind::NoSuchKey,
        _ if not_of_s3.is_some() => FailureKind::NotS3,
        // Only the status is known of these, and a page for people is no word of a store.
        _ if in_place_of_a_store
            && has_no_error_body(operation)
            && http_status.is_some_and(|status| (400..500).contains(&status)) =>
        {
            FailureKind::NotS3
        }
        SdkError::TimeoutError(_) => FailureKind::Timeout,
        SdkError::ConstructionFailure(_) => FailureKind::InvalidRequest,
        SdkError::DispatchFailure(failure) => {
            if failure
                .as_connector_error()
                .is_some_and(|e| causes(e).any(|cause| cause.is::<ForbiddenAddress>()))
            {
                FailureKind::ForbiddenAddress
            } else if causes(error).any(|cause| cause.is::<CredentialsError>()) {
                FailureKind::BadCredentials
            } else if failure.is_timeout() {
                FailureKind::Timeout
            } else {
                FailureKind::Network
            }
        }
        _ => kind_of_answer(
            operation,
            http_status.unwrap_or_default(),
            error_code.as_deref(),
            message.as_deref(),
        ),
    };
    let region = header("x-amz-bucket-region")
        .or_else(|| response.and_then(region_in_body))
        .or_else(|| message.as_deref().and_then(denial::expected_region));
    let kind = match in_its_place(operation, kind, http_status, region.is_some()) {
        FailureKind::InvalidResponse if in_place_of_a_store => FailureKind::NotS3,
        kind => kind,
    };
    AwsFailure {
        operation,
        kind,
        http_status,
        error_code,
        request_id: header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
        denial: denial_of(kind, message.as_deref()),
        bucket_region: region
            .and_then(|name| Region::parse(&name).ok())
            .map(Box::new),
        details: details_of(
            kind,
            header("location"),
            message.as_deref(),
            no_connection(kind, error),
        ),
        message,
    }
}

/// What few answers have.
fn details_of(
    kind: FailureKind,
    location: Option<String>,
    message: Option<&str>,
    no_connection: Option<NoConnection>,
) -> Option<Box<AnswerDetails>> {
    let redirects_to = location
        .filter(|_| kind == FailureKind::Redirected)
        .and_then(|target| origin_of(&target));
    let details = AnswerDetails {
        redirects_to,
        lock: None,
        needs_customer_key: message.is_some_and(denial::needs_customer_key),
        no_connection,
        policy_complaint: message
            .filter(|_| kind == FailureKind::InvalidRequest)
            .map(denial::policy_complaint)
            .filter(|complaint| *complaint != PolicyComplaint::Unread),
        key: message
            .filter(|_| matches!(kind, FailureKind::KmsDenied | FailureKind::KmsUnusable))
            .and_then(denial::unusable_key),
    };
    (details != AnswerDetails::default()).then(|| Box::new(details))
}

/// What a denial says, where the failure is one.
fn denial_of(kind: FailureKind, message: Option<&str>) -> Option<Box<Denial>> {
    matches!(kind, FailureKind::AccessDenied | FailureKind::KmsDenied)
        .then(|| message.map(denial::read))
        .flatten()
        .map(Box::new)
}

/// Judges what the status alone says of a redirect: S3 sends its own only together with its code, or with
/// the bucket's Region. An answer without a body has the Region in its header alone.
pub(crate) fn in_its_place(
    operation: &str,
    kind: FailureKind,
    status: Option<u16>,
    names_region: bool,
) -> FailureKind {
    match (kind, status) {
        (FailureKind::Redirected, _) if names_region => FailureKind::WrongRegion,
        (FailureKind::InvalidRequest, Some(400))
            if has_no_error_body(operation) && names_region =>
        {
            FailureKind::WrongRegion
        }
        _ => kind,
    }
}

/// The origin alone of where a redirect leads: a path or a query may hold what others must not see.
pub(crate) fn origin_of(target: &str) -> Option<Origin> {
    let url = url::Url::parse(target).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| Origin::of(&url))
}

/// The Region that an error's body says to sign for. S3-compatible stores name it there alone (S3 API
/// reference, "Error responses": `AuthorizationHeaderMalformed` has a `Region` element).
fn region_in_body(response: &HttpResponse) -> Option<String> {
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    let (_, rest) = body.split_once("<Region>")?;
    let (region, _) = rest.split_once("</Region>")?;
    Some(region.to_owned())
}

/// Judges one failure of an answer that has many: DeleteObjects has a code for each key.
pub fn of_code(operation: &'static str, code: &str, message: Option<&str>) -> AwsFailure {
    // The statuses that S3 gives these codes where it answers one call with them.
    let status = match code {
        "AccessDenied" => 403,
        "InternalError" => 500,
        "ServiceUnavailable" | "SlowDown" => 503,
        _ => 400,
    };
    let kind = kind_of_answer(operation, status, Some(code), message);
    AwsFailure {
        kind,
        denial: denial_of(kind, message),
        http_status: None,
        error_code: Some(code.to_owned()),
        ..local(operation, kind, message.unwrap_or_default())
    }
}

/// Why there was no connection. Told by what the errors are, not by their words, but for names and TLS, of which
/// the connector's errors are private.
fn no_connection<E>(kind: FailureKind, error: &SdkError<E, HttpResponse>) -> Option<NoConnection>
where
    E: StdError + 'static,
{
    if kind != FailureKind::Network {
        return None;
    }
    causes(error).find_map(|cause| {
        if cause.downcast_ref::<rustls::Error>().is_some() {
            return Some(NoConnection::Tls);
        }
        let io = cause.downcast_ref::<std::io::Error>()?;
        if is_of_tls(io) {
            return Some(NoConnection::Tls);
        }
        match io.kind() {
            std::io::ErrorKind::ConnectionRefused => Some(NoConnection::Refused),
            // The standard library has no kinds for these two.
            _ => {
                let text = io.to_string();
                if text.starts_with("failed to lookup address") {
                    Some(NoConnection::Dns)
                } else if text.starts_with("tls handshake eof") {
                    Some(NoConnection::Tls)
                } else {
                    None
                }
            }
        }
    })
}

/// Whether it wraps an error of TLS. The connector wraps it twice where the other side does not speak TLS, and the
/// source of an error within an error of input and output is not that error.
fn is_of_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        inner.is::<rustls::Error>()
            || inner
                .downcast_ref::<std::io::Error>()
                .is_some_and(is_of_tls)
    })
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// Operations whose errors have no body: only the status is known.
fn has_no_error_body(operation: &str) -> bool {
    matches!(operation, "HeadBucket" | "HeadObject")
}

/// Judges by status and code. A 403 without one of AWS's codes comes from something in between (a proxy,
/// a firewall) and proves nothing about AWS's decision.
fn kind_of_answer(
    operation: &str,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> FailureKind {
    use FailureKind as Kind;
    let names = |action: &str| message.is_some_and(|m| m.contains(action));
    let is_change = !matches!(
        operation,
        "AssumeRole" | "GetObject" | "HeadObject" | "HeadBucket" | "ListObjectsV2"
    );
    if is_change
        && (400..500).contains(&status)
        && (code.and_then(S3Code::parse) == Some(S3Code::ObjectLocked)
            || message.is_some_and(denial::is_object_lock))
    {
        return Kind::ObjectLocked;
    }
    // With one status or another, and as a denial: only the sentence says that it is about a key.
    if (400..500).contains(&status) && names("The ciphertext refers to a customer") {
        return Kind::KmsDenied;
    }
    match code {
        Some("AllAccessDisabled" | "AccountProblem" | "NotSignedUp") => {
            return Kind::AccountDisabled;
        }
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedAccess") if status == 403 => {
            // S3 reports a KMS denial as its own AccessDenied; only the message names the key's action.
            return if names("perform: kms:") {
                Kind::KmsDenied
            } else if operation == "GetObject" && names("perform: s3:ListBucket ") {
                // Reading was allowed and the object is absent: S3 says so only to those who may list
                // the bucket, and a condition on `s3:prefix` is never met by a GetObject.
                Kind::NoSuchKey
            } else {
                Kind::AccessDenied
            };
        }
        // STS has no code of its own for it: its message says when the signature's time is out of bounds.
        Some("SignatureDoesNotMatch")
            if message.is_some_and(|text| {
                text.starts_with("Signature expired: ")
                    || text.starts_with("Signature not yet current: ")
            }) =>
        {
            return Kind::ClockSkew;
        }
        Some(
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "IncompleteSignature",
        ) => return Kind::BadCredentials,
        Some("RequestTimeTooSkewed" | "RequestExpired") => return Kind::ClockSkew,
        Some("NoSuchKey" | "NoSuchVersion") => return Kind::NoSuchKey,
        Some("NoSuchBucket") => return Kind::NoSuchBucket,
        // The same code says that a date or a key ID is malformed.
        Some("AuthorizationHeaderMalformed") if !names("region") => {
            return Kind::InvalidRequest;
        }
        Some(
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "Redirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException"
            // Of stores that have Regions of their own.
            | "InvalidRegionName",
        ) => return Kind::WrongRegion,
        Some("InvalidObjectState") => return Kind::Archived,
        // Lasting, also where a store says so with 507 or 500.
        Some(code) if S3Code::parse(code) == Some(S3Code::StorageFull) => {
            return Kind::InvalidRequest;
        }
        Some("InvalidRange") => return Kind::InvalidRange,
        Some("PreconditionFailed" | "ConditionalRequestConflict") => {
            return Kind::PreconditionFailed;
        }
        Some("NotModified") => return Kind::NotModified,
        Some(
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "SlowDown"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "BandwidthLimitExceeded"
            | "RequestThrottled",
        ) => return Kind::Throttled,
        Some("RequestTimeout") => return Kind::Timeout,
        // Somebody else changes the same thing at this moment.
        Some("OperationAborted") => return Kind::Unavailable,
        Some("NotImplemented" | "MethodNotAllowed" | "UnsupportedOperation" | "NotSupported") => {
            return Kind::NotSupported;
        }
        Some(code) if code.starts_with("KMS.") => {
            return match S3Code::parse(code) {
                Some(S3Code::KmsAccessDenied) => Kind::KmsDenied,
                Some(S3Code::KmsThrottling) => Kind::Throttled,
                Some(S3Code::KmsUnavailable) => Kind::Unavailable,
                Some(_) | None => Kind::KmsUnusable,
            };
        }
        _ => {}
    }
    match status {
        304 => Kind::NotModified,
        300..=399 => Kind::Redirected,
        403 if has_no_error_body(operation) => Kind::AccessDenied,
        404 if operation == "HeadBucket" => Kind::NoSuchBucket,
        404 if has_no_error_body(operation) => Kind::NoSuchKey,
        // A wrong Region among other reasons: `in_its_place` looks whether the answer names one.
        400 if has_no_error_body(operation) => Kind::InvalidRequest,
        412 => Kind::PreconditionFailed,
        416 => Kind::InvalidRange,
        429 => Kind::Throttled,
        501 => Kind::NotSupported,
        500..=599 => Kind::Unavailable,
        400..=499 if code.is_some() => Kind::InvalidRequest,
        _ => Kind::InvalidResponse,
    }
}

/// A failure that this service makes itself, before or instead of a call.
pub fn local(
    operation: &'static str,
    kind: FailureKind,
    why: impl std::fmt::Display,
) -> AwsFailure {
    AwsFailure {
        operation,
        kind,
        http_status: None,
        error_code: None,
        request_id: None,
        denial: None,
        bucket_region: None,
        details: None,
        message: Some(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_definite_access_denied_is_a_denial() {
        let kind = |status, code| kind_of_answer("AssumeRole", status, code, None);
        assert_eq!(kind(403, Some("AccessDenied")), FailureKind::AccessDenied);
        for (status, code) in [
            (403, None),
            (403, Some("InvalidClientTokenId")),
            (403, Some("RegionDisabledException")),
            (200, Some("AccessDenied")),
            (500, Some("AccessDenied")),
            (400, Some("Throttling")),
            (503, None),
            (502, None),
            (200, None),
            (0, None),
        ] {
            assert_ne!(
                kind(status, code),
                FailureKind::AccessDenied,
                "{status} {code:?}"
            );
        }
        assert!(kind(403, None).is_transient());
        assert!(kind(500, Some("AccessDenied")).is_transient());
    }

    #[test]
    fn a_wrong_clock_is_no_wrong_key() {
        let kind = |code, message| kind_of_answer("GetObject", 403, Some(code), Some(message));
        let expired = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z";
        assert_eq!(
            kind("RequestTimeTooSkewed", "The difference …"),
            FailureKind::ClockSkew
        );
        assert_eq!(
            kind("SignatureDoesNotMatch", expired),
            FailureKind::ClockSkew
        );
        assert_eq!(
            kind("SignatureDoesNotMatch", "The request signature …"),
            FailureKind::BadCredentials
        );
    }

    #[test]
    fn a_kms_denial_is_told_from_one_of_s3() {
        let message = "User: … is not authorized to perform: kms:Decrypt on resource: …";
        assert_eq!(
            kind_of_answer("GetObject", 403, Some("AccessDenied"), Some(message)),
            FailureKind::KmsDenied
        );
    }

    #[test]
    fn an_absent_object_is_told_from_a_denied_one() {
        let kind = |operation, action: &str| {
            let message = format!("User: … is not authorized to perform: {action} on resource: …");
            kind_of_answer(operation, 403, Some("AccessDenied"), Some(&message))
        };
        assert_eq!(kind("GetObject", "s3:ListBucket"), FailureKind::NoSuchKey);
        for (operation, action) in [
            ("GetObject", "s3:GetObject"),
            ("GetObject", "s3:ListBucketVersions"),
            ("ListObjectsV2", "s3:ListBucket"),
        ] {
            assert_eq!(kind(operation, action), FailureKind::AccessDenied);
        }
    }

    #[test]
    fn operations_without_a_body_are_judged_by_status() {
        assert_eq!(
            kind_of_answer("HeadObject", 403, None, None),
            FailureKind::AccessDenied
        );
        assert_eq!(
            kind_of_answer("HeadObject", 404, None, None),
            FailureKind::NoSuchKey
        );
        assert_eq!(
            kind_of_answer("HeadBucket", 404, None, None),
            FailureKind::NoSuchBucket
        );
        assert_eq!(
            kind_of_answer("GetObject", 404, None, None),
            FailureKind::InvalidResponse
        );
    }

    #[test]
    fn a_redirect_is_of_a_region_only_where_the_store_says_so() {
        let kind = |status, code, region| {
            let kind = kind_of_answer("ListObjectsV2", status, code, Some("the region is wrong"));
            in_its_place("ListObjectsV2", kind, Some(status), region)
        };
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(kind(status, None, false), FailureKind::Redirected);
            assert_eq!(kind(status, None, true), FailureKind::WrongRegion);
            let own = kind(status, Some("PermanentRedirect"), false);
            assert_eq!(own, FailureKind::WrongRegion);
        }
        let head = |region| {
            let kind = kind_of_answer("HeadBucket", 400, None, None);
            in_its_place("HeadBucket", kind, Some(400), region)
        };
        assert_eq!(head(true), FailureKind::WrongRegion);
        assert_eq!(head(false), FailureKind::InvalidRequest);
        let text = "The authorization header is malformed; a non-empty Access Key (AKID) must be provided in the credential.";
        assert_eq!(
            kind_of_answer(
                "ListObjectsV2",
                400,
                Some("AuthorizationHeaderMalformed"),
                Some(text)
            ),
            FailureKind::InvalidRequest
        );
    }

    #[test]
    fn of_a_redirect_the_origin_alone_is_kept() {
        let origin = |target: &str| origin_of(target).map(|origin| origin.to_string());
        let target = "https://user:secret@store.example:8443/b?X-Amz-Signature=1#x";
        assert_eq!(
            origin(target).as_deref(),
            Some("https://store.example:8443")
        );
        assert_eq!(origin("/elsewhere"), None);
        assert_eq!(origin("javascript:alert(1)"), None);
    }

    #[test]
    fn what_no_permission_changes_is_no_denial() {
        let kind = |operation, status, code, message| {
            kind_of_answer(operation, status, Some(code), Some(message))
        };
        let locked = "Access Denied because object protected by object lock.";
        for operation in ["DeleteObject", "DeleteObjects", "PutObject"] {
            let found = kind(operation, 403, "AccessDenied", locked);
            assert_eq!(found, FailureKind::ObjectLocked);
        }
        let worm = "Object is WORM protected and cannot be overwritten";
        assert_eq!(
            kind("DeleteObject", 400, "InvalidRequest", worm),
            FailureKind::ObjectLocked
        );
        for (status, code, expected) in [
            (403, "AllAccessDisabled", FailureKind::AccountDisabled),
            (403, "AccountProblem", FailureKind::AccountDisabled),
            (400, "KMS.DisabledException", FailureKind::KmsUnusable),
            (400, "KMS.ThrottlingException", FailureKind::Throttled),
            (501, "NotImplemented", FailureKind::NotSupported),
            (405, "MethodNotAllowed", FailureKind::NotSupported),
            (400, "RequestTimeout", FailureKind::Timeout),
            (403, "QuotaExceeded", FailureKind::InvalidRequest),
            (507, "XMinioStorageFull", FailureKind::InvalidRequest),
        ] {
            assert_eq!(kind("PutObject", status, code, "x"), expected, "{code}");
        }
    }
}
