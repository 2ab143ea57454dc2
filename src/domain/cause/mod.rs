//! What can be wrong with a connection: a closed list, and the only words for it.
//!
//! Each cause has a file of its own, in the folder of its [`Stage`](entry::Stage): what it means, whose side it
//! is on, how sure it is, its words, what removes it, and its tests. The check, the file operations, the pages,
//! the API and `docs/troubleshooting.md` speak from here alone. What a failure means is decided in
//! `application::diagnosis`.

pub mod answers;
pub mod browser;
pub mod bucket;
pub mod caller;
pub mod denials;
pub mod encryption;
pub mod entry;
pub mod fix;
pub mod meanings;
pub mod objects;
pub mod signing_in;
#[cfg(test)]
mod testing;

use entry::{Candidate, CauseEntry, Facts, Words};
use fix::Fix;

/// Declares the catalogue: each cause once, by the folder of its file.
macro_rules! causes {
    ($($folder:ident { $($file:ident :: $cause:ident),* $(,)? })*) => {
        /// A cause, with what its words name.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Cause {
            $($($cause($folder::$file::$cause),)*)*
        }

        impl Cause {
            fn entry(&self) -> &dyn ErasedEntry {
                match self {
                    $($(Self::$cause(cause) => cause,)*)*
                }
            }

            /// Every cause in each form that its words have, in the order of the catalogue.
            #[cfg(test)]
            pub fn examples() -> Vec<Self> {
                let mut all = Vec::new();
                $($(all.extend($folder::$file::$cause::examples().into_iter().map(Self::$cause));)*)*
                all
            }
        }

        $($(
            impl From<$folder::$file::$cause> for Cause {
                fn from(cause: $folder::$file::$cause) -> Self {
                    Self::$cause(cause)
                }
            }
        )*)*
    };
}

causes! {
    signing_in {
        role_refused::RoleRefused,
        trust_no_statement::TrustNoStatement,
        trust_explicit_deny::TrustExplicitDeny,
        external_id_of_other_setup::ExternalIdOfOtherSetup,
        external_id_wrong_case::ExternalIdWrongCase,
        denied_by_customers_rcp::DeniedByCustomersRcp,
        role_accepts_missing_external_id::RoleAcceptsMissingExternalId,
        role_accepts_wrong_external_id::RoleAcceptsWrongExternalId,
        refusal_not_proven::RefusalNotProven,
        role_request_invalid::RoleRequestInvalid,
        session_policy_malformed::SessionPolicyMalformed,
        session_policy_too_large::SessionPolicyTooLarge,
        session_tags_too_large::SessionTagsTooLarge,
        session_attributes_refused::SessionAttributesRefused,
        sts_region_disabled::StsRegionDisabled,
        sts_rejected::StsRejected,
        service_not_permitted::ServiceNotPermitted,
        service_credentials_missing::ServiceCredentialsMissing,
        service_key_unknown::ServiceKeyUnknown,
        service_secret_wrong::ServiceSecretWrong,
        service_session_expired::ServiceSessionExpired,
        service_session_unknown::ServiceSessionUnknown,
        service_signature_missing::ServiceSignatureMissing,
        service_account_not_signed_up::ServiceAccountNotSignedUp,
        service_identity_provider_refused::ServiceIdentityProviderRefused,
    }
    bucket {
        bucket_not_found::BucketNotFound,
        bucket_owned_by_another_account::BucketOwnedByAnotherAccount,
        region_differs::RegionDiffers,
        bucket_region_changed::BucketRegionChanged,
        bucket_region_unknown::BucketRegionUnknown,
        location_not_permitted::LocationNotPermitted,
        location_not_supported::LocationNotSupported,
        account_disabled::AccountDisabled,
        requester_pays::RequesterPays,
        access_key_unknown::AccessKeyUnknown,
        secret_wrong::SecretWrong,
        access_key_temporary::AccessKeyTemporary,
        credentials_lost::CredentialsLost,
        session_not_accepted::SessionNotAccepted,
        session_not_known_in_region::SessionNotKnownInRegion,
        session_expired::SessionExpired,
        signature_rejected::SignatureRejected,
        signature_missing::SignatureMissing,
        endpoint_not_allowed::EndpointNotAllowed,
        endpoint_dns::EndpointDns,
        endpoint_refused::EndpointRefused,
        endpoint_tls::EndpointTls,
        endpoint_redirects::EndpointRedirects,
        endpoint_not_s3::EndpointNotS3,
        operation_not_supported::OperationNotSupported,
        store_full::StoreFull,
    }
    denials {
        permission_missing::PermissionMissing,
        policy_absent_or_elsewhere::PolicyAbsentOrElsewhere,
        object_arn_or_prefix_wrong::ObjectArnOrPrefixWrong,
        list_condition_or_arn_wrong::ListConditionOrArnWrong,
        folders_not_listed::FoldersNotListed,
        acl_permission_missing::AclPermissionMissing,
        version_permission_missing::VersionPermissionMissing,
        bucket_policy_missing::BucketPolicyMissing,
        denied_by_bucket_policy::DeniedByBucketPolicy,
        bucket_policy_denies_all::BucketPolicyDeniesAll,
        bucket_policy_needs_encryption::BucketPolicyNeedsEncryption,
        denied_by_identity_policy::DeniedByIdentityPolicy,
        denied_by_permissions_boundary::DeniedByPermissionsBoundary,
        denied_by_service_control_policy::DeniedByServiceControlPolicy,
        denied_by_resource_control_policy::DeniedByResourceControlPolicy,
        denied_by_vpc_endpoint_policy::DeniedByVpcEndpointPolicy,
        denied_by_session_policy::DeniedBySessionPolicy,
        mfa_required::MfaRequired,
        denied_without_reason::DeniedWithoutReason,
        denied_for_unknown_reason::DeniedForUnknownReason,
    }
    encryption {
        kms_key_not_entered::KmsKeyNotEntered,
        kms_permission_missing::KmsPermissionMissing,
        kms_key_policy::KmsKeyPolicy,
        kms_other_key::KmsOtherKey,
        kms_foreign_key::KmsForeignKey,
        kms_denied::KmsDenied,
        kms_denied_without_reason::KmsDeniedWithoutReason,
        kms_disabled::KmsDisabled,
        kms_pending_deletion::KmsPendingDeletion,
        kms_invalid_state::KmsInvalidState,
        kms_not_found::KmsNotFound,
        kms_invalid_usage::KmsInvalidUsage,
        customer_key_needed::CustomerKeyNeeded,
        probe_encryption_differs::ProbeEncryptionDiffers,
    }
    objects {
        nothing_below_prefix::NothingBelowPrefix,
        all_archived::AllArchived,
        files_that_expire::FilesThatExpire,
        object_of_other_owner::ObjectOfOtherOwner,
        object_archived::ObjectArchived,
        object_locked::ObjectLocked,
        probe_not_stored::ProbeNotStored,
        probe_differs::ProbeDiffers,
        probe_left::ProbeLeft,
    }
    browser {
        cors_none::CorsNone,
        cors_origin_missing::CorsOriginMissing,
        cors_origin_slash::CorsOriginSlash,
        cors_origin_scheme::CorsOriginScheme,
        cors_origin_port::CorsOriginPort,
        cors_method_missing::CorsMethodMissing,
        cors_headers_missing::CorsHeadersMissing,
        cors_etag_not_exposed::CorsEtagNotExposed,
    }
    answers {
        aws_throttled::AwsThrottled,
        aws_timeout::AwsTimeout,
        aws_unreachable::AwsUnreachable,
        aws_unavailable::AwsUnavailable,
        aws_answer_unreadable::AwsAnswerUnreadable,
        listing_incomplete::ListingIncomplete,
        aws_clock_skew::AwsClockSkew,
        aws_rejected::AwsRejected,
        conflicting_change::ConflictingChange,
        body_altered::BodyAltered,
    }
}

/// [`CauseEntry`] without what needs its type.
trait ErasedEntry {
    fn facts(&self) -> Facts;
    fn words(&self) -> Words;
    fn candidates(&self) -> Vec<Candidate>;
    fn fix(&self) -> Option<Fix>;
}

impl<T: CauseEntry> ErasedEntry for T {
    fn facts(&self) -> Facts {
        CauseEntry::facts(self)
    }

    fn words(&self) -> Words {
        CauseEntry::words(self)
    }

    fn candidates(&self) -> Vec<Candidate> {
        CauseEntry::candidates(self)
    }

    fn fix(&self) -> Option<Fix> {
        CauseEntry::fix(self)
    }
}

impl Cause {
    /// What is decided by.
    pub fn facts(&self) -> Facts {
        self.entry().facts()
    }

    /// Stable, `snake_case`.
    pub fn code(&self) -> &'static str {
        self.facts().code
    }

    pub fn words(&self) -> Words {
        self.entry().words()
    }

    pub fn candidates(&self) -> Vec<Candidate> {
        self.entry().candidates()
    }

    pub fn fix(&self) -> Option<Fix> {
        self.entry().fix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entry::{Certainty, Side};
    use std::collections::BTreeMap;

    #[test]
    fn a_code_has_one_meaning_and_is_of_one_cause() {
        let mut known: BTreeMap<&str, (&str, std::mem::Discriminant<Cause>)> = BTreeMap::new();
        for cause in Cause::examples() {
            let facts = cause.facts();
            assert!(
                facts
                    .code
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{}",
                facts.code
            );
            assert!(facts.meaning.ends_with('.'), "{}", facts.code);
            let this = (facts.meaning, std::mem::discriminant(&cause));
            assert_eq!(
                *known.entry(facts.code).or_insert(this),
                this,
                "{}",
                facts.code
            );
        }
        let meanings: std::collections::BTreeSet<&str> =
            known.values().map(|(meaning, _)| *meaning).collect();
        assert_eq!(meanings.len(), known.len(), "two codes mean the same");
    }

    #[test]
    fn every_text_is_short_enough() {
        for cause in Cause::examples() {
            let words = cause.words();
            let length = [words.title, words.explanation, words.remedy]
                .iter()
                .map(|text| text.chars().count())
                .sum::<usize>();
            assert!(length <= 1_500, "{}: {length}", cause.code());
        }
    }

    #[test]
    fn every_candidate_says_what_and_where_to_look() {
        for cause in Cause::examples() {
            let mut codes = Vec::new();
            for candidate in cause.candidates() {
                let code = cause.code();
                assert!(candidate.text.ends_with('.'), "{code}: {}", candidate.text);
                assert!(
                    candidate
                        .code
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                    "{code}: {}",
                    candidate.code
                );
                assert!(
                    !codes.contains(&candidate.code),
                    "{code}: {} twice",
                    candidate.code
                );
                let of_the_customer = matches!(
                    cause.facts().side,
                    Side::CustomerAccount | Side::CustomerOrganization
                );
                assert!(
                    !of_the_customer || !candidate.decide.is_empty(),
                    "{code}: {} has no look that decides",
                    candidate.code
                );
                codes.push(candidate.code);
            }
        }
    }

    #[test]
    fn one_of_several_has_candidates() {
        for cause in Cause::examples() {
            if cause.facts().certainty == Certainty::OneOf {
                assert!(!cause.candidates().is_empty(), "{}", cause.code());
            }
        }
    }

    /// Nothing allows what a statement denies, and what is not the customer's no patch of theirs mends.
    #[test]
    fn the_side_of_the_service_has_no_change_for_the_customers_policies() {
        for cause in Cause::examples() {
            let is_own = cause.facts().side == Side::Service;
            let is_allow = matches!(
                cause.fix(),
                Some(Fix::TrustPolicy | Fix::BucketPolicy | Fix::KeyPolicy { .. } | Fix::Cors)
            );
            assert!(!(is_own && is_allow), "{}", cause.code());
        }
    }

    #[test]
    fn no_statement_that_allows_is_offered_where_another_policy_denies() {
        for cause in Cause::examples() {
            let code = cause.code();
            if code.starts_with("denied_") || code.starts_with("bucket_policy_denies") {
                assert_eq!(cause.fix(), None, "{code}");
            }
        }
    }
}
