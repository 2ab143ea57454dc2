//! Why a call was denied, by what AWS said of it.

use crate::application::diagnosis::cause_of_role::shown_policy;
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_failure::{AwsFailure, DenialReason, KeyState, PolicyEffect, PolicyKind};
use crate::domain::cause::Cause;
use crate::domain::cause::denials::Denied;
use crate::domain::cause::denials::bucket_policy_missing::BucketPolicyMissing;
use crate::domain::cause::denials::denied_by_bucket_policy::DeniedByBucketPolicy;
use crate::domain::cause::denials::denied_by_identity_policy::DeniedByIdentityPolicy;
use crate::domain::cause::denials::denied_by_permissions_boundary::DeniedByPermissionsBoundary;
use crate::domain::cause::denials::denied_by_resource_control_policy::DeniedByResourceControlPolicy;
use crate::domain::cause::denials::denied_by_service_control_policy::DeniedByServiceControlPolicy;
use crate::domain::cause::denials::denied_by_session_policy::DeniedBySessionPolicy;
use crate::domain::cause::denials::denied_by_vpc_endpoint_policy::DeniedByVpcEndpointPolicy;
use crate::domain::cause::denials::denied_for_unknown_reason::DeniedForUnknownReason;
use crate::domain::cause::denials::denied_without_reason::DeniedWithoutReason;
use crate::domain::cause::denials::mfa_required::MfaRequired;
use crate::domain::cause::denials::permission_missing::PermissionMissing;
use crate::domain::cause::encryption::DeniedKey;
use crate::domain::cause::encryption::kms_denied::KmsDenied;
use crate::domain::cause::encryption::kms_denied_without_reason::KmsDeniedWithoutReason;
use crate::domain::cause::encryption::kms_foreign_key::KmsForeignKey;
use crate::domain::cause::encryption::kms_key_not_entered::KmsKeyNotEntered;
use crate::domain::cause::encryption::kms_key_policy::KmsKeyPolicy;
use crate::domain::cause::encryption::kms_other_key::KmsOtherKey;
use crate::domain::cause::encryption::kms_permission_missing::KmsPermissionMissing;
use crate::domain::connection::kms_key_arn::KmsKeyArn;

/// AWS says that no policy of the caller allows it: the only denial that a statement lifts which allows it.
pub(crate) fn is_implicit(reason: DenialReason) -> bool {
    reason == DenialReason::By(PolicyKind::Identity, PolicyEffect::NoAllow)
}

impl Subject<'_> {
    /// The action that was denied: the one that AWS names, where it is one of S3, or else what the call needs.
    pub(super) fn denied(&self, action: &str, failure: &AwsFailure) -> Denied {
        let denial = failure.denial.as_deref();
        let named = denial.and_then(|denial| denial.action.as_deref());
        let action = named
            .filter(|named| named.starts_with("s3:") && named.len() < 50)
            .unwrap_or(action);
        Denied {
            action: action.to_owned(),
            others: Vec::new(),
            caller: self.caller(),
            bucket: self.bucket(),
            resource: self.resource_for(action).unwrap_or_default(),
            policy_arn: shown_policy(failure),
            reason: failure.reason(),
        }
    }

    /// Why S3 denied a call that needs `action`.
    pub(super) fn of_denial(&self, action: &str, failure: &AwsFailure) -> Cause {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        let denied = self.denied(action, failure);
        match failure.reason() {
            DenialReason::By(Policy::Identity, NoAllow) => PermissionMissing {
                action: denied.action,
                also: Vec::new(),
                caller: denied.caller,
            }
            .into(),
            DenialReason::By(Policy::Identity, ExplicitDeny) => {
                DeniedByIdentityPolicy { denied }.into()
            }
            DenialReason::By(Policy::Resource, NoAllow) => BucketPolicyMissing { denied }.into(),
            DenialReason::By(Policy::Resource, ExplicitDeny) => {
                DeniedByBucketPolicy { denied }.into()
            }
            DenialReason::By(Policy::Session, NoAllow | ExplicitDeny) => {
                DeniedBySessionPolicy { denied }.into()
            }
            DenialReason::By(Policy::PermissionsBoundary, NoAllow | ExplicitDeny) => {
                DeniedByPermissionsBoundary { denied }.into()
            }
            DenialReason::By(Policy::ServiceControl, NoAllow | ExplicitDeny) => {
                DeniedByServiceControlPolicy { denied }.into()
            }
            DenialReason::By(Policy::ResourceControl, NoAllow | ExplicitDeny) => {
                DeniedByResourceControlPolicy { denied }.into()
            }
            DenialReason::By(Policy::VpcEndpoint, NoAllow | ExplicitDeny) => {
                DeniedByVpcEndpointPolicy { denied }.into()
            }
            DenialReason::By(Policy::RoleTrust, NoAllow | ExplicitDeny)
            | DenialReason::Unrecognised => DeniedForUnknownReason { denied }.into(),
            DenialReason::Mfa => MfaRequired { denied }.into(),
            DenialReason::NotGiven => DeniedWithoutReason {
                denied,
                is_not_requester_pays: false,
            }
            .into(),
        }
    }

    /// Why the use of a KMS key was denied to a call that needs `action` of S3.
    pub(super) fn of_key_denial(&self, action: &str, failure: &AwsFailure) -> Cause {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        let denial = failure.denial.as_deref();
        let named = denial.and_then(|denial| denial.action.as_deref());
        let action = match (named, action) {
            (Some("kms:Decrypt"), _) => "kms:Decrypt",
            (Some("kms:GenerateDataKey"), _) | (None, "s3:PutObject" | "kms:GenerateDataKey") => {
                "kms:GenerateDataKey"
            }
            (Some(_) | None, _) => "kms:Decrypt",
        };
        let of_text = |arn: &str| KmsKeyArn::parse(arn).ok();
        let named_key = denial
            .and_then(|denial| denial.resource.as_deref())
            .or_else(|| failure.unusable_key()?.arn.as_deref());
        let denied = DeniedKey {
            action: action.to_owned(),
            caller: self.caller(),
            bucket: self.bucket(),
            key: named_key.and_then(of_text),
            entered: self.connection.settings.kms_key.clone(),
        };
        let is_out_of_reach = failure
            .unusable_key()
            .is_some_and(|key| key.state == KeyState::OutOfReach);
        if is_out_of_reach {
            return KmsForeignKey { denied }.into();
        }
        let is_other = denied
            .key
            .as_ref()
            .zip(denied.entered.as_ref())
            .is_some_and(|(key, entered)| key != entered);
        match failure.reason() {
            DenialReason::By(Policy::Session, NoAllow | ExplicitDeny) => match is_other {
                true => KmsOtherKey { denied }.into(),
                false => KmsKeyNotEntered { denied }.into(),
            },
            DenialReason::By(Policy::Identity, NoAllow) => match is_other {
                true => KmsOtherKey { denied }.into(),
                false => KmsPermissionMissing { denied }.into(),
            },
            DenialReason::By(Policy::Resource, effect) => KmsKeyPolicy {
                denied,
                is_explicit: effect == ExplicitDeny,
            }
            .into(),
            DenialReason::By(
                by @ (Policy::Identity
                | Policy::PermissionsBoundary
                | Policy::ServiceControl
                | Policy::ResourceControl
                | Policy::VpcEndpoint
                | Policy::RoleTrust),
                ExplicitDeny | NoAllow,
            ) => KmsDenied { denied, by }.into(),
            DenialReason::NotGiven | DenialReason::Mfa | DenialReason::Unrecognised => {
                KmsDeniedWithoutReason { denied }.into()
            }
        }
    }
}
