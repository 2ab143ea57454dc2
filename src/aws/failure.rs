//! From the SDK's errors to [`AwsFailure`]: the only place where an answer of AWS is judged.

use crate::aws::answers::store::{NotOfS3, is_page, names_a_store};
use crate::domain::aws_failure::{AwsFailure, DenialCause, FailureKind};
use crate::domain::connection::region::Region;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

/// Our own code for an object that is deleted in a bucket that keeps versions.
const DELETE_MARKER: &str = "DeleteMarker";

/// Our own code for a success that is a page for people.
pub(crate) const PAGE: &str = "Page";

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
    let error_code = if hidden {
        Some(DELETE_MARKER.to_owned())
    } else {
        error_code
    };
    let in_place_of_a_store =
        response.is_some_and(|r| is_page(r.headers()) && !names_a_store(r.headers()));
    let not_of_s3 = causes(error).find_map(|cause| cause.downcast_ref::<NotOfS3>());
    let error_code = match not_of_s3 {
        Some(NotOfS3 { is_page: true }) => Some(PAGE.to_owned()),
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
    let kind = match kind {
        FailureKind::InvalidResponse if in_place_of_a_store => FailureKind::NotS3,
        kind => kind,
    };
    AwsFailure {
        operation,
        kind,
        http_status,
        error_code,
        request_id: header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
        denial: (kind == FailureKind::AccessDenied)
            .then(|| message.as_deref().and_then(denial_cause))
            .flatten(),
        bucket_region: header("x-amz-bucket-region")
            .or_else(|| response.and_then(region_in_body))
            .and_then(|name| Region::parse(&name).ok())
            .map(Box::new),
        message,
    }
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
        http_status: None,
        error_code: Some(code.to_owned()),
        ..local(operation, kind, message.unwrap_or_default())
    }
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
    match code {
        Some(
            "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "UnauthorizedAccess",
        ) if status == 403 => {
            let names = |action: &str| message.is_some_and(|m| m.contains(action));
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
        Some(
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
        ) => return Kind::WrongRegion,
        Some("InvalidObjectState") => return Kind::Archived,
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
        Some(code) if code.starts_with("KMS.") => return Kind::KmsDenied,
        _ => {}
    }
    match status {
        304 => Kind::NotModified,
        301 | 307 => Kind::WrongRegion,
        403 if has_no_error_body(operation) => Kind::AccessDenied,
        404 if operation == "HeadBucket" => Kind::NoSuchBucket,
        404 if has_no_error_body(operation) => Kind::NoSuchKey,
        // HeadBucket and HeadObject answer 400 when signed for another Region.
        400 if has_no_error_body(operation) => Kind::WrongRegion,
        412 => Kind::PreconditionFailed,
        416 => Kind::InvalidRange,
        429 => Kind::Throttled,
        500..=599 => Kind::Unavailable,
        400..=499 if code.is_some() => Kind::InvalidRequest,
        _ => Kind::InvalidResponse,
    }
}

/// Reads the reason that AWS adds to a denial (IAM user guide, "Troubleshoot access denied error
/// messages").
fn denial_cause(message: &str) -> Option<DenialCause> {
    use DenialCause as Cause;
    const TEXTS: &[(&str, DenialCause)] = &[
        (
            "explicit deny in a service control policy",
            Cause::ServiceControlPolicy,
        ),
        (
            "explicit deny in a resource control policy",
            Cause::ResourceControlPolicy,
        ),
        (
            "explicit deny in a VPC endpoint policy",
            Cause::VpcEndpointPolicy,
        ),
        (
            "explicit deny in a permissions boundary",
            Cause::PermissionsBoundary,
        ),
        ("explicit deny in a session policy", Cause::SessionPolicy),
        (
            "explicit deny in a resource-based policy",
            Cause::ExplicitDenyResource,
        ),
        // Of an AssumeRole call: the role's resource-based policy.
        (
            "explicit deny in the role trust policy",
            Cause::ExplicitDenyResource,
        ),
        (
            "explicit deny in a role trust policy",
            Cause::ExplicitDenyResource,
        ),
        (
            "explicit deny in an identity-based policy",
            Cause::ExplicitDenyIdentity,
        ),
        (
            "no service control policy allows",
            Cause::ServiceControlPolicy,
        ),
        (
            "no resource control policy allows",
            Cause::ResourceControlPolicy,
        ),
        ("no VPC endpoint policy allows", Cause::VpcEndpointPolicy),
        ("no permissions boundary allows", Cause::PermissionsBoundary),
        ("no session policy allows", Cause::NoSessionPolicy),
        ("no role trust policy allows", Cause::NoTrustPolicy),
        ("no resource-based policy allows", Cause::NoResourcePolicy),
        ("no identity-based policy allows", Cause::NoIdentityPolicy),
    ];
    let known = TEXTS
        .iter()
        .find(|(text, _)| message.contains(text))
        .map(|(_, cause)| *cause);
    let gives_a_reason = message.contains(" because ") || message.contains("explicit deny");
    known.or(gives_a_reason.then_some(Cause::Unrecognised))
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
    fn the_reason_of_a_denial() {
        assert_eq!(
            denial_cause(
                "User: x is not authorized to perform: s3:ListBucket on resource: y because no identity-based policy allows the s3:ListBucket action"
            ),
            Some(DenialCause::NoIdentityPolicy)
        );
        assert_eq!(
            denial_cause("… with an explicit deny in a service control policy"),
            Some(DenialCause::ServiceControlPolicy)
        );
        assert_eq!(
            denial_cause("… with an explicit deny in the role trust policy"),
            Some(DenialCause::ExplicitDenyResource)
        );
        // A reason of a later day is not taken for none.
        for text in [
            "… with an explicit deny in a policy of tomorrow",
            "… because no policy of tomorrow allows the sts:AssumeRole action",
        ] {
            assert_eq!(
                denial_cause(text),
                Some(DenialCause::Unrecognised),
                "{text}"
            );
        }
        assert_eq!(denial_cause("Access Denied"), None);
    }
}
