//! Why the service cannot use its own identity at AWS.

use crate::domain::aws_code::StsCode;
use crate::domain::aws_failure::{AwsFailure, FailureKind};

/// What keeps the service from using its own identity. It is the operator's to mend, and says nothing about a
/// customer's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityFault {
    /// No credentials were found, or none could be fetched.
    NoCredentials,
    /// AWS does not accept the credentials.
    CredentialsRejected,
    /// The service's clock differs from AWS's by more than a signature allows.
    Clock,
    /// There is no connection to STS.
    EndpointUnreachable,
    /// A policy on the service's side does not let it call GetCallerIdentity. An identity policy cannot deny it, the
    /// policy of a VPC endpoint can (STS API reference, "GetCallerIdentity").
    NotPermitted,
    /// STS cannot answer at the moment: a 5xx, or it asks for fewer calls.
    StsUnavailable,
    /// STS refused the call for another reason, or what answered is not STS.
    StsRejected,
}

impl IdentityFault {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::NoCredentials,
        Self::CredentialsRejected,
        Self::Clock,
        Self::EndpointUnreachable,
        Self::NotPermitted,
        Self::StsUnavailable,
        Self::StsRejected,
    ];

    /// As in `/readyz`, in the log and in the metrics: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::CredentialsRejected => "credentials_rejected",
            Self::Clock => "clock",
            Self::EndpointUnreachable => "endpoint_unreachable",
            Self::NotPermitted => "not_permitted",
            Self::StsUnavailable => "sts_unavailable",
            Self::StsRejected => "sts_rejected",
        }
    }

    /// What is wrong and what to do, in words that anybody may read.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoCredentials => {
                "The service found no AWS credentials of its own, or could not fetch them. Check the credentials in the environment, in the profile, or of the container's or instance's role."
            }
            Self::CredentialsRejected => {
                "AWS does not accept the service's own credentials. Replace the access key, or check the role that the service runs as."
            }
            Self::Clock => {
                "The service's clock differs from AWS's by more than a signature allows. Correct the clock of the machine."
            }
            Self::EndpointUnreachable => {
                "The service cannot reach AWS STS. Check the network, the proxy, DNS and the endpoint in the configuration."
            }
            Self::NotPermitted => {
                "A policy on the service's own side does not let it call AWS STS. Check the policy of the VPC endpoint."
            }
            Self::StsUnavailable => {
                "AWS STS cannot answer at the moment. Nothing has to be done unless it stays."
            }
            Self::StsRejected => {
                "AWS STS did not accept the call, or something else answers in its place. Check the endpoint, the Region and the proxy."
            }
        }
    }

    /// What a failed GetCallerIdentity shows. Only the service's own credentials sign that call, and it needs no
    /// permission, so its failure is never a customer's.
    pub fn of(failure: &AwsFailure) -> Self {
        let code = failure.error_code.as_deref().and_then(StsCode::parse);
        match failure.kind {
            // Nothing was sent.
            FailureKind::BadCredentials if failure.http_status.is_none() => Self::NoCredentials,
            FailureKind::BadCredentials | FailureKind::AccountDisabled => Self::CredentialsRejected,
            FailureKind::ClockSkew => Self::Clock,
            FailureKind::Network | FailureKind::Timeout | FailureKind::ForbiddenAddress => {
                Self::EndpointUnreachable
            }
            FailureKind::AccessDenied => Self::NotPermitted,
            FailureKind::Throttled | FailureKind::Unavailable => Self::StsUnavailable,
            FailureKind::InvalidRequest
                if matches!(
                    code,
                    Some(
                        StsCode::AuthFailure
                            | StsCode::OptInRequired
                            | StsCode::InvalidIdentityToken
                            | StsCode::IdpRejectedClaim
                    )
                ) =>
            {
                Self::CredentialsRejected
            }
            FailureKind::InvalidRequest
            | FailureKind::KmsDenied
            | FailureKind::KmsUnusable
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::ObjectLocked
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => Self::StsRejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn failure(kind: FailureKind, status: Option<u16>, code: Option<&str>) -> AwsFailure {
        AwsFailure {
            operation: "GetCallerIdentity",
            kind,
            http_status: status,
            error_code: code.map(str::to_owned),
            request_id: None,
            denial: None,
            bucket_region: None,
            details: None,
            message: None,
        }
    }

    #[test]
    fn each_answer_has_its_code() {
        use FailureKind as Kind;
        for (kind, status, code, expected) in [
            (Kind::BadCredentials, None, None, "no_credentials"),
            (
                Kind::BadCredentials,
                Some(403),
                Some("InvalidClientTokenId"),
                "credentials_rejected",
            ),
            (
                Kind::InvalidRequest,
                Some(403),
                Some("OptInRequired"),
                "credentials_rejected",
            ),
            (Kind::ClockSkew, Some(403), Some("RequestExpired"), "clock"),
            (Kind::Network, None, None, "endpoint_unreachable"),
            (Kind::Timeout, None, None, "endpoint_unreachable"),
            (
                Kind::AccessDenied,
                Some(403),
                Some("AccessDenied"),
                "not_permitted",
            ),
            (Kind::Unavailable, Some(503), None, "sts_unavailable"),
            (
                Kind::Throttled,
                Some(400),
                Some("Throttling"),
                "sts_unavailable",
            ),
            (Kind::InvalidResponse, Some(403), None, "sts_rejected"),
            (Kind::InvalidRequest, Some(400), Some("x"), "sts_rejected"),
        ] {
            let found = IdentityFault::of(&failure(kind, status, code));
            assert_eq!(found.as_str(), expected, "{kind:?} {status:?} {code:?}");
        }
    }

    #[test]
    fn every_fault_has_a_code_and_words_of_its_own() {
        let codes: BTreeSet<_> = IdentityFault::ALL.iter().map(|f| f.as_str()).collect();
        let words: BTreeSet<_> = IdentityFault::ALL.iter().map(|f| f.words()).collect();
        assert_eq!((codes.len(), words.len()), (7, 7));
    }
}
