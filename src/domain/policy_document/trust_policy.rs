//! The trust policy: who may assume the role, and with which external ID.

use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::service_identity::ServicePrincipal;
use crate::domain::policy_document::access_policy::{Effect, PolicyVersion};
use serde::{Deserialize, Serialize};

/// A trust policy of one statement, in the shape that the IAM console makes of "Another AWS account"
/// with "Require external ID".
///
/// Invariant, by its type: the external ID is always required, by `StringEquals`. There is no way to
/// write this policy without it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct TrustPolicy<P = PrincipalSlot, E = ExternalIdSlot> {
    version: PolicyVersion,
    statement: [TrustStatement<P, E>; 1],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TrustStatement<P, E> {
    effect: Effect,
    principal: TrustPrincipal<P>,
    action: AssumeRole,
    condition: TrustCondition<E>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustPrincipal<P> {
    #[serde(rename = "AWS")]
    aws: P,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum AssumeRole {
    #[serde(rename = "sts:AssumeRole")]
    AssumeRole,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustCondition<E> {
    #[serde(rename = "StringEquals")]
    string_equals: ExternalIdKey<E>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalIdKey<E> {
    #[serde(rename = "sts:ExternalId")]
    external_id: E,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub enum PrincipalSlot {
    #[serde(rename = "{service_principal}")]
    ServicePrincipal,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub enum ExternalIdSlot {
    #[serde(rename = "{external_id}")]
    ExternalId,
}

impl TrustPolicy {
    pub fn fill(
        &self,
        principal: &ServicePrincipal,
        external_id: &ExternalId,
    ) -> TrustPolicy<String, String> {
        let [statement] = &self.statement;
        TrustPolicy {
            version: self.version,
            statement: [TrustStatement {
                effect: statement.effect,
                principal: TrustPrincipal {
                    aws: principal.arn().to_owned(),
                },
                action: statement.action,
                condition: TrustCondition {
                    string_equals: ExternalIdKey {
                        external_id: external_id.to_string(),
                    },
                },
            }],
        }
    }
}
