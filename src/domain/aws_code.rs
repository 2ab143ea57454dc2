//! The error codes of STS and S3 that this service distinguishes.
//!
//! Each is an entry of a closed list, so whatever decides by a code is checked by the compiler. A code that
//! is in neither list claims nothing.

/// Declares a closed list of codes: a name, and how services spell it.
macro_rules! codes {
    ($(#[$doc:meta])* $list:ident { $($code:ident: $($spelling:literal)|+;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $list {
            $($code),+
        }

        impl $list {
            /// `None`: a code that is not in the list.
            pub fn parse(code: &str) -> Option<Self> {
                match code {
                    $($($spelling)|+ => Some(Self::$code),)+
                    _ => None,
                }
            }

            #[cfg(test)]
            pub const ALL: &'static [Self] = &[$(Self::$code),+];
        }
    };
}

codes! {
    /// What STS may answer to AssumeRole (STS API reference, "AssumeRole" and "Common error types").
    StsCode {
        AccessDenied: "AccessDenied" | "AccessDeniedException";
        MalformedPolicyDocument: "MalformedPolicyDocument" | "MalformedPolicyDocumentException";
        PackedPolicyTooLarge: "PackedPolicyTooLarge" | "PackedPolicyTooLargeException";
        RegionDisabled: "RegionDisabledException" | "RegionDisabled";
        ExpiredToken: "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired";
        InvalidClientTokenId: "InvalidClientTokenId" | "InvalidAccessKeyId";
        UnrecognizedClient: "UnrecognizedClientException";
        InvalidToken: "InvalidToken";
        AuthFailure: "AuthFailure";
        SignatureDoesNotMatch: "SignatureDoesNotMatch" | "InvalidSignatureException";
        IncompleteSignature: "IncompleteSignature" | "IncompleteSignatureException";
        MissingAuthenticationToken:
            "MissingAuthenticationToken" | "MissingAuthenticationTokenException";
        OptInRequired: "OptInRequired" | "SubscriptionRequiredException" | "NotSignedUp";
        NotAuthorized: "NotAuthorized";
        RequestExpired: "RequestExpired";
        RequestTimeTooSkewed: "RequestTimeTooSkewed";
        Throttling:
            "Throttling" | "ThrottlingException" | "ThrottledException" | "RequestThrottled"
            | "RequestLimitExceeded" | "TooManyRequestsException" | "SlowDown"
            | "BandwidthLimitExceeded";
        InternalFailure: "InternalFailure" | "InternalError" | "InternalServerError";
        ServiceUnavailable: "ServiceUnavailable" | "ServiceUnavailableException";
        ValidationError: "ValidationError" | "ValidationException";
        InvalidParameter:
            "InvalidParameterValue" | "InvalidParameterCombination" | "MissingParameter"
            | "InvalidQueryParameter" | "MalformedQueryString" | "InvalidInput";
        InvalidAction:
            "InvalidAction" | "MissingAction" | "UnknownOperationException" | "NotImplemented";
        IdpRejectedClaim: "IDPRejectedClaim";
        IdpCommunicationError: "IDPCommunicationError";
        InvalidIdentityToken: "InvalidIdentityToken";
        InvalidAuthorizationMessage: "InvalidAuthorizationMessageException";
    }
}

codes! {
    /// What S3, and stores that speak as it does, may answer (S3 API reference, "Error responses").
    S3Code {
        AccessDenied: "AccessDenied" | "AccessDeniedException" | "UnauthorizedAccess";
        AllAccessDisabled: "AllAccessDisabled";
        AccountProblem: "AccountProblem";
        NotSignedUp: "NotSignedUp" | "OptInRequired";
        InvalidAccessKeyId: "InvalidAccessKeyId" | "InvalidClientTokenId";
        UnrecognizedClient: "UnrecognizedClientException" | "AuthFailure";
        SignatureDoesNotMatch: "SignatureDoesNotMatch";
        InvalidToken: "InvalidToken";
        ExpiredToken: "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired";
        MissingAuthenticationToken:
            "MissingAuthenticationToken" | "MissingSecurityHeader" | "IncompleteSignature";
        RequestTimeTooSkewed: "RequestTimeTooSkewed" | "RequestExpired";
        AuthorizationHeaderMalformed: "AuthorizationHeaderMalformed";
        PermanentRedirect: "PermanentRedirect";
        TemporaryRedirect: "TemporaryRedirect" | "Redirect";
        IllegalLocationConstraint: "IllegalLocationConstraintException";
        NoSuchBucket: "NoSuchBucket";
        NoSuchKey: "NoSuchKey" | "NoSuchVersion";
        InvalidObjectState: "InvalidObjectState";
        ObjectLocked:
            "ObjectLocked" | "ObjectLockedByBucketPolicy" | "ObjectUnderActiveHold"
            | "RetentionPolicyNotMet" | "FileImmutable";
        KmsDisabled: "KMS.DisabledException";
        KmsNotFound: "KMS.NotFoundException";
        KmsInvalidState: "KMS.KMSInvalidStateException" | "KMS.InvalidStateException";
        KmsInvalidUsage: "KMS.InvalidKeyUsageException";
        KmsIncorrectKey: "KMS.IncorrectKeyException";
        KmsAccessDenied: "KMS.AccessDeniedException";
        KmsThrottling: "KMS.ThrottlingException" | "KMS.LimitExceededException";
        KmsUnavailable:
            "KMS.KMSInternalException" | "KMS.InternalException" | "KMS.KeyUnavailableException"
            | "KMS.UnavailableException" | "KMS.DependencyTimeoutException";
        InvalidRequest: "InvalidRequest";
        InvalidArgument: "InvalidArgument";
        MethodNotAllowed: "MethodNotAllowed";
        NotImplemented: "NotImplemented" | "UnsupportedOperation" | "NotSupported";
        InvalidBucketState: "InvalidBucketState";
        InvalidBucketName: "InvalidBucketName";
        OperationAborted: "OperationAborted";
        SlowDown:
            "SlowDown" | "Throttling" | "ThrottlingException" | "ThrottledException"
            | "RequestLimitExceeded" | "TooManyRequestsException" | "BandwidthLimitExceeded"
            | "RequestThrottled";
        ServiceUnavailable: "ServiceUnavailable";
        InternalError: "InternalError" | "InternalFailure" | "InternalServerError";
        RequestTimeout: "RequestTimeout";
        EntityTooLarge: "EntityTooLarge";
        EntityTooSmall: "EntityTooSmall";
        ContentSha256Mismatch: "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch";
        InvalidDigest: "InvalidDigest" | "BadDigest";
        StorageFull:
            "QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded"
            | "InsufficientStorage";
        InvalidRange: "InvalidRange";
        PreconditionFailed: "PreconditionFailed" | "ConditionalRequestConflict";
        NotModified: "NotModified";
    }
}

/// A code as it may be shown: what an answer may hold besides codes is cut off. `None`: nothing is left.
pub fn plain(code: &str) -> Option<String> {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text: String = code.chars().take_while(plain).take(64).collect();
    (!text.is_empty()).then_some(text)
}

/// A code in words that people read.
pub fn shown(code: &str) -> String {
    match plain(code) {
        None => "without a code".to_owned(),
        Some(text) => format!("with the code `{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_by_each_spelling() {
        assert_eq!(
            StsCode::parse("IDPRejectedClaim"),
            Some(StsCode::IdpRejectedClaim)
        );
        assert_eq!(
            S3Code::parse("KMS.DisabledException"),
            Some(S3Code::KmsDisabled)
        );
        assert_eq!((StsCode::parse("x"), S3Code::parse("")), (None, None));
        assert!(StsCode::ALL.len() > 20 && S3Code::ALL.len() > 40);
    }

    #[test]
    fn what_is_no_code_is_not_shown() {
        assert_eq!(shown("Odd.Code-1"), "with the code `Odd.Code-1`");
        assert_eq!(shown("<b>x</b>"), "without a code");
        assert_eq!(shown(&"a".repeat(100)).len(), 16 + 64);
    }
}
