//! Why AssumeRole failed.

use crate::application::diagnosis::evidence::{AcceptedId, Looks};
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_code::StsCode;
use crate::domain::aws_failure::{
    AssumeRoleRefusal, AwsFailure, DenialReason, FailureKind, PolicyComplaint, PolicyEffect,
    PolicyKind,
};
use crate::domain::cause::Cause;
use crate::domain::cause::answers::Attempt;
use crate::domain::cause::answers::aws_answer_unreadable::AwsAnswerUnreadable;
use crate::domain::cause::answers::aws_clock_skew::AwsClockSkew;
use crate::domain::cause::answers::aws_throttled::AwsThrottled;
use crate::domain::cause::answers::aws_timeout::AwsTimeout;
use crate::domain::cause::answers::aws_unavailable::AwsUnavailable;
use crate::domain::cause::answers::aws_unreachable::AwsUnreachable;
use crate::domain::cause::bucket::endpoint_redirects::EndpointRedirects;
use crate::domain::cause::signing_in::denied_by_customers_rcp::DeniedByCustomersRcp;
use crate::domain::cause::signing_in::external_id_of_other_setup::ExternalIdOfOtherSetup;
use crate::domain::cause::signing_in::external_id_wrong_case::ExternalIdWrongCase;
use crate::domain::cause::signing_in::role_refused::RoleRefused;
use crate::domain::cause::signing_in::role_request_invalid::RoleRequestInvalid;
use crate::domain::cause::signing_in::service_account_not_signed_up::ServiceAccountNotSignedUp;
use crate::domain::cause::signing_in::service_credentials_missing::ServiceCredentialsMissing;
use crate::domain::cause::signing_in::service_identity_provider_refused::ServiceIdentityProviderRefused;
use crate::domain::cause::signing_in::service_key_unknown::ServiceKeyUnknown;
use crate::domain::cause::signing_in::service_not_permitted::ServiceNotPermitted;
use crate::domain::cause::signing_in::service_secret_wrong::ServiceSecretWrong;
use crate::domain::cause::signing_in::service_session_expired::ServiceSessionExpired;
use crate::domain::cause::signing_in::service_session_unknown::ServiceSessionUnknown;
use crate::domain::cause::signing_in::service_signature_missing::ServiceSignatureMissing;
use crate::domain::cause::signing_in::session_attributes_refused::{
    SessionAttribute, SessionAttributesRefused,
};
use crate::domain::cause::signing_in::session_policy_malformed::SessionPolicyMalformed;
use crate::domain::cause::signing_in::session_policy_too_large::SessionPolicyTooLarge;
use crate::domain::cause::signing_in::session_tags_too_large::SessionTagsTooLarge;
use crate::domain::cause::signing_in::sts_region_disabled::StsRegionDisabled;
use crate::domain::cause::signing_in::sts_rejected::StsRejected;
use crate::domain::cause::signing_in::trust_explicit_deny::TrustExplicitDeny;
use crate::domain::cause::signing_in::trust_no_statement::TrustNoStatement;

impl Subject<'_> {
    /// Why our own AssumeRole failed.
    pub(super) fn of_role(&self, failure: &AwsFailure, looks: &Looks) -> Cause {
        let policy_arn = shown_policy(failure);
        match failure.assume_role_refusal() {
            None => self.of_sts(failure),
            Some(AssumeRoleRefusal::Service(by, effect)) => ServiceNotPermitted {
                by,
                effect,
                service: self.principal.as_ref().map(ToString::to_string),
                policy_arn,
                role: self.role().arn,
            }
            .into(),
            Some(AssumeRoleRefusal::Unknown) => RoleRefused {
                role: self.role(),
                has_unknown_reason: true,
                is_awaited: false,
            }
            .into(),
            Some(AssumeRoleRefusal::Role) => {
                let role = self.role();
                let denial = failure.denial.as_deref();
                let action = denial.and_then(|denial| denial.action.as_deref());
                if let Some(what) = action.and_then(SessionAttribute::of) {
                    return SessionAttributesRefused { role, what }.into();
                }
                match &looks.accepted_id {
                    Some(AcceptedId::Other { owner, external_id }) => {
                        return ExternalIdOfOtherSetup {
                            role,
                            other: owner.clone(),
                            asked: external_id.clone(),
                        }
                        .into();
                    }
                    Some(AcceptedId::OtherCase(asked)) => {
                        return ExternalIdWrongCase {
                            role,
                            asked: asked.clone(),
                        }
                        .into();
                    }
                    None => {}
                }
                match failure.reason() {
                    DenialReason::By(
                        PolicyKind::RoleTrust | PolicyKind::Resource,
                        PolicyEffect::NoAllow,
                    ) => TrustNoStatement { role }.into(),
                    DenialReason::By(
                        PolicyKind::RoleTrust | PolicyKind::Resource,
                        PolicyEffect::ExplicitDeny,
                    ) => TrustExplicitDeny { role }.into(),
                    DenialReason::By(PolicyKind::ResourceControl, _) => {
                        DeniedByCustomersRcp { role, policy_arn }.into()
                    }
                    reason @ (DenialReason::NotGiven | DenialReason::Mfa) => RoleRefused {
                        role,
                        has_unknown_reason: false,
                        is_awaited: looks.is_awaited && reason == DenialReason::NotGiven,
                    }
                    .into(),
                    // Those of the service's side are answered above.
                    DenialReason::By(
                        PolicyKind::Identity
                        | PolicyKind::Session
                        | PolicyKind::PermissionsBoundary
                        | PolicyKind::ServiceControl
                        | PolicyKind::VpcEndpoint,
                        PolicyEffect::ExplicitDeny | PolicyEffect::NoAllow,
                    )
                    | DenialReason::Unrecognised => RoleRefused {
                        role,
                        has_unknown_reason: true,
                        is_awaited: false,
                    }
                    .into(),
                }
            }
        }
    }

    /// STS's answer to an AssumeRole that no policy refused.
    fn of_sts(&self, failure: &AwsFailure) -> Cause {
        let attempt = Attempt::AssumeRole;
        let by_kind = || match failure.kind {
            FailureKind::Throttled => Some(AwsThrottled { attempt }.into()),
            FailureKind::Timeout => Some(AwsTimeout { attempt }.into()),
            FailureKind::Network => Some(
                AwsUnreachable {
                    attempt,
                    host: None,
                }
                .into(),
            ),
            FailureKind::Unavailable => Some(AwsUnavailable { attempt }.into()),
            FailureKind::InvalidResponse | FailureKind::NotS3 | FailureKind::ListingIncomplete => {
                Some(AwsAnswerUnreadable { attempt }.into())
            }
            FailureKind::ClockSkew => Some(AwsClockSkew { attempt }.into()),
            FailureKind::Redirected => Some(
                EndpointRedirects {
                    to: failure.redirects_to().map(ToString::to_string),
                }
                .into(),
            ),
            FailureKind::AccessDenied
            | FailureKind::KmsDenied
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::ObjectLocked
            | FailureKind::NotSupported
            | FailureKind::BadCredentials
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::InvalidRequest
            | FailureKind::ForbiddenAddress => None,
        };
        let Some(raw) = failure.error_code.as_deref() else {
            return match failure.kind {
                FailureKind::BadCredentials => ServiceCredentialsMissing.into(),
                _ => by_kind().unwrap_or_else(|| rejected("")),
            };
        };
        if failure.kind == FailureKind::ClockSkew {
            return AwsClockSkew { attempt }.into();
        }
        let Some(code) = StsCode::parse(raw) else {
            return by_kind().unwrap_or_else(|| rejected(raw));
        };
        match code {
            StsCode::MalformedPolicyDocument => SessionPolicyMalformed {
                complaint: failure.policy_complaint(),
            }
            .into(),
            StsCode::PackedPolicyTooLarge => match failure.policy_complaint() {
                PolicyComplaint::Tags => SessionTagsTooLarge.into(),
                PolicyComplaint::NotJson
                | PolicyComplaint::Resource
                | PolicyComplaint::Partition
                | PolicyComplaint::Syntax
                | PolicyComplaint::TooLong
                | PolicyComplaint::Unread => SessionPolicyTooLarge.into(),
            },
            StsCode::RegionDisabled => StsRegionDisabled {
                account: self.role().account().to_owned(),
                region: None,
            }
            .into(),
            StsCode::ExpiredToken => ServiceSessionExpired.into(),
            StsCode::InvalidClientTokenId | StsCode::UnrecognizedClient | StsCode::AuthFailure => {
                ServiceKeyUnknown.into()
            }
            StsCode::InvalidToken => ServiceSessionUnknown.into(),
            StsCode::SignatureDoesNotMatch => ServiceSecretWrong.into(),
            StsCode::IncompleteSignature | StsCode::MissingAuthenticationToken => {
                ServiceSignatureMissing.into()
            }
            StsCode::OptInRequired => ServiceAccountNotSignedUp.into(),
            StsCode::RequestExpired | StsCode::RequestTimeTooSkewed => {
                AwsClockSkew { attempt }.into()
            }
            StsCode::Throttling => AwsThrottled { attempt }.into(),
            StsCode::InternalFailure
            | StsCode::ServiceUnavailable
            | StsCode::IdpCommunicationError => AwsUnavailable { attempt }.into(),
            StsCode::ValidationError => RoleRequestInvalid {
                arn: self.role().arn,
            }
            .into(),
            StsCode::IdpRejectedClaim | StsCode::InvalidIdentityToken => {
                ServiceIdentityProviderRefused.into()
            }
            // A denial with another status than a refusal has, too.
            StsCode::AccessDenied
            | StsCode::NotAuthorized
            | StsCode::InvalidParameter
            | StsCode::InvalidAction
            | StsCode::InvalidAuthorizationMessage => rejected(raw),
        }
    }
}

fn rejected(code: &str) -> Cause {
    StsRejected {
        code: code.to_owned(),
    }
    .into()
}

/// The policy that AWS names, where it is fit to be shown.
pub(super) fn shown_policy(failure: &AwsFailure) -> Option<String> {
    let arn = failure.denial.as_deref()?.policy_arn.clone()?;
    (arn.len() < 200 && !arn.contains('`')).then_some(arn)
}
