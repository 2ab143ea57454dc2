//! The words of the report: what happened, why, and what to change.

use crate::application::bucket::probe::Preflight;
use crate::application::diagnosis::cause::Cause;
use crate::domain::aws_failure::{AwsFailure, DenialCause, FailureKind};
use crate::domain::check::{MissingPermission, StepName, StepProblem};
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::files::object_key::ObjectKey;
use crate::domain::origin::Origin;
use crate::domain::policy_document::PolicyTemplates;

/// What is wrong with a step: its cause, and the words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub cause: Cause,
    pub problem: StepProblem,
}

impl Finding {
    pub fn new(cause: Cause, title: &str, explanation: &str, remedy: &str) -> Self {
        Self {
            cause,
            problem: StepProblem {
                code: cause.code().to_owned(),
                title: title.to_owned(),
                explanation: explanation.to_owned(),
                remedy: remedy.to_owned(),
                missing: Vec::new(),
                patch: None,
            },
        }
    }
}

/// Turns the failures of one connection's check into findings.
pub(crate) struct Explain<'a> {
    pub policies: &'a PolicyTemplates,
    pub connection: &'a Connection,
    pub principal: Option<ServicePrincipal>,
    pub origins: &'a [Origin],
}

impl Explain<'_> {
    /// One answer for a role that does not exist, does not trust us, or asks for another external ID:
    /// AWS tells these apart to nobody, and neither do we.
    pub fn role_refused(&self, failure: &AwsFailure) -> Finding {
        if failure.kind != FailureKind::AccessDenied {
            return self.assume_role_failed(failure);
        }
        if failure.denial == Some(DenialCause::NoIdentityPolicy) {
            return Finding::new(
                Cause::ServiceNotPermitted,
                "The service itself may not assume roles",
                "AWS says that the service's own identity lacks sts:AssumeRole. This is not the customer's to mend.",
                "Tell the operator: the service's identity needs an IAM policy that allows sts:AssumeRole.",
            );
        }
        let account = self.principal.as_ref().map_or_else(
            || "the service's account".to_owned(),
            |principal| format!("account {}", principal.account()),
        );
        let (role, external_id) = self.role_and_external_id();
        let mut finding = Finding::new(
            Cause::RoleRefused,
            "The role refused us",
            &format!(
                "Either there is no such role, or its trust policy does not name {account}, or it asks for another external ID. A role made a moment ago may also need up to a minute."
            ),
            &format!(
                "Compare the account and the external ID `{external_id}` with IAM > Roles > {role} > Trust relationships, or paste the trust policy there again."
            ),
        );
        finding.problem.patch = self.trust_policy();
        finding
    }

    fn assume_role_failed(&self, failure: &AwsFailure) -> Finding {
        match failure.error_code.as_deref() {
            Some("RegionDisabledException") => Finding::new(
                Cause::StsRegionDisabled,
                "STS is switched off in the service's Region",
                "The customer's account has switched AWS STS off in the Region that the service runs in.",
                "Activate the Region under IAM > Account settings > Security Token Service.",
            ),
            Some("PackedPolicyTooLarge" | "MalformedPolicyDocument") => Finding::new(
                Cause::SessionPolicyRejected,
                "The bucket prefix is too long for a session",
                "AWS did not accept the session policy that limits us to this bucket and prefix.",
                "Choose a shorter bucket prefix.",
            ),
            _ if failure.kind == FailureKind::BadCredentials => Finding::new(
                Cause::ServiceCredentialsRejected,
                "The service's own credentials do not work",
                "AWS did not accept the credentials that the service runs on. This is not the customer's to mend.",
                "Tell the operator.",
            ),
            _ => not_answered("assume the role", failure),
        }
    }

    pub fn role_accepts(&self, step: StepName) -> Finding {
        let (role, external_id) = self.role_and_external_id();
        let (cause, sent) = if step == StepName::RefusesMissingExternalId {
            (
                Cause::RoleAcceptsMissingExternalId,
                "without any external ID",
            )
        } else {
            (
                Cause::RoleAcceptsWrongExternalId,
                "with an external ID that is not yours",
            )
        };
        let mut finding = Finding::new(
            cause,
            "The role lets others in",
            &format!(
                "We could assume the role {sent}. So could any other customer of this service who learns the role's ARN, and read your bucket through it."
            ),
            &format!(
                "In IAM > Roles > {role} > Trust relationships, require the external ID `{external_id}` with the condition operator StringEquals. StringEqualsIfExists, StringLike and wildcards do not protect the role."
            ),
        );
        finding.problem.patch = self.trust_policy();
        finding
    }

    pub fn refusal_not_proven(&self, failure: &AwsFailure) -> Finding {
        let unanswered = not_answered("find out whether the role refuses others", failure);
        Finding::new(
            Cause::RefusalNotProven,
            "It is not proved that the role refuses others",
            &unanswered.problem.explanation,
            &unanswered.problem.remedy,
        )
    }

    pub fn cannot_connect(&self, failure: &AwsFailure) -> Finding {
        self.bucket_failed(failure)
    }

    pub fn region_differs(&self, typed: Region, found: Region) -> Finding {
        Finding::new(
            Cause::RegionDiffers,
            "The bucket is in another Region",
            &format!(
                "The settings say {typed}, and the bucket is in {found}. The bucket's own is used."
            ),
            &format!("Change the Region to {found}, or leave it empty."),
        )
    }

    pub fn location_not_permitted(&self, found: Option<Region>) -> Finding {
        let used = match found {
            Some(region) => format!("The bucket's own answers say {region}, which is used."),
            None => "The Region of the settings is used.".into(),
        };
        let mut finding = Finding::new(
            Cause::LocationNotPermitted,
            "The role may not read the bucket's location",
            &format!("This does no harm. {used}"),
            "To have the Region confirmed, allow s3:GetBucketLocation on the bucket.",
        );
        self.add_missing(&mut finding, "s3:GetBucketLocation");
        finding
    }

    pub fn another_owner(&self) -> Finding {
        let named = self.connection.settings.bucket_account.is_some();
        let account = self.connection.expected_owner().map(ToString::to_string);
        let account = account.unwrap_or_default();
        Finding::new(
            Cause::BucketOwnedByAnotherAccount,
            "The bucket belongs to another account",
            &format!(
                "S3 says that account {account}, which {}, does not own the bucket `{}`. Somebody else may have taken a name that was free.",
                if named {
                    "is named as the bucket's"
                } else {
                    "the role belongs to"
                },
                self.connection.bucket
            ),
            if named {
                "Correct the ID of the bucket's account, or use a bucket of that account."
            } else {
                "Use a bucket of the same account as the role. If the bucket is meant to be another account's, name that account as the bucket's."
            },
        )
    }

    pub fn bucket_failed(&self, failure: &AwsFailure) -> Finding {
        match failure.kind {
            FailureKind::NoSuchBucket => Finding::new(
                Cause::BucketNotFound,
                "There is no such bucket",
                &format!("S3 knows no bucket `{}`.", self.connection.bucket),
                "Compare the bucket's name with the one in the S3 console.",
            ),
            FailureKind::WrongRegion => Finding::new(
                Cause::BucketRegionUnknown,
                "The bucket is in another Region",
                "S3 says that the bucket is in another Region, but not in which.",
                "Enter the bucket's Region: the S3 console shows it beside the bucket's name.",
            ),
            FailureKind::BadCredentials => Finding::new(
                Cause::CredentialsRejected,
                "The credentials do not work",
                "The store does not accept the access key, or its secret.",
                "Enter the access key again, or make a new one.",
            ),
            FailureKind::ForbiddenAddress => Finding::new(
                Cause::EndpointNotAllowed,
                "The endpoint may not be reached from here",
                "It leads to a network that the operator does not allow customers' endpoints to be in.",
                "Use a public endpoint, or ask the operator to allow the network.",
            ),
            _ => not_answered("ask the bucket", failure),
        }
    }

    /// Why a call that needs `action` did not pass.
    pub fn denied_or_failed(&self, action: &str, failure: &AwsFailure) -> Finding {
        match failure.kind {
            FailureKind::AccessDenied => {
                let (because, remedy) = denial(failure.denial);
                let mut finding = Finding::new(
                    Cause::PermissionMissing,
                    &format!("The role may not use {action}"),
                    &format!("S3 refused {action}: {because}."),
                    remedy,
                );
                self.add_missing(&mut finding, action);
                finding
            }
            FailureKind::KmsDenied => {
                let action = if action == "s3:PutObject" {
                    "kms:GenerateDataKey"
                } else {
                    "kms:Decrypt"
                };
                let mut finding = Finding::new(
                    Cause::KmsPermissionMissing,
                    &format!("The role may not use {action}"),
                    "The bucket's objects are encrypted with a KMS key, and the role may not use it.",
                    "Enter the key's ARN in the first step and apply the permission policy again; the key's own policy must let the role's account use IAM policies.",
                );
                self.add_missing(&mut finding, action);
                finding
            }
            _ => self.bucket_failed(failure),
        }
    }

    pub fn not_deleted(&self, failure: &AwsFailure, left: Option<&ObjectKey>) -> Finding {
        let mut finding = self.denied_or_failed("s3:DeleteObject", failure);
        if let Some(key) = left {
            finding.problem.explanation.push_str(&format!(
                " The probe object `{}` is still in the bucket; the lifecycle rule removes it after 7 days.",
                key.as_str()
            ));
        }
        finding
    }

    pub fn cors_refused(&self, refused: &[&Preflight]) -> Finding {
        let mut by_origin: Vec<(&Origin, Vec<&str>)> = Vec::new();
        for preflight in refused {
            match by_origin
                .iter_mut()
                .find(|(origin, _)| **origin == preflight.origin)
            {
                Some((_, methods)) => methods.push(&preflight.method),
                None => by_origin.push((&preflight.origin, vec![&preflight.method])),
            }
        }
        let list: Vec<String> = by_origin
            .iter()
            .map(|(origin, methods)| format!("{} from {origin}", methods.join(", ")))
            .collect();
        let mut finding = Finding::new(
            Cause::CorsNotAllowed,
            "Browsers may not use the bucket",
            &format!(
                "The bucket's CORS configuration does not allow {}.",
                list.join("; ")
            ),
            &format!(
                "In S3 > {} > Permissions, edit Cross-origin resource sharing (CORS) and paste the CORS document.",
                self.connection.bucket
            ),
        );
        finding.problem.patch = self
            .policies
            .cors(self.connection.settings.access, self.origins)
            .ok();
        finding
    }

    pub fn cors_not_proven(&self, failure: &AwsFailure) -> Finding {
        self.bucket_failed(failure)
    }

    fn add_missing(&self, finding: &mut Finding, action: &str) {
        let connection = self.connection;
        let partition = self.connection.partition();
        let resource = self.policies.resource_for(
            partition,
            &connection.bucket,
            &connection.settings.prefix,
            action,
            connection.settings.kms_key.as_ref(),
        );
        finding.problem.missing = vec![MissingPermission {
            action: action.to_owned(),
            // Without the key's ARN in the settings, nobody here knows which key it is.
            resource: resource.unwrap_or_else(|| "the ARN of the bucket's KMS key".to_owned()),
        }];
        finding.problem.patch = self.policies.statement_for(
            partition,
            &connection.bucket,
            &connection.settings.prefix,
            action,
            connection.settings.kms_key.as_ref(),
        );
    }

    fn role_and_external_id(&self) -> (String, String) {
        match &self.connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => (role_arn.name().to_owned(), external_id.to_string()),
            _ => Default::default(),
        }
    }

    fn trust_policy(&self) -> Option<serde_json::Value> {
        match &self.connection.credentials {
            Credentials::Role { external_id, .. } => self
                .policies
                .trust_policy(self.principal.as_ref()?, external_id)
                .ok(),
            _ => None,
        }
    }
}

/// Which policy denied a call, and what to do about it.
fn denial(cause: Option<DenialCause>) -> (&'static str, &'static str) {
    const REMOVE: &str = "Remove the denial, or make an exception for the role.";
    const ASK: &str = "Ask whoever manages that policy to allow it; the role's own policy cannot.";
    const ADD: &str = "Add the statement shown here to the role's permission policy, or apply the permission policy again.";
    match cause {
        Some(DenialCause::ExplicitDenyResource) => {
            ("the bucket policy denies it explicitly", REMOVE)
        }
        Some(DenialCause::ExplicitDenyIdentity) => {
            ("a policy of the role denies it explicitly", REMOVE)
        }
        Some(DenialCause::ServiceControlPolicy) => (
            "a service control policy of the customer's organization does not allow it",
            ASK,
        ),
        Some(DenialCause::ResourceControlPolicy) => (
            "a resource control policy of the customer's organization does not allow it",
            ASK,
        ),
        Some(DenialCause::PermissionsBoundary) => {
            ("the role's permissions boundary does not allow it", ASK)
        }
        Some(DenialCause::VpcEndpointPolicy) => ("a VPC endpoint policy does not allow it", ASK),
        None
        | Some(
            DenialCause::NoIdentityPolicy
            | DenialCause::NoResourcePolicy
            | DenialCause::NoSessionPolicy
            | DenialCause::NoTrustPolicy
            | DenialCause::SessionPolicy,
        ) => (
            "no policy of the role allows it on this bucket and prefix",
            ADD,
        ),
    }
}

/// AWS gave no usable answer, which says nothing about permissions.
fn not_answered(to: &str, failure: &AwsFailure) -> Finding {
    let (cause, why) = match failure.kind {
        FailureKind::Throttled => (
            Cause::AwsThrottled,
            "AWS asks for fewer requests at the moment",
        ),
        FailureKind::Timeout => (Cause::AwsTimeout, "AWS did not answer in time"),
        FailureKind::Network => (Cause::AwsUnreachable, "AWS could not be reached"),
        FailureKind::Unavailable => (
            Cause::AwsUnavailable,
            "AWS answered with a fault of its own",
        ),
        FailureKind::Nonsense => (Cause::AwsAnswerUnreadable, "the answer was none of AWS's"),
        _ => (Cause::AwsRejected, "AWS did not accept the request"),
    };
    Finding::new(
        cause,
        "AWS gave no usable answer",
        &format!("We tried to {to}, and {why}. This proves nothing about the settings."),
        "Check again in a moment. If it stays, tell the operator.",
    )
}
