//! From a failed call of the check to its cause, with the documents that remove it.

use crate::application::bucket::probe::Preflight;
use crate::application::diagnosis::finding::{Finding, UNKNOWN_KEY};
use crate::domain::aws_code::{StsCode, shown};
use crate::domain::aws_failure::{
    AssumeRoleRefusal, AwsFailure, DenialReason, FailureKind, PolicyEffect, PolicyKind,
};
use crate::domain::cause::denied::{DeniedAction, DeniedKey, is_missing_permission};
use crate::domain::cause::probe::{ProbeDifference, ProbeLeft};
use crate::domain::cause::role::RoleRefusal;
use crate::domain::cause::sts::PolicyComplaint;
use crate::domain::cause::{Cause, NotProven};
use crate::domain::check::MissingPermission;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::files::object_key::ObjectKey;
use crate::domain::origin::Origin;
use crate::domain::policy_document::PolicyTemplates;
use serde_json::json;

pub(crate) struct Explain<'a> {
    pub(crate) policies: &'a PolicyTemplates,
    pub(crate) connection: &'a Connection,
    pub(crate) principal: Option<ServicePrincipal>,
    pub(crate) origins: &'a [Origin],
}

impl Explain<'_> {
    /// Why our own AssumeRole failed.
    pub(crate) fn role_refused(&self, failure: &AwsFailure) -> Finding {
        match failure.assume_role_refusal() {
            None => return Finding::of(assume_role_failed(failure)),
            Some(AssumeRoleRefusal::Service(by)) => {
                return Finding::of(Cause::ServiceNotPermitted(by));
            }
            Some(AssumeRoleRefusal::Role | AssumeRoleRefusal::Unknown) => {}
        }
        let (role, external_id) = self.role_and_external_id();
        let account = self.principal.as_ref();
        let why = role_refusal(failure.reason());
        let cause = Cause::RoleRefused {
            account: account.map(|principal| principal.account().to_string()),
            role,
            external_id,
            why,
        };
        match why {
            RoleRefusal::NotSaid | RoleRefusal::NoStatement | RoleRefusal::Unrecognised => {
                self.with_trust_policy(cause)
            }
            // Another statement that allows does not lift it.
            RoleRefusal::ExplicitDeny | RoleRefusal::ResourceControl => Finding::of(cause),
        }
    }

    pub(crate) fn accepts_missing_external_id(&self) -> Finding {
        let (role, external_id) = self.role_and_external_id();
        self.with_trust_policy(Cause::RoleAcceptsMissingExternalId { role, external_id })
    }

    /// `nearly`: only an ID that differs from the own one in a single digit was accepted.
    pub(crate) fn accepts_wrong_external_id(&self, nearly: bool) -> Finding {
        let (role, external_id) = self.role_and_external_id();
        self.with_trust_policy(Cause::RoleAcceptsWrongExternalId {
            role,
            external_id,
            nearly,
        })
    }

    pub(crate) fn refusal_not_proven(&self, why: NotProven) -> Finding {
        Finding::of(Cause::RefusalNotProven(why))
    }

    pub(crate) fn location_not_supported(&self) -> Finding {
        Finding::of(Cause::LocationNotSupported)
    }

    pub(crate) fn region_differs(&self, entered: Region, found: Region) -> Finding {
        Finding::of(Cause::RegionDiffers { entered, found })
    }

    pub(crate) fn location_not_permitted(
        &self,
        found: Option<Region>,
        failure: &AwsFailure,
    ) -> Finding {
        let finding = Finding::of(Cause::LocationNotPermitted { found });
        // A statement that allows it helps where there is none; nothing claims more.
        match is_missing_permission(failure.reason()) {
            true => self.with_statement(finding, "s3:GetBucketLocation", None),
            false => finding,
        }
    }

    pub(crate) fn another_owner(&self) -> Finding {
        let account = self.connection.expected_owner().map(ToString::to_string);
        Finding::of(Cause::BucketOwnedByAnotherAccount {
            bucket: self.connection.bucket.to_string(),
            account: account.unwrap_or_default(),
            is_named: self.connection.settings.bucket_account.is_some(),
        })
    }

    /// Why a call that needs no permission of its own failed.
    pub(crate) fn bucket_failed(&self, failure: &AwsFailure) -> Finding {
        Finding::of(Cause::of_bucket(
            self.connection.bucket.as_str(),
            self.connection.credentials.auth(),
            failure,
        ))
    }

    /// Why a call that needs `action` failed.
    pub(crate) fn denied_or_failed(&self, action: &str, failure: &AwsFailure) -> Finding {
        match failure.kind {
            FailureKind::AccessDenied => self.of_denied(action, failure, Cause::ActionDenied),
            FailureKind::KmsDenied => self.key_denied(action, failure),
            FailureKind::BadCredentials
            | FailureKind::ClockSkew
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::ObjectLocked
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::InvalidRequest
            | FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::ForbiddenAddress
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => self.bucket_failed(failure),
        }
    }

    /// A denied action. The one that AWS names counts, where it is one of S3.
    fn denied(&self, action: &str, failure: &AwsFailure) -> DeniedAction {
        let denial = failure.denial.as_deref();
        let named = denial.and_then(|denial| denial.action.as_deref());
        let action = named
            .filter(|named| named.starts_with("s3:") && named.len() < 50)
            .unwrap_or(action);
        DeniedAction::of(self.connection, action.to_owned(), failure)
    }

    /// What is found of a denied action, with the statement that allows it where that lifts the denial.
    fn of_denied(
        &self,
        action: &str,
        failure: &AwsFailure,
        cause: impl FnOnce(DeniedAction) -> Cause,
    ) -> Finding {
        let denied = self.denied(action, failure);
        let is_missing = denied.is_missing_permission();
        let finding = Finding::of(cause(denied));
        match is_missing {
            true => self.with_statement(finding, action, None),
            false => finding,
        }
    }

    fn key_denied(&self, action: &str, failure: &AwsFailure) -> Finding {
        let denial = failure.denial.as_deref();
        let named = denial.and_then(|denial| denial.action.as_deref());
        let action = match (named, action) {
            (Some("kms:Decrypt"), _) => "kms:Decrypt",
            (Some("kms:GenerateDataKey"), _) | (_, "s3:PutObject") => "kms:GenerateDataKey",
            _ => "kms:Decrypt",
        };
        let key = denial
            .and_then(|denial| denial.resource.as_deref())
            .and_then(|arn| KmsKeyArn::parse(arn).ok());
        let entered = self.connection.settings.kms_key.as_ref();
        let cause = Cause::KeyDenied(DeniedKey {
            action,
            reason: failure.reason(),
            key: key.as_ref().map(|key| key.as_str().to_owned()),
            entered: entered.map(|key| key.as_str().to_owned()),
        });
        let finding = Finding::of(cause);
        match is_missing_permission(failure.reason()) {
            true => self.with_statement(finding, action, key.as_ref().or(entered)),
            false => finding,
        }
    }

    /// The prefix can be listed, and a folder below it cannot.
    pub(crate) fn folders_not_listed(&self, folder: &str, failure: &AwsFailure) -> Finding {
        const ACTION: &str = "s3:ListBucket";
        if failure.kind != FailureKind::AccessDenied {
            return self.bucket_failed(failure);
        }
        self.of_denied(ACTION, failure, |denied| Cause::FoldersNotListed {
            denied,
            prefix: self.connection.settings.prefix.to_string(),
            folder: folder.to_owned(),
        })
    }

    /// An action of the documents was denied that the connection works without. `None`: it was not denied.
    pub(crate) fn optional_denied(
        &self,
        action: &str,
        without: &'static str,
        failure: &AwsFailure,
    ) -> Option<Finding> {
        // A store that gives no reason may not have the operation at all.
        if failure.kind != FailureKind::AccessDenied || failure.reason() == DenialReason::NotGiven {
            return None;
        }
        Some(
            self.of_denied(action, failure, |denied| Cause::OptionalActionDenied {
                denied,
                without,
            }),
        )
    }

    pub(crate) fn probe_differs(&self, how: ProbeDifference) -> Finding {
        Finding::of(Cause::ProbeDiffers(how))
    }

    /// Why the probe object was not deleted. `left`: it is still in the bucket.
    pub(crate) fn not_deleted(&self, failure: &AwsFailure, left: Option<&ObjectKey>) -> Finding {
        let mut finding = self.denied_or_failed("s3:DeleteObject", failure);
        if let Some(key) = left {
            finding.problem.explanation.push_str(&format!(
                " The probe file `{}` is still in the bucket. The next check removes it, if it may; the rule of the lifecycle document does so after 7 days, where the bucket has it.",
                key.as_str()
            ));
        }
        finding
    }

    /// Versions of the probe object are still there, and why.
    pub(crate) fn probe_left(
        &self,
        key: &ObjectKey,
        versions: Vec<String>,
        failure: &AwsFailure,
    ) -> Finding {
        const ACTION: &str = "s3:DeleteObjectVersion";
        let denied = self.denied(ACTION, failure);
        let is_missing =
            failure.kind == FailureKind::AccessDenied && denied.is_missing_permission();
        let why = match failure.kind {
            FailureKind::ObjectLocked => ProbeLeft::Locked(failure.lock()),
            FailureKind::AccessDenied => ProbeLeft::Denied(denied),
            FailureKind::KmsDenied
            | FailureKind::BadCredentials
            | FailureKind::ClockSkew
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::InvalidRequest
            | FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::ForbiddenAddress
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => {
                ProbeLeft::Answered(shown(failure.error_code.as_deref().unwrap_or_default()))
            }
        };
        let cause = Cause::ProbeLeft {
            key: key.as_str().to_owned(),
            versions,
            why,
        };
        let finding = Finding::of(cause);
        match is_missing {
            true => self.with_probe_statement(finding, ACTION),
            false => finding,
        }
    }

    /// The statement for the check's own files alone.
    fn with_probe_statement(&self, mut finding: Finding, action: &str) -> Finding {
        let (connection, settings) = (self.connection, &self.connection.settings);
        let objects = self.policies.resource_for(
            connection.partition(),
            &connection.bucket,
            &settings.prefix,
            "s3:GetObject",
            None,
        );
        let Some(objects) = objects else {
            return finding;
        };
        let below = objects.strip_suffix('*').unwrap_or(&objects);
        let resource = format!("{below}temp/sallyport-check-*");
        finding.problem.missing = vec![MissingPermission {
            action: action.to_owned(),
            resource: resource.clone(),
        }];
        finding.with_patch(Some(json!({
            "Effect": "Allow",
            "Action": [action],
            "Resource": [resource],
        })))
    }

    pub(crate) fn cors_refused(&self, refused: &[&Preflight]) -> Finding {
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
        let cause = Cause::CorsNotAllowed {
            bucket: self.connection.bucket.to_string(),
            refused: list.join("; "),
        };
        let cors = self.policies.cors(
            self.connection.settings.access,
            self.origins,
            self.connection.credentials.external_id(),
        );
        Finding::of(cause).with_patch(cors.ok())
    }

    fn with_trust_policy(&self, cause: Cause) -> Finding {
        let external_id = self.connection.credentials.external_id();
        let patch = external_id.zip(self.principal.as_ref());
        let patch =
            patch.and_then(|(id, principal)| self.policies.trust_policy(principal, id).ok());
        Finding::of(cause).with_patch(patch)
    }

    /// With the permission that is missing, and the statement that grants it. `key`: the key that an action
    /// of KMS is about, where it is not that of the settings.
    fn with_statement(&self, finding: Finding, action: &str, key: Option<&KmsKeyArn>) -> Finding {
        let connection = self.connection;
        let (partition, settings) = (connection.partition(), &connection.settings);
        let key = key.or(settings.kms_key.as_ref());
        let resource = self.policies.resource_for(
            partition,
            &connection.bucket,
            &settings.prefix,
            action,
            key,
        );
        let statement = self.policies.statement_for(
            partition,
            &connection.bucket,
            &settings.prefix,
            action,
            key,
        );
        // IAM refuses a policy that has the same Sid twice, and the document's own may be there already.
        let statement = statement.map(|mut statement| {
            if let Some(members) = statement.as_object_mut() {
                members.shift_remove("Sid");
            }
            statement
        });
        let mut finding = finding.with_patch(statement);
        finding.problem.missing = vec![MissingPermission {
            action: action.to_owned(),
            resource: resource.unwrap_or_else(|| UNKNOWN_KEY.to_owned()),
        }];
        finding
    }

    fn role_and_external_id(&self) -> (String, String) {
        match &self.connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => (role_arn.name().to_owned(), external_id.to_string()),
            Credentials::AccessKey { .. } | Credentials::Service => Default::default(),
        }
    }
}

fn role_refusal(reason: DenialReason) -> RoleRefusal {
    match reason {
        DenialReason::NotGiven | DenialReason::Mfa => RoleRefusal::NotSaid,
        DenialReason::By(PolicyKind::RoleTrust | PolicyKind::Resource, PolicyEffect::NoAllow) => {
            RoleRefusal::NoStatement
        }
        DenialReason::By(
            PolicyKind::RoleTrust | PolicyKind::Resource,
            PolicyEffect::ExplicitDeny,
        ) => RoleRefusal::ExplicitDeny,
        DenialReason::By(PolicyKind::ResourceControl, _) => RoleRefusal::ResourceControl,
        DenialReason::By(
            PolicyKind::Identity
            | PolicyKind::Session
            | PolicyKind::PermissionsBoundary
            | PolicyKind::ServiceControl
            | PolicyKind::VpcEndpoint,
            PolicyEffect::ExplicitDeny | PolicyEffect::NoAllow,
        )
        | DenialReason::Unrecognised => RoleRefusal::Unrecognised,
    }
}

/// STS's answer to an AssumeRole that no policy refused.
fn assume_role_failed(failure: &AwsFailure) -> Cause {
    let Some(raw) = failure.error_code.as_deref() else {
        return match failure.kind {
            FailureKind::BadCredentials => Cause::ServiceCredentialsRejected,
            FailureKind::Redirected => Cause::EndpointRedirects {
                to: failure.redirects_to().map(ToString::to_string),
            },
            kind => Cause::NotAnswered {
                attempt: "assume the role",
                why: kind.into(),
            },
        };
    };
    // STS has no code of its own for a wrong time of the signature.
    let code = match failure.kind {
        FailureKind::ClockSkew => Some(StsCode::RequestExpired),
        _ => StsCode::parse(raw),
    };
    match code {
        // One of this service's own codes, or a fault without a code that is known.
        None if failure.kind.is_transient() => Cause::NotAnswered {
            attempt: "assume the role",
            why: failure.kind.into(),
        },
        code => Cause::RoleNotAsked {
            code,
            raw: Some(raw.to_owned()),
            complaint: PolicyComplaint::of(failure.message.as_deref()),
        },
    }
}
