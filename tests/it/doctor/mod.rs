//! The policy doctor.

mod api;
mod by_credentials;
mod cases;
mod documentation;
mod rendered;
mod seeds;
mod text;
mod trust;

use crate::domain::connection::access::Auth;
use crate::domain::doctor::expected::{Expected, RightDocuments};
use crate::domain::doctor::finding::{DocumentKind, Finding};
use crate::domain::doctor::{Pasted, examine};
use crate::domain::policy_document::DocumentParameters;
use crate::it::documents::rendering::{parameters, render};

/// What Sallyport expects of a customer's documents.
pub fn expected(parameters: &DocumentParameters) -> Expected {
    let documents = render(parameters);
    Expected {
        partition: parameters.partition,
        bucket: Some(parameters.bucket.clone()),
        prefix: parameters.prefix.clone(),
        lifecycle_folders: parameters.lifecycle_folders.clone(),
        grants: parameters.grants,
        auth: Auth::Role,
        role: parameters.role_arn.clone(),
        kms_key: parameters.kms_key.clone(),
        region: parameters.region,
        bucket_account: None,
        principal: Some(parameters.service_principal.clone()),
        external_id: Some(parameters.external_id.to_string()),
        other_external_ids: vec!["11111111-2222-4333-8444-555555555555".into()],
        origins: parameters.allowed_origins.clone(),
        right: RightDocuments {
            trust_policy: documents.trust_policy,
            bucket_policy: documents.bucket_policy,
            cors: documents.cors,
        },
    }
}

/// The usual customer of `rendering::parameters`.
pub fn usual() -> Expected {
    expected(&parameters(
        crate::domain::connection::account::Partition::Aws,
    ))
}

pub fn look(kind: DocumentKind, text: &str, expected: &Expected) -> Vec<Finding> {
    let text = text.to_owned();
    examine(&[Pasted { kind, text }], expected)
}

/// The codes with their severities, like `error action_not_granted`.
pub fn codes(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{} {}", finding.severity.as_str(), finding.code.as_str()))
        .collect()
}

/// The only finding of a code.
pub fn only<'a>(findings: &'a [Finding], code: &str) -> &'a Finding {
    let of_code: Vec<_> = findings
        .iter()
        .filter(|f| f.code.as_str() == code)
        .collect();
    match of_code[..] {
        [one] => one,
        _ => panic!("{code}: {findings:#?}"),
    }
}
