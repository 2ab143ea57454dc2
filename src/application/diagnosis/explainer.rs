//! From a failed call of a file operation to the answer, with the cause's words.

use crate::application::bucket::read::BucketResult;
use crate::application::connections::principal::PrincipalSource;
use crate::application::diagnosis::answer::answer;
use crate::application::diagnosis::evidence::Looks;
use crate::application::diagnosis::subject::Subject;
use crate::application::error::{Diagnosis, Error, Kind, Result};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::cause::entry::{Bearing, Side};
use crate::domain::check::problem::{Evidence, StepProblem};
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::file_operation::{FileOperation, Permission};
use crate::domain::ids::StorageRef;
use crate::domain::policy_document::PolicyTemplates;
use std::sync::Arc;

/// Turns the failures of calls to AWS and to stores into errors. Nothing else does: what a failure means is
/// decided where the check decides it, and said in the same words.
#[derive(Clone)]
pub struct Explainer {
    policies: Arc<PolicyTemplates>,
    principal: Arc<PrincipalSource>,
}

impl Explainer {
    pub fn new(policies: Arc<PolicyTemplates>, principal: Arc<PrincipalSource>) -> Self {
        Self {
            policies,
            principal,
        }
    }

    /// What a call of this operation answered, with its failure explained.
    pub async fn explain<T>(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        answered: BucketResult<T>,
    ) -> Result<T> {
        match answered {
            Ok(value) => Ok(value),
            Err(failure) => Err(self.error(bucket, operation, failure).await),
        }
    }

    /// The answer to a failure of this operation.
    pub async fn error(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        failure: AwsFailure,
    ) -> Error {
        if let Some(error) = Error::of_request(&failure) {
            return error;
        }
        // A refused role is shown with the trust policy that lets the service in.
        let is_refused_role = is_of_role(&failure) && failure.kind == FailureKind::AccessDenied;
        let subject = Subject {
            policies: &self.policies,
            connection: &bucket.connection,
            principal: match is_refused_role {
                true => self.principal.known().await,
                false => None,
            },
            origins: &[],
        };
        explained(&subject, &bucket.owner, operation, failure)
    }
}

fn is_of_role(failure: &AwsFailure) -> bool {
    failure.operation == "AssumeRole"
}

fn explained(
    subject: &Subject<'_>,
    owner: &Owner,
    operation: FileOperation,
    failure: AwsFailure,
) -> Error {
    let cause = match is_of_role(&failure) {
        true => subject.of_role(&failure, &Looks::default()),
        false => {
            let needed = needed(operation, &failure);
            subject.of_failure(needed.map(|permission| permission.action), &failure)
        }
    };
    let Some((kind, code)) = answer(&cause, subject.side(&cause)) else {
        return Error::bug(format!("{failure} is taken for `{}`", cause.code()));
    };
    let mut problem = subject.problem_of(&cause);
    problem.evidence = evidence(subject, &failure);
    let said = said(&problem, operation);
    let own_remedy = Some(remedy_for_everybody(&problem, kind));
    let mut error = Error::new(kind, code, said.for_everybody).of_call(&failure);
    error.remedy = own_remedy;
    error.diagnosis = Some(Box::new(Diagnosis {
        cause,
        detail: said.for_admins,
        remedy: remedy_for_admins(&problem, subject.is_built_in()),
        problem,
        storage: storage_of(owner),
    }));
    error
}

/// The answer that failed, as a check shows it. None where nothing was answered.
fn evidence(subject: &Subject<'_>, failure: &AwsFailure) -> Vec<Evidence> {
    if failure.http_status.is_none() {
        return Vec::new();
    }
    subject.shown(&[Evidence::of(failure)])
}

/// What happened, in two lengths.
struct Said {
    for_everybody: String,
    for_admins: String,
}

fn said(problem: &StepProblem, operation: FileOperation) -> Said {
    let title = &problem.title;
    let failed = format!("{} failed", capitalised(operation.to_string()));
    Said {
        for_everybody: format!("{failed}: {title}."),
        for_admins: format!("{failed}: {title}. {}", problem.explanation),
    }
}

fn capitalised(text: String) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// What to do, for those who can change the connection, or can tell who can.
fn remedy_for_admins(problem: &StepProblem, is_built_in: bool) -> String {
    let allowed: Vec<String> = problem
        .missing
        .iter()
        .map(|one| format!("{} on {}", one.action, one.resource))
        .collect();
    let remedy = match allowed.is_empty() {
        true => problem.remedy.clone(),
        // Not every reader of the answer shows a statement beside it.
        false => format!(
            "{} It must allow {}.",
            problem.remedy,
            allowed.join(" and ")
        ),
    };
    match is_built_in && problem.side == Some(Side::Service) {
        true => format!("The bucket is the operator's: send them the request ID. {remedy}"),
        false => remedy,
    }
}

/// What to do, for those who cannot change the connection.
fn remedy_for_everybody(problem: &StepProblem, kind: Kind) -> String {
    // About the file, or a fault that passes.
    if kind == Kind::Conflict || problem.bearing == Bearing::Passing {
        return problem.remedy.clone();
    }
    match problem.side {
        Some(Side::Service) => {
            "Send the operator the request ID: nobody of the workspace can change this."
        }
        Some(
            Side::CustomerAccount
            | Side::CustomerOrganization
            | Side::Settings
            | Side::Aws
            | Side::Network,
        )
        | None => {
            "Ask an admin of the workspace to check the storage: the report says what to change."
        }
    }
    .to_owned()
}

fn storage_of(owner: &Owner) -> Option<StorageRef> {
    match owner {
        Owner::Storage(_, storage) | Owner::Pending(_, storage) => {
            Some(StorageRef::Own(storage.clone()))
        }
        Owner::Setup(..) | Owner::BuiltIn(_) => None,
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
