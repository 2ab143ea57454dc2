//! The causes that a check can find.

/// Why a step did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    ServiceNotPermitted,
    ServiceCredentialsRejected,
    RoleRefused,
    StsRegionDisabled,
    SessionPolicyRejected,
    RoleAcceptsMissingExternalId,
    RoleAcceptsWrongExternalId,
    RefusalNotProven,
    RegionDiffers,
    LocationNotPermitted,
    BucketOwnedByAnotherAccount,
    BucketNotFound,
    BucketRegionUnknown,
    CredentialsRejected,
    EndpointNotAllowed,
    PermissionMissing,
    KmsPermissionMissing,
    CorsNotAllowed,
    AwsThrottled,
    AwsTimeout,
    AwsUnreachable,
    AwsUnavailable,
    AwsAnswerUnreadable,
    AwsRejected,
}

impl Cause {
    /// The problem's code in the API: stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::ServiceNotPermitted => "service_not_permitted",
            Self::ServiceCredentialsRejected => "service_credentials_rejected",
            Self::RoleRefused => "role_refused",
            Self::StsRegionDisabled => "sts_region_disabled",
            Self::SessionPolicyRejected => "session_policy_rejected",
            Self::RoleAcceptsMissingExternalId => "role_accepts_missing_external_id",
            Self::RoleAcceptsWrongExternalId => "role_accepts_wrong_external_id",
            Self::RefusalNotProven => "refusal_not_proven",
            Self::RegionDiffers => "region_differs",
            Self::LocationNotPermitted => "location_not_permitted",
            Self::BucketOwnedByAnotherAccount => "bucket_owned_by_another_account",
            Self::BucketNotFound => "bucket_not_found",
            Self::BucketRegionUnknown => "bucket_region_unknown",
            Self::CredentialsRejected => "credentials_rejected",
            Self::EndpointNotAllowed => "endpoint_not_allowed",
            Self::PermissionMissing => "permission_missing",
            Self::KmsPermissionMissing => "kms_permission_missing",
            Self::CorsNotAllowed => "cors_not_allowed",
            Self::AwsThrottled => "aws_throttled",
            Self::AwsTimeout => "aws_timeout",
            Self::AwsUnreachable => "aws_unreachable",
            Self::AwsUnavailable => "aws_unavailable",
            Self::AwsAnswerUnreadable => "aws_answer_unreadable",
            Self::AwsRejected => "aws_rejected",
        }
    }

    /// Whether a change that IAM has not finished spreading explains it, so that the same check may pass a
    /// moment later.
    pub fn may_pass_later(self) -> bool {
        match self {
            Self::RoleRefused | Self::PermissionMissing | Self::KmsPermissionMissing => true,
            // Neither a role that accepts others, nor a missing bucket or rule, changes by itself.
            Self::ServiceNotPermitted
            | Self::ServiceCredentialsRejected
            | Self::StsRegionDisabled
            | Self::SessionPolicyRejected
            | Self::RoleAcceptsMissingExternalId
            | Self::RoleAcceptsWrongExternalId
            | Self::RefusalNotProven
            | Self::RegionDiffers
            | Self::LocationNotPermitted
            | Self::BucketOwnedByAnotherAccount
            | Self::BucketNotFound
            | Self::BucketRegionUnknown
            | Self::CredentialsRejected
            | Self::EndpointNotAllowed
            | Self::CorsNotAllowed
            | Self::AwsThrottled
            | Self::AwsTimeout
            | Self::AwsUnreachable
            | Self::AwsUnavailable
            | Self::AwsAnswerUnreadable
            | Self::AwsRejected => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::diagnosis::explain::Finding;
    use crate::domain::check::StepProblem;

    #[test]
    fn a_finding_has_its_cause_s_code() {
        let finding = Finding::new(Cause::CorsNotAllowed, "title", "explanation", "remedy");
        let StepProblem { code, .. } = finding.problem;
        assert_eq!(code, "cors_not_allowed");
    }
}
