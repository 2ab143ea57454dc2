//! How a file operation answers for each cause: the kind, which is its HTTP status, and the problem's code.

use crate::application::error::Kind;
use crate::domain::cause::Cause;
use crate::domain::cause::answers::Attempt;
use crate::domain::cause::entry::Side;

/// The kind and the code of a cause on this side. `None`: only a check finds it.
///
/// What the customer's side can change is [`Kind::CustomerSide`], and what the operator, AWS or the network must do
/// is not.
pub(super) fn answer(cause: &Cause, side: Side) -> Option<(Kind, &'static str)> {
    let (kind, code) = by_cause(cause)?;
    // AWS gave a reason that this service does not know: it denies all the same, and may be the customer's.
    let is_known = !matches!(cause, Cause::DeniedForUnknownReason(_));
    let is_own = side == Side::Service && is_known;
    Some(match kind {
        Kind::CustomerSide if is_own => (Kind::Upstream, code),
        kind => (kind, code),
    })
}

fn by_cause(cause: &Cause) -> Option<(Kind, &'static str)> {
    Some(match cause {
        Cause::RoleRefused(_)
        | Cause::TrustNoStatement(_)
        | Cause::TrustExplicitDeny(_)
        | Cause::ExternalIdOfOtherSetup(_)
        | Cause::ExternalIdWrongCase(_)
        | Cause::DeniedByCustomersRcp(_) => (Kind::CustomerSide, "role_refused"),
        Cause::RoleRequestInvalid(_)
        | Cause::SessionPolicyMalformed(_)
        | Cause::SessionPolicyTooLarge(_)
        | Cause::StsRegionDisabled(_) => (Kind::CustomerSide, "role_session_rejected"),
        Cause::SessionTagsTooLarge(_)
        | Cause::SessionAttributesRefused(_)
        | Cause::StsRejected(_) => (Kind::Upstream, "storage_request_rejected"),
        Cause::ServiceNotPermitted(_) => (Kind::Upstream, "service_not_permitted"),
        Cause::ServiceCredentialsMissing(_)
        | Cause::ServiceKeyUnknown(_)
        | Cause::ServiceSecretWrong(_)
        | Cause::ServiceSessionExpired(_)
        | Cause::ServiceSessionUnknown(_)
        | Cause::ServiceSignatureMissing(_)
        | Cause::ServiceAccountNotSignedUp(_)
        | Cause::ServiceIdentityProviderRefused(_) => {
            (Kind::Upstream, "service_credentials_rejected")
        }
        Cause::BucketNotFound(_) => (Kind::CustomerSide, "bucket_not_found"),
        Cause::BucketRegionChanged(_) | Cause::BucketRegionUnknown(_) => {
            (Kind::CustomerSide, "bucket_region_changed")
        }
        Cause::AccountDisabled(_) => (Kind::CustomerSide, "storage_account_disabled"),
        Cause::AccessKeyUnknown(_)
        | Cause::SecretWrong(_)
        | Cause::AccessKeyTemporary(_)
        | Cause::CredentialsLost(_)
        | Cause::SessionNotKnownInRegion(_) => (Kind::CustomerSide, "storage_credentials_rejected"),
        Cause::SessionNotAccepted(_)
        | Cause::SessionExpired(_)
        | Cause::SignatureRejected(_)
        | Cause::SignatureMissing(_) => (Kind::Upstream, "storage_signature_rejected"),
        Cause::EndpointNotAllowed(_) => (Kind::CustomerSide, "endpoint_not_allowed"),
        Cause::EndpointDns(_) | Cause::EndpointRefused(_) | Cause::EndpointTls(_) => {
            (Kind::CustomerSide, "endpoint_unreachable")
        }
        Cause::EndpointRedirects(_) => (Kind::CustomerSide, "endpoint_redirects"),
        Cause::EndpointNotS3(_) => (Kind::CustomerSide, "store_answer_not_s3"),
        Cause::OperationNotSupported(_) => (Kind::CustomerSide, "operation_not_supported"),
        Cause::StoreFull(_) => (Kind::CustomerSide, "store_full"),
        Cause::RequesterPays(_)
        | Cause::PermissionMissing(_)
        | Cause::PolicyAbsentOrElsewhere(_)
        | Cause::ObjectArnOrPrefixWrong(_)
        | Cause::ListConditionOrArnWrong(_)
        | Cause::FoldersNotListed(_)
        | Cause::AclPermissionMissing(_)
        | Cause::VersionPermissionMissing(_)
        | Cause::BucketPolicyMissing(_)
        | Cause::DeniedByBucketPolicy(_)
        | Cause::BucketPolicyDeniesAll(_)
        | Cause::BucketPolicyNeedsEncryption(_)
        | Cause::DeniedByIdentityPolicy(_)
        | Cause::DeniedByPermissionsBoundary(_)
        | Cause::DeniedByServiceControlPolicy(_)
        | Cause::DeniedByResourceControlPolicy(_)
        | Cause::DeniedByVpcEndpointPolicy(_)
        | Cause::DeniedBySessionPolicy(_)
        | Cause::MfaRequired(_)
        | Cause::DeniedWithoutReason(_)
        | Cause::DeniedForUnknownReason(_)
        | Cause::ObjectOfOtherOwner(_) => (Kind::CustomerSide, "storage_access_denied"),
        Cause::KmsKeyNotEntered(_)
        | Cause::KmsPermissionMissing(_)
        | Cause::KmsKeyPolicy(_)
        | Cause::KmsOtherKey(_)
        | Cause::KmsForeignKey(_)
        | Cause::KmsDenied(_)
        | Cause::KmsDeniedWithoutReason(_) => (Kind::CustomerSide, "kms_key_denied"),
        Cause::KmsDisabled(_)
        | Cause::KmsPendingDeletion(_)
        | Cause::KmsInvalidState(_)
        | Cause::KmsNotFound(_)
        | Cause::KmsInvalidUsage(_) => (Kind::CustomerSide, "kms_key_unusable"),
        Cause::CustomerKeyNeeded(_) => (Kind::CustomerSide, "customer_key_needed"),
        Cause::ObjectArchived(_) => (Kind::Conflict, "file_archived"),
        Cause::ObjectLocked(_) => (Kind::Conflict, "object_locked"),
        Cause::AwsThrottled(_) => (Kind::Unavailable, "storage_throttled"),
        Cause::AwsTimeout(_) => (Kind::UpstreamTimeout, "storage_timeout"),
        Cause::AwsUnreachable(_) | Cause::AwsUnavailable(_) | Cause::ConflictingChange(_) => {
            (Kind::Upstream, "storage_unavailable")
        }
        // AssumeRole is no call to the store.
        Cause::AwsAnswerUnreadable(cause) => match cause.attempt {
            Attempt::AssumeRole => (Kind::Upstream, "storage_unavailable"),
            Attempt::AskBucket | Attempt::AskStore => (Kind::Upstream, "store_answer_unreadable"),
        },
        Cause::ListingIncomplete(_) => (Kind::Upstream, "listing_incomplete"),
        Cause::AwsClockSkew(_) => (Kind::Unavailable, "clock_skew"),
        Cause::AwsRejected(_) => (Kind::CustomerSide, "storage_request_rejected"),
        Cause::BodyAltered(_) => (Kind::Upstream, "body_altered"),
        Cause::RoleAcceptsMissingExternalId(_)
        | Cause::RoleAcceptsWrongExternalId(_)
        | Cause::RefusalNotProven(_)
        | Cause::BucketOwnedByAnotherAccount(_)
        | Cause::RegionDiffers(_)
        | Cause::LocationNotPermitted(_)
        | Cause::LocationNotSupported(_)
        | Cause::ProbeEncryptionDiffers(_)
        | Cause::NothingBelowPrefix(_)
        | Cause::AllArchived(_)
        | Cause::FilesThatExpire(_)
        | Cause::ProbeNotStored(_)
        | Cause::ProbeDiffers(_)
        | Cause::ProbeLeft(_)
        | Cause::CorsNone(_)
        | Cause::CorsOriginMissing(_)
        | Cause::CorsOriginSlash(_)
        | Cause::CorsOriginScheme(_)
        | Cause::CorsOriginPort(_)
        | Cause::CorsMethodMissing(_)
        | Cause::CorsHeadersMissing(_)
        | Cause::CorsEtagNotExposed(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Whose it is decides whether the status blames the customer.
    #[test]
    fn the_customers_side_is_never_a_fault_of_a_server_and_ours_never_theirs() {
        for cause in Cause::examples() {
            let Some((kind, code)) = answer(&cause, cause.facts().side) else {
                continue;
            };
            let name = cause.code();
            let is_customers = matches!(kind, Kind::CustomerSide | Kind::Conflict);
            match cause.facts().side {
                Side::CustomerAccount | Side::CustomerOrganization | Side::Settings => {
                    assert!(is_customers, "{name}: {code}");
                }
                Side::Service => assert!(
                    !is_customers || matches!(cause, Cause::DeniedForUnknownReason(_)),
                    "{name}: {code}"
                ),
                Side::Network => assert!(!is_customers, "{name}: {code}"),
                // A store that lacks an operation goes on lacking it.
                Side::Aws => assert!(
                    !is_customers || matches!(cause, Cause::OperationNotSupported(_)),
                    "{name}: {code}"
                ),
            }
        }
    }

    /// A client that knows a code knows its status: the one of the list, or a 502 where it is the operator's.
    #[test]
    fn a_code_has_one_status_besides_that_of_the_operators_side() {
        let mut known: BTreeMap<&str, Kind> = BTreeMap::new();
        for cause in Cause::examples() {
            if cause.facts().side == Side::Service {
                continue;
            }
            if let Some((kind, code)) = answer(&cause, cause.facts().side) {
                assert_eq!(*known.entry(code).or_insert(kind), kind, "{code}");
            }
        }
    }
}
