//! Why a call to the bucket failed, other than by a denial.

use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_code::{S3Code, shown};
use crate::domain::aws_failure::{AwsFailure, FailureKind, KeyState, NoConnection};
use crate::domain::cause::Cause;
use crate::domain::cause::answers::aws_answer_unreadable::AwsAnswerUnreadable;
use crate::domain::cause::answers::aws_clock_skew::AwsClockSkew;
use crate::domain::cause::answers::aws_rejected::AwsRejected;
use crate::domain::cause::answers::aws_throttled::AwsThrottled;
use crate::domain::cause::answers::aws_timeout::AwsTimeout;
use crate::domain::cause::answers::aws_unavailable::AwsUnavailable;
use crate::domain::cause::answers::aws_unreachable::AwsUnreachable;
use crate::domain::cause::answers::body_altered::BodyAltered;
use crate::domain::cause::answers::conflicting_change::ConflictingChange;
use crate::domain::cause::answers::listing_incomplete::ListingIncomplete;
use crate::domain::cause::bucket::access_key_temporary::AccessKeyTemporary;
use crate::domain::cause::bucket::access_key_unknown::AccessKeyUnknown;
use crate::domain::cause::bucket::account_disabled::{AccountDisabled, Disabled};
use crate::domain::cause::bucket::bucket_not_found::BucketNotFound;
use crate::domain::cause::bucket::bucket_region_changed::BucketRegionChanged;
use crate::domain::cause::bucket::bucket_region_unknown::BucketRegionUnknown;
use crate::domain::cause::bucket::credentials_lost::CredentialsLost;
use crate::domain::cause::bucket::endpoint_dns::EndpointDns;
use crate::domain::cause::bucket::endpoint_not_allowed::EndpointNotAllowed;
use crate::domain::cause::bucket::endpoint_not_s3::EndpointNotS3;
use crate::domain::cause::bucket::endpoint_redirects::EndpointRedirects;
use crate::domain::cause::bucket::endpoint_refused::EndpointRefused;
use crate::domain::cause::bucket::endpoint_tls::EndpointTls;
use crate::domain::cause::bucket::operation_not_supported::OperationNotSupported;
use crate::domain::cause::bucket::secret_wrong::SecretWrong;
use crate::domain::cause::bucket::session_expired::SessionExpired;
use crate::domain::cause::bucket::session_not_accepted::SessionNotAccepted;
use crate::domain::cause::bucket::session_not_known_in_region::SessionNotKnownInRegion;
use crate::domain::cause::bucket::signature_missing::SignatureMissing;
use crate::domain::cause::bucket::signature_rejected::SignatureRejected;
use crate::domain::cause::bucket::store_full::StoreFull;
use crate::domain::cause::encryption::customer_key_needed::CustomerKeyNeeded;
use crate::domain::cause::encryption::kms_disabled::KmsDisabled;
use crate::domain::cause::encryption::kms_invalid_state::KmsInvalidState;
use crate::domain::cause::encryption::kms_invalid_usage::KmsInvalidUsage;
use crate::domain::cause::encryption::kms_not_found::KmsNotFound;
use crate::domain::cause::encryption::kms_pending_deletion::KmsPendingDeletion;
use crate::domain::cause::objects::object_archived::ObjectArchived;
use crate::domain::cause::objects::object_locked::ObjectLocked;
use crate::domain::cause::signing_in::service_key_unknown::ServiceKeyUnknown;
use crate::domain::cause::signing_in::service_secret_wrong::ServiceSecretWrong;
use crate::domain::cause::signing_in::service_session_expired::ServiceSessionExpired;
use crate::domain::cause::signing_in::service_session_unknown::ServiceSessionUnknown;
use crate::domain::connection::Credentials;
use crate::domain::connection::access::Auth;

impl Subject<'_> {
    /// Why a call failed. `action`: the permission that it needs, if it needs one.
    pub(crate) fn of_failure(&self, action: Option<&str>, failure: &AwsFailure) -> Cause {
        let action = action.or_else(|| failure.denial.as_deref()?.action.as_deref());
        match failure.kind {
            FailureKind::AccessDenied => {
                self.of_denial(action.unwrap_or(failure.operation), failure)
            }
            FailureKind::KmsDenied => self.of_key_denial(action.unwrap_or_default(), failure),
            FailureKind::KmsUnusable => self.of_unusable_key(failure),
            FailureKind::NoSuchBucket => BucketNotFound {
                bucket: self.bucket(),
            }
            .into(),
            FailureKind::WrongRegion => match failure.region() {
                Some(found) => BucketRegionChanged { found }.into(),
                None => BucketRegionUnknown.into(),
            },
            FailureKind::ForbiddenAddress => EndpointNotAllowed { host: self.host() }.into(),
            FailureKind::Redirected => EndpointRedirects {
                to: failure.redirects_to().map(ToString::to_string),
            }
            .into(),
            FailureKind::ObjectLocked => ObjectLocked {
                lock: failure.lock(),
            }
            .into(),
            FailureKind::Archived => ObjectArchived.into(),
            FailureKind::Network => self.of_no_connection(failure),
            FailureKind::Unavailable if self.code(failure) == Some(S3Code::OperationAborted) => {
                ConflictingChange {
                    attempt: self.attempt(),
                }
                .into()
            }
            FailureKind::Throttled => AwsThrottled {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::Unavailable => AwsUnavailable {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::Timeout => AwsTimeout {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::NotS3 if self.is_at_store() => EndpointNotS3 {
                host: self.host(),
                endpoint: self
                    .connection
                    .endpoint()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            }
            .into(),
            // No setting leads elsewhere than to AWS: something in between answers.
            FailureKind::NotS3 | FailureKind::InvalidResponse => AwsAnswerUnreadable {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::ListingIncomplete => ListingIncomplete {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::ClockSkew => AwsClockSkew {
                attempt: self.attempt(),
            }
            .into(),
            FailureKind::NotSupported => OperationNotSupported {
                operation: failure.operation.to_owned(),
            }
            .into(),
            FailureKind::BadCredentials
                if failure.error_code.as_deref() == Some(AwsFailure::CREDENTIALS_LOST) =>
            {
                CredentialsLost.into()
            }
            // The SDK found none, so there was no call.
            FailureKind::BadCredentials if failure.http_status.is_none() => {
                self.of_bad_credentials(None, failure)
            }
            FailureKind::BadCredentials
            | FailureKind::AccountDisabled
            | FailureKind::NoSuchKey
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::InvalidRequest => self.of_code(failure),
        }
    }

    fn code(&self, failure: &AwsFailure) -> Option<S3Code> {
        failure.error_code.as_deref().and_then(S3Code::parse)
    }

    fn of_no_connection(&self, failure: &AwsFailure) -> Cause {
        let host = self.host();
        match failure.no_connection().filter(|_| self.is_at_store()) {
            Some(NoConnection::Dns) => EndpointDns { host }.into(),
            Some(NoConnection::Refused) => EndpointRefused { host }.into(),
            Some(NoConnection::Tls) => EndpointTls { host }.into(),
            None => AwsUnreachable {
                attempt: self.attempt(),
                host: self.is_at_store().then(|| self.host()),
            }
            .into(),
        }
    }

    fn of_unusable_key(&self, failure: &AwsFailure) -> Cause {
        let said = failure.unusable_key();
        // Where AWS names none, it may be another than that of the settings.
        let key = said.and_then(|key| key.arn.clone());
        match (said.map(|key| key.state), self.code(failure)) {
            (Some(KeyState::Disabled), _) | (_, Some(S3Code::KmsDisabled)) => {
                KmsDisabled { key }.into()
            }
            (Some(KeyState::PendingDeletion), _) => KmsPendingDeletion { key }.into(),
            (_, Some(S3Code::KmsNotFound)) => KmsNotFound { key }.into(),
            (_, Some(S3Code::KmsInvalidUsage | S3Code::KmsIncorrectKey)) => {
                KmsInvalidUsage { key }.into()
            }
            (Some(KeyState::Other | KeyState::OutOfReach) | None, _) => {
                KmsInvalidState { key }.into()
            }
        }
    }

    fn has_temporary_key(&self) -> bool {
        match &self.connection.credentials {
            Credentials::AccessKey { access_key_id, .. } => access_key_id.is_temporary_at_aws(),
            Credentials::Role { .. } | Credentials::Service => false,
        }
    }

    /// Credentials that the store does not take.
    fn of_bad_credentials(&self, code: Option<S3Code>, failure: &AwsFailure) -> Cause {
        let auth = self.connection.credentials.auth();
        match (auth, code) {
            (
                _,
                Some(S3Code::MissingAuthenticationToken | S3Code::AuthorizationHeaderMalformed),
            ) => SignatureMissing.into(),
            (Some(Auth::AccessKey), Some(S3Code::SignatureDoesNotMatch)) => SecretWrong.into(),
            (Some(Auth::AccessKey), Some(S3Code::InvalidToken | S3Code::ExpiredToken)) => {
                AccessKeyTemporary.into()
            }
            (Some(Auth::AccessKey), _) if self.has_temporary_key() => AccessKeyTemporary.into(),
            (Some(Auth::AccessKey), _) => AccessKeyUnknown.into(),
            (Some(Auth::Role), Some(S3Code::SignatureDoesNotMatch)) => SignatureRejected.into(),
            (Some(Auth::Role), Some(S3Code::InvalidToken)) => SessionNotKnownInRegion.into(),
            (Some(Auth::Role), Some(S3Code::ExpiredToken)) => SessionExpired.into(),
            (Some(Auth::Role), _) => SessionNotAccepted.into(),
            (None, Some(S3Code::SignatureDoesNotMatch)) => ServiceSecretWrong.into(),
            (None, Some(S3Code::InvalidToken)) => ServiceSessionUnknown.into(),
            (None, Some(S3Code::ExpiredToken)) => ServiceSessionExpired.into(),
            (None, _) if failure.http_status.is_none() => {
                crate::domain::cause::signing_in::service_credentials_missing::ServiceCredentialsMissing
                    .into()
            }
            (None, _) => ServiceKeyUnknown.into(),
        }
    }

    /// What a code of the store means that is no denial and no fault that passes.
    fn of_code(&self, failure: &AwsFailure) -> Cause {
        let rejected = |because: String| {
            Cause::from(AwsRejected {
                attempt: self.attempt(),
                because,
            })
        };
        let disabled = |what| Cause::from(AccountDisabled { what });
        let code = self.code(failure);
        let Some(known) = code else {
            let status = match failure.http_status {
                Some(status) => format!("HTTP {status}, "),
                None => String::new(),
            };
            let raw = shown(failure.error_code.as_deref().unwrap_or_default());
            return rejected(format!(
                "It answered {status}{raw}, which this service does not know."
            ));
        };
        match known {
            S3Code::AllAccessDisabled => disabled(Disabled::AllAccess),
            S3Code::AccountProblem => disabled(Disabled::AccountProblem),
            S3Code::NotSignedUp => disabled(Disabled::NotSignedUp),
            S3Code::InvalidAccessKeyId
            | S3Code::UnrecognizedClient
            | S3Code::SignatureDoesNotMatch
            | S3Code::InvalidToken
            | S3Code::ExpiredToken
            | S3Code::MissingAuthenticationToken
            | S3Code::AuthorizationHeaderMalformed => self.of_bad_credentials(code, failure),
            S3Code::AccessDenied => rejected(
                "It answered `AccessDenied`, and not with the status of a denial.".to_owned(),
            ),
            S3Code::RequestTimeTooSkewed => AwsClockSkew {
                attempt: self.attempt(),
            }
            .into(),
            S3Code::PermanentRedirect
            | S3Code::TemporaryRedirect
            | S3Code::IllegalLocationConstraint => BucketRegionUnknown.into(),
            S3Code::NoSuchBucket => BucketNotFound {
                bucket: self.bucket(),
            }
            .into(),
            S3Code::NoSuchKey => {
                rejected("It answered that there is no such file where none was asked for.".to_owned())
            }
            S3Code::InvalidObjectState => ObjectArchived.into(),
            S3Code::ObjectLocked => ObjectLocked {
                lock: failure.lock(),
            }
            .into(),
            S3Code::KmsDisabled
            | S3Code::KmsNotFound
            | S3Code::KmsInvalidState
            | S3Code::KmsInvalidUsage
            | S3Code::KmsIncorrectKey => self.of_unusable_key(failure),
            S3Code::KmsAccessDenied => self.of_key_denial("", failure),
            S3Code::KmsThrottling | S3Code::SlowDown => AwsThrottled {
                attempt: self.attempt(),
            }
            .into(),
            S3Code::KmsUnavailable | S3Code::ServiceUnavailable | S3Code::InternalError => {
                AwsUnavailable {
                    attempt: self.attempt(),
                }
                .into()
            }
            S3Code::RequestTimeout => AwsTimeout {
                attempt: self.attempt(),
            }
            .into(),
            S3Code::InvalidRequest if failure.needs_customer_key() => CustomerKeyNeeded.into(),
            S3Code::InvalidRequest => rejected(
                "It answered `InvalidRequest`: a setting of the bucket or of the store does not go with the call.".to_owned(),
            ),
            S3Code::InvalidArgument => rejected(
                "It does not take a value of the call. The KMS key or the Region in the settings may not be the bucket's.".to_owned(),
            ),
            S3Code::MethodNotAllowed | S3Code::NotImplemented => OperationNotSupported {
                operation: failure.operation.to_owned(),
            }
            .into(),
            S3Code::InvalidBucketState => rejected(
                "It says that the call does not go with the bucket's present state, such as its versioning or Object Lock.".to_owned(),
            ),
            S3Code::InvalidBucketName => {
                rejected("It does not take the bucket's name.".to_owned())
            }
            S3Code::OperationAborted => ConflictingChange {
                attempt: self.attempt(),
            }
            .into(),
            S3Code::EntityTooLarge | S3Code::EntityTooSmall => {
                rejected("It says that a body has a size that it does not take.".to_owned())
            }
            S3Code::ContentSha256Mismatch | S3Code::InvalidDigest => BodyAltered.into(),
            S3Code::StorageFull => StoreFull.into(),
            S3Code::InvalidRange | S3Code::PreconditionFailed | S3Code::NotModified => rejected(
                "It answered a condition or a range that the call did not have.".to_owned(),
            ),
        }
    }
}
