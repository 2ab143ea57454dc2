//! From a failed call of a file operation to the answer, with the cause's words and members.

use crate::application::diagnosis::subject::Subject;
use crate::application::error::Error;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::cause::Cause;
use crate::domain::check::problem::{Evidence, StepProblem};
use crate::domain::connection::{ConnectedBucket, Connection, Credentials};
use crate::domain::files::file_operation::{FileOperation, Permission};
use crate::domain::policy_document::PolicyTemplates;
use serde_json::{Value, json};
use std::sync::Arc;

/// Turns an AWS failure into the client's error.
#[derive(Clone)]
pub struct Denials {
    policies: Arc<PolicyTemplates>,
}

impl Denials {
    pub fn new(policies: Arc<PolicyTemplates>) -> Self {
        Self { policies }
    }

    /// The answer to a failure of this operation. What the customer's side, or the operator's, must change has
    /// the cause's words and the members of a step's problem.
    pub fn error(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        failure: AwsFailure,
    ) -> Error {
        let connection = &bucket.connection;
        let is_explained = match failure.kind {
            FailureKind::AccessDenied | FailureKind::KmsDenied | FailureKind::KmsUnusable => {
                failure.operation != "AssumeRole"
            }
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
            | FailureKind::ListingIncomplete => false,
        };
        if !is_explained {
            return error_of(connection, failure);
        }
        let subject = Subject {
            policies: &self.policies,
            connection,
            principal: None,
            origins: &[],
        };
        let needed = needed(operation, &failure);
        let cause = subject.of_failure(needed.map(|permission| permission.action), &failure);
        let mut problem = subject.problem_of(&cause);
        problem.evidence = subject.shown(&[Evidence::of(&failure)]);
        let policy = subject.caller().policy();
        explained(
            error_of(connection, failure),
            operation,
            policy,
            &cause,
            problem,
        )
    }
}

/// The permission whose lack explains the failure: the one that AWS names, or else the one that the failed call
/// needs. `None`: several may, and AWS names none.
fn needed(operation: FileOperation, failure: &AwsFailure) -> Option<Permission> {
    let needed = operation.permissions();
    let denial = failure.denial.as_deref();
    let named = denial.and_then(|denial| denial.action.as_deref());
    let by_call = || match failure.operation {
        "HeadObject" | "GetObject" => needed.iter().find(|p| p.action.starts_with("s3:Get")),
        "DeleteObject" => needed.iter().find(|p| p.action.starts_with("s3:Delete")),
        _ => match needed {
            [one, ..] => Some(one),
            [] => None,
        },
    };
    let named = named.and_then(|named| needed.iter().find(|needed| needed.action == named));
    named.or_else(by_call).copied()
}

fn explained(
    mut error: Error,
    operation: FileOperation,
    policy: &str,
    cause: &Cause,
    problem: StepProblem,
) -> Error {
    error.detail = format!(
        "The storage does not permit {operation}. {}",
        problem.explanation
    );
    let allowed: Vec<String> = problem
        .missing
        .iter()
        .map(|one| format!("{} on {}", one.action, one.resource))
        .collect();
    // There is no page beside the answer that shows a statement.
    error.remedy = Some(match allowed.is_empty() {
        true => problem.remedy.clone(),
        false => format!("Let {policy} allow {}.", allowed.join(" and ")),
    });
    let members = &mut error.members;
    members.insert("cause".to_owned(), json!(cause.code()));
    let whole = serde_json::to_value(&problem).unwrap_or_default();
    for name in [
        "certainty",
        "side",
        "causes",
        "evidence",
        "missing",
        "patch",
        "learn_more",
    ] {
        match whole.get(name) {
            Some(Value::Null) | None => {}
            Some(value) => {
                members.insert(name.to_owned(), value.clone());
            }
        }
    }
    error
}

/// The error for the failure itself, by whose bucket it is.
fn error_of(connection: &Connection, failure: AwsFailure) -> Error {
    match connection.credentials {
        Credentials::Service => Error::of_own_bucket(failure),
        Credentials::Role { .. } | Credentials::AccessKey { .. } => Error::from(failure),
    }
}
