//! `/v1/storage-setups/{id}/doctor`, `/v1/storages/{id}/doctor`

use crate::application::closed_sets;
use crate::application::error::Result;
use crate::domain::check::patch::Patch;
use crate::domain::doctor::Pasted;
use crate::domain::doctor::finding::{DocumentKind, Finding};
use crate::domain::ids::{SetupId, StorageRef};
use crate::http::body::Body;
use crate::http::caller::AdminCaller;
use crate::http::declare::asks;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::post;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The largest request, in bytes: every document as large as AWS takes it, a few times over.
const LIMIT: usize = 512 << 10;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(asks(examine_setup_documents))
        .service(asks(examine_storage_documents));
}

/// Documents as somebody has them: each as a text, or as the JSON value itself. A text is read as it is, with
/// comments and all; a value as if it were written with an indentation of two spaces.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DoctorDocuments)]
struct DoctorInput {
    /// What the role may do.
    #[serde(default)]
    permission_policy: Option<Value>,
    /// Who may assume the role.
    #[serde(default)]
    trust_policy: Option<Value>,
    #[serde(default)]
    bucket_policy: Option<Value>,
    /// The bucket's CORS configuration.
    #[serde(default)]
    cors: Option<Value>,
    /// The policy of the KMS key.
    #[serde(default)]
    key_policy: Option<Value>,
}

impl DoctorInput {
    fn documents(self) -> Vec<Pasted> {
        let given = [
            (DocumentKind::PermissionPolicy, self.permission_policy),
            (DocumentKind::TrustPolicy, self.trust_policy),
            (DocumentKind::BucketPolicy, self.bucket_policy),
            (DocumentKind::Cors, self.cors),
            (DocumentKind::KeyPolicy, self.key_policy),
        ];
        given
            .into_iter()
            .filter_map(|(kind, value)| {
                let text = match value? {
                    Value::String(text) => text,
                    // Writing a value into a text cannot fail.
                    value => format!("{value:#}"),
                };
                Some(Pasted { kind, text })
            })
            .collect()
    }
}

/// What was found, in the order of the documents.
#[derive(Serialize, ToSchema)]
#[schema(as = DoctorFindings)]
struct FindingsBody {
    findings: Vec<FindingBody>,
}

/// One thing that the doctor found.
#[derive(Serialize, ToSchema)]
#[schema(as = DoctorFinding)]
pub struct FindingBody {
    /// `error`: the connection cannot work; `security`: it works and lets more in than meant; `warning`: it works,
    /// with a surprise; `note`.
    #[schema(example = "error")]
    severity: &'static str,
    #[schema(value_type = closed_sets::AnyFindingCode)]
    code: &'static str,
    /// The key of the request.
    #[schema(example = "permission_policy")]
    document: &'static str,
    /// A JSON Pointer; empty for the whole document.
    #[schema(example = "/Statement/0/Resource/1")]
    path: String,
    /// From 1.
    line: usize,
    /// From 1, in characters; a byte order mark counts as nothing.
    column: usize,
    title: String,
    explanation: String,
    remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    patch: Option<Patch>,
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code.as_str(),
            document: finding.document.as_str(),
            path: finding.place.path,
            line: finding.place.at.line,
            column: finding.place.at.column,
            title: finding.title,
            explanation: finding.explanation,
            remedy: finding.remedy,
            patch: finding.patch,
        }
    }
}

fn body(findings: Vec<Finding>) -> Json<FindingsBody> {
    Json(FindingsBody {
        findings: findings.into_iter().map(FindingBody::from).collect(),
    })
}

/// Examine documents for a setup
///
/// Compares policies and CORS rules that somebody has with what the setup needs, as far as it is filled in. Asks AWS
/// nothing and changes nothing.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    request_body = DoctorInput,
    responses(
        (status = 200, description = "What was found; nothing, for correct documents", body = FindingsBody),
        (status = 413, description = "A document is larger than is read"),
    ),
)]
#[post("/v1/storage-setups/{setup_id}/doctor")]
async fn examine_setup_documents(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    input: Body<DoctorInput, LIMIT>,
) -> Result<Json<FindingsBody>> {
    let documents = input.value.documents();
    let findings = services.doctor.of_setup(&admin.0, &id.0, documents).await?;
    Ok(body(findings))
}

/// Examine documents for a storage
///
/// As for a setup, with the connection that the storage uses.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = DoctorInput,
    responses(
        (status = 200, description = "What was found; nothing, for correct documents", body = FindingsBody),
        (status = 413, description = "A document is larger than is read"),
    ),
)]
#[post("/v1/storages/{storage_id}/doctor")]
async fn examine_storage_documents(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    input: Body<DoctorInput, LIMIT>,
) -> Result<Json<FindingsBody>> {
    let documents = input.value.documents();
    let findings = services
        .doctor
        .of_storage(&admin.0, &id.0, documents)
        .await?;
    Ok(body(findings))
}
