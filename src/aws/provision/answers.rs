//! What AWS answered the administrator's calls, in the administrator's words.

use crate::application::connections::provision::ProvisionError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use std::error::Error;

pub(super) type Result<T> = std::result::Result<T, ProvisionError>;

/// Whether AWS answered with one of these codes.
pub(super) fn is<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    codes: &[&str],
) -> bool {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .is_some_and(|code| codes.contains(&code))
}

/// The error for a call that failed.
pub(super) fn failed<E>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> ProvisionError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    match error.as_service_error() {
        Some(refusal) => ProvisionError::Refused {
            operation,
            // The answer to a HEAD request has no body to name a code or a reason.
            code: match (refusal.code(), status) {
                (Some(code), _) => code.to_owned(),
                (None, Some(status)) => format!("HTTP {status}"),
                (None, None) => "unknown".to_owned(),
            },
            message: match (refusal.message(), status) {
                (Some(message), _) => message.to_owned(),
                (None, Some(404)) => "there is nothing of this name".to_owned(),
                (None, Some(403)) => "these credentials may not do it".to_owned(),
                (None, _) => "AWS gave no reason".to_owned(),
            },
            status,
        },
        None => unusable(operation, error),
    }
}

/// What is known of a call without an answer: the error and what caused it, in one line.
pub(super) fn unusable(operation: &'static str, error: &(dyn Error + 'static)) -> ProvisionError {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if let Some(cause) = causes().find(|cause| cause.is::<CredentialsError>()) {
        let cause = std::iter::successors(Some(cause), |&cause| cause.source()).last();
        return ProvisionError::NoCredentials {
            cause: cause.map(ToString::to_string).unwrap_or_default(),
        };
    }
    let texts: Vec<String> = causes().map(ToString::to_string).collect();
    ProvisionError::Unreachable {
        operation,
        cause: texts.join(": "),
    }
}
