//! From a failed call of the check to its cause, with the documents that remove it.

use crate::application::bucket::probe::Preflight;
use crate::application::diagnosis::finding::{Finding, UNKNOWN_KEY};
use crate::domain::aws_failure::{AssumeRoleRefusal, AwsFailure, FailureKind};
use crate::domain::cause::{Cause, NotProven};
use crate::domain::check::MissingPermission;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::files::object_key::ObjectKey;
use crate::domain::origin::Origin;
use crate::domain::policy_document::PolicyTemplates;

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
        self.with_trust_policy(Cause::RoleRefused {
            account: account.map(|principal| principal.account().to_string()),
            role,
            external_id,
        })
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

    pub(crate) fn location_not_permitted(&self, found: Option<Region>) -> Finding {
        self.with_statement(
            Cause::LocationNotPermitted { found },
            "s3:GetBucketLocation",
        )
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
        Finding::of(Cause::of_bucket(self.connection.bucket.as_str(), failure))
    }

    /// Why a call that needs `action` failed.
    pub(crate) fn denied_or_failed(&self, action: &str, failure: &AwsFailure) -> Finding {
        if failure.kind == FailureKind::AccessDenied {
            let cause = Cause::PermissionMissing {
                action: action.to_owned(),
                denial: failure.denial,
            };
            self.with_statement(cause, action)
        } else if failure.kind == FailureKind::KmsDenied {
            let action = if action == "s3:PutObject" {
                "kms:GenerateDataKey"
            } else {
                "kms:Decrypt"
            };
            self.with_statement(Cause::KmsPermissionMissing { action }, action)
        } else {
            self.bucket_failed(failure)
        }
    }

    /// Why the probe object was not deleted. `left`: it is still in the bucket.
    pub(crate) fn not_deleted(&self, failure: &AwsFailure, left: Option<&ObjectKey>) -> Finding {
        let mut finding = self.denied_or_failed("s3:DeleteObject", failure);
        if let Some(key) = left {
            finding.problem.explanation.push_str(&format!(
                " The probe object `{}` is still in the bucket; the lifecycle rule removes it after 7 days.",
                key.as_str()
            ));
        }
        finding
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

    /// With the permission that is missing, and the statement that grants it.
    fn with_statement(&self, cause: Cause, action: &str) -> Finding {
        let connection = self.connection;
        let (partition, settings) = (connection.partition(), &connection.settings);
        let resource = self.policies.resource_for(
            partition,
            &connection.bucket,
            &settings.prefix,
            action,
            settings.kms_key.as_ref(),
        );
        let statement = self.policies.statement_for(
            partition,
            &connection.bucket,
            &settings.prefix,
            action,
            settings.kms_key.as_ref(),
        );
        let mut finding = Finding::of(cause).with_patch(statement);
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

fn assume_role_failed(failure: &AwsFailure) -> Cause {
    match failure.error_code.as_deref() {
        Some("RegionDisabledException") => Cause::StsRegionDisabled,
        Some("PackedPolicyTooLarge" | "MalformedPolicyDocument") => Cause::SessionPolicyRejected,
        Some(_) | None if failure.kind == FailureKind::BadCredentials => {
            Cause::ServiceCredentialsRejected
        }
        Some(_) | None => Cause::NotAnswered {
            attempt: "assume the role",
            why: failure.kind.into(),
        },
    }
}
