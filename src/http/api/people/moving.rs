//! `/v1/export` and `/v1/import`

use crate::application::bucket::body::BodyFault;
use crate::application::closed_sets;
use crate::application::error::{Error, Kind, Result};
use crate::application::moving::exports::ExportWish;
use crate::application::moving::imports::{Arriving, ImportReport};
use crate::application::moving::moves::MOST_BYTES;
use crate::application::pace::Credit;
use crate::domain::people::audit_action::AuditAction;
use crate::domain::people::export_key::ExportKey;
use crate::domain::people::import_warning::ImportWarning;
use crate::http::api::files::content::FileContent;
use crate::http::body::too_slow;
use crate::http::caller::OperatorCaller;
use crate::http::context::AuditedTarget;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        // It changes nothing here. It is in the audit log like a change, because it takes a customer's secrets away.
        .service(changes(export_workspace))
        .service(changes(import_workspace));
}

/// Lines of JSON.
const LINES: &str = "application/x-ndjson";

/// What is exported.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The workspace's ID, or the product's own ID of it.
    #[param(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e", max_length = 128)]
    workspace_id: String,
    /// Which key opens the file: the master key of this service, or the transfer key that it shares with another one.
    #[param(inline, value_type = Option<closed_sets::ExportKeyName>)]
    sealed_with: Option<String>,
    /// `false`: secrets of access keys and webhooks stay here, and have to be entered again after the import.
    #[param(default = true)]
    secrets: Option<bool>,
}

/// How a file is imported.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// `true`: says what would be stored, or why it would not be, and stores nothing.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// What has come in with a workspace's file.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedWorkspace)]
struct ImportedBody {
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: String,
    #[schema(example = "Acme")]
    name: String,
    /// Whether nothing was stored, because only that was asked.
    dry_run: bool,
    /// Tells the file from others.
    #[schema(example = "019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    export_id: String,
    #[schema(value_type = time::OffsetDateTime)]
    exported_at: String,
    imported: ImportedCounts,
    left_out: LeftOutCounts,
    secrets_needed: SecretsNeededBody,
    warnings: Vec<WarningBody>,
}

/// How many of each came in.
#[derive(Serialize, ToSchema)]
struct ImportedCounts {
    /// They work as before.
    tokens: u64,
    storage_setups: u64,
    storages: u64,
    /// Changes of storages that wait for their check.
    pending_changes: u64,
    /// Reports of checks.
    checks: u64,
    projects: u64,
    project_files: u64,
    /// Imports of projects that go on here.
    project_imports: u64,
    webhooks: u64,
    origins: u64,
    usage_days: u64,
}

/// How many of each stayed at the service that wrote the file.
#[derive(Serialize, ToSchema)]
struct LeftOutCounts {
    /// People sign in again.
    sessions: u64,
    /// Sign-in links, and links for AWS administrators. New ones are made here.
    links: u64,
    events: u64,
    audit_events: u64,
}

/// What the file did not have, and somebody has to enter or make again. IDs.
#[derive(Serialize, ToSchema)]
#[schema(as = SecretsNeeded)]
struct SecretsNeededBody {
    /// They are `broken` with the code `credentials_lost` until their secret access key is entered again.
    #[schema(example = json!(["sto_019a1f0e7c1b7d439a520c8c2f6f6b1e"]))]
    storages: Vec<String>,
    /// Storages whose waiting change has an access key.
    #[schema(example = json!([]))]
    pending_changes: Vec<String>,
    /// Open setups by access key.
    #[schema(example = json!([]))]
    storage_setups: Vec<String>,
    /// They are disabled until another secret is made.
    #[schema(example = json!([]))]
    webhooks: Vec<String>,
}

/// What the operator has to look at.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportWarning)]
struct WarningBody {
    #[schema(value_type = closed_sets::ImportWarningCode)]
    code: &'static str,
    #[schema(example = "The workspace is suspended, as it was.")]
    detail: String,
}

impl From<ImportWarning> for WarningBody {
    fn from(warning: ImportWarning) -> Self {
        let code = warning.code();
        let detail = match warning {
            ImportWarning::PrincipalDiffers { theirs, ours } => format!(
                "The trust policies of the customers' roles name {theirs}, and this service is {ours}. Their roles let it in when `SALLYPORT_SERVICE_PRINCIPAL` and the credentials of this service are of that principal, or when the customers change their trust policies."
            ),
            ImportWarning::PrincipalUnknown => "One of the two services did not know its AWS identity, so it is not known whether the customers' roles trust this one.".to_owned(),
            ImportWarning::BuiltInStorage { projects } => format!(
                "{projects} projects have files in the built-in storage, which has another bucket here. The files themselves have not moved."
            ),
            ImportWarning::Suspended => "The workspace is suspended, as it was. `PATCH /v1/workspaces/{id}` with `\"state\": \"active\"` lets it work.".to_owned(),
        };
        Self { code, detail }
    }
}

impl ImportedBody {
    fn of(report: &ImportReport, dry_run: bool) -> Self {
        let count = |of: &BTreeMap<String, u64>, table: &str| of.get(table).copied().unwrap_or(0);
        let rows = |table| count(&report.rows, table);
        let left = |table| count(&report.left_out, table);
        let needed = report.needed.clone();
        Self {
            workspace_id: report.workspace.to_string(),
            name: report.name.clone(),
            dry_run,
            export_id: report.export_id.clone(),
            exported_at: report.exported_at.clone(),
            imported: ImportedCounts {
                tokens: rows("api_tokens"),
                storage_setups: rows("setups"),
                storages: rows("storages"),
                pending_changes: rows("pending_connections"),
                checks: rows("checks"),
                projects: rows("projects"),
                project_files: rows("project_files"),
                project_imports: rows("jobs"),
                webhooks: rows("webhooks"),
                origins: rows("workspace_origins"),
                usage_days: rows("usage_days"),
            },
            left_out: LeftOutCounts {
                sessions: left("sessions"),
                links: left("sign_in_links") + left("instruction_links"),
                events: left("events"),
                audit_events: left("audit_log"),
            },
            secrets_needed: SecretsNeededBody {
                storages: needed.storages,
                pending_changes: needed.pending_changes,
                storage_setups: needed.storage_setups,
                webhooks: needed.webhooks,
            },
            warnings: report.warnings.iter().cloned().map(Into::into).collect(),
        }
    }
}

/// Export a workspace
///
/// Everything of it as it is at this moment, in a file of lines of JSON: tokens (as hashes), setups and storages with
/// their external IDs, projects with their files, webhooks, origins, limits and what was used. All but the first line
/// is encrypted, so the file opens only where that key is. `POST /v1/import` takes it. A file whose last line has no
/// `end` broke off. Suspend the workspace first where it is to move.
#[utoipa::path(
    tag = "Workspaces",
    params(ExportQuery),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/x-ndjson", headers(("Content-Disposition" = String, description = "A name for the file"))),
        (status = 404, description = "There is no such workspace"),
        (status = 409, description = "`transfer_key_missing`"),
        (status = 429, description = "`too_many_moves`"),
    ),
)]
#[get("/v1/export")]
async fn export_workspace(
    _: OperatorCaller,
    services: Data<Services>,
    query: Query<ExportQuery>,
) -> Result<HttpResponse> {
    let sealed_with = query.0.sealed_with.as_deref().map(ExportKey::parse);
    let sealed_with = sealed_with
        .transpose()
        .map_err(|invalid| Error::field("sealed_with", invalid))?;
    let wish = ExportWish {
        sealed_with: sealed_with.unwrap_or(ExportKey::MasterKey),
        with_secrets: query.0.secrets.unwrap_or(true),
    };
    let export = services
        .people
        .moves
        .export(&query.0.workspace_id, wish)
        .await?;
    let workspace = export.workspace.to_string();
    let name = format!("attachment; filename=\"sallyport-{workspace}.ndjson\"");
    let lines = stream::unfold(export, |mut export| async move {
        let line = export.next().await?;
        Some((line, export))
    });
    let mut response = HttpResponse::Ok()
        .content_type(LINES)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(lines);
    response.extensions_mut().insert(AuditedTarget(workspace));
    Ok(response)
}

/// Import a workspace
///
/// Takes the file of an export and stores all of it or nothing: the same IDs, the same external IDs, so that the
/// customers change nothing in AWS. It is read to its end before anything is stored. Storages are used at once by the
/// connection that was proved; their health is `unknown` until their first check here, which is due at once. A workspace
/// that is here already is never overwritten. The audit log calls it `import_workspace`, and with `dry_run=true`
/// `import_workspace_dry_run`.
#[utoipa::path(
    tag = "Workspaces",
    params(
        ImportQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key and file make nothing new."),
    ),
    request_body(content = inline(FileContent), content_type = "application/octet-stream", description = "The file of `GET /v1/export`. Any other `Content-Type` is taken too."),
    responses(
        (status = 200, description = "With `dry_run=true`: what would be stored", body = ImportedBody),
        (status = 201, description = "Stored", body = ImportedBody, headers(("Location" = String, description = "The workspace's path"))),
        (status = 409, description = "`workspace_exists`, `workspace_erased`, `external_id_taken`, `import_external_id_in_use`, `import_conflict`"),
        (status = 422, description = "`export_malformed`, `export_altered`, `export_incomplete`, `export_other_version`, `export_key_needed`, `import_too_long`"),
        (status = 429, description = "`too_many_moves`"),
    ),
)]
#[post("/v1/import")]
async fn import_workspace(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    query: Query<ImportQuery>,
    trail: Trail,
    request: HttpRequest,
    payload: Payload,
) -> std::result::Result<HttpResponse, Problem> {
    if query.0.dry_run {
        trail.is(AuditAction::TryImport).await?;
    }
    refuse_unfit(&request)?;
    let moves = &services.people.moves;
    let arriving = moves.begin_import()?;
    let import = arriving.id().to_owned();
    let done = take(once, &services, query.0.dry_run, arriving, payload).await;
    // Whatever was answered: a commit whose answer was lost has stored them too.
    services.people.authenticator.forget_unknown();
    moves.forget(&import).await;
    done
}

async fn take(
    once: Idempotent,
    services: &Services,
    dry_run: bool,
    mut arriving: Arriving<'_>,
    mut payload: Payload,
) -> std::result::Result<HttpResponse, Problem> {
    // Imports are few at a time: a client that sends next to nothing must not keep the place of others.
    let pace = services.running.sender_pace();
    let mut credit = Credit::new(pace);
    loop {
        let began = Instant::now();
        let next = tokio::time::timeout(credit.left(), payload.next()).await;
        let waited = began.elapsed();
        credit.spend(waited);
        let next = next.map_err(|_| match pace.rate == 0 || 2 * waited >= pace.patience {
            true => too_slow(pace.patience),
            false => Problem::from(Error::from(BodyFault::BelowRate {
                least_rate: pace.rate,
            })),
        })?;
        let Some(chunk) = next else {
            break;
        };
        let chunk = chunk.map_err(|error| {
            Error::new(
                Kind::Malformed,
                "body_incomplete",
                "The request's body ended before it was complete. Nothing was stored.",
            )
            .internal(error)
        })?;
        credit.earn(chunk.len());
        arriving.take(&chunk).await?;
    }
    let arrived = arriving.end().await?;
    let moves = &services.people.moves;
    if dry_run {
        let report = moves.try_import(&arrived).await?;
        let mut response = HttpResponse::Ok().json(ImportedBody::of(&report, true));
        let target = AuditedTarget(report.workspace.to_string());
        response.extensions_mut().insert(target);
        return Ok(response);
    }
    let answer = |report: &ImportReport| {
        let body = ImportedBody::of(report, false);
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?
            .at(format!("/v1/workspaces/{}", report.workspace)))
    };
    let done = once
        .run(services, arrived.fingerprint, answer, async |keep| {
            moves.import(&arrived, keep).await
        })
        .await?;
    Ok(done)
}

/// Refuses a body by its head, where that is enough.
fn refuse_unfit(request: &HttpRequest) -> std::result::Result<(), Problem> {
    let headers = request.headers();
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            "A request's body is read as it is, without a content encoding.",
        ));
    }
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<u64>().ok());
    match length {
        Some(length) if length > MOST_BYTES => Err(Error::new(
            Kind::TooLarge,
            "body_too_large",
            format!(
                "A workspace's file has at most {MOST_BYTES} bytes, and this one has {length}. Nothing was stored."
            ),
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}
