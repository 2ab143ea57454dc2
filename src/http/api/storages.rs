//! `/v1/storages`

use crate::application::closed_sets;
use crate::application::connections::input::ConnectionInput;
use crate::application::connections::view::ConnectionView;
use crate::application::error::{Error, Result};
use crate::application::kept::store::{ProjectsOfStorage, StorageSearch};
use crate::application::storages::health::WhatChanged;
use crate::application::storages::{StorageOfAny, StorageSource, StorageView, Which};
use crate::domain::Invalid;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::ids::StorageRef;
use crate::domain::overlap::Overlap;
use crate::domain::storage::HealthState;
use crate::http::api::checks::{CheckReportBody, StorageCheckQuery};
use crate::http::api::setups::documents;
use crate::http::api::setups::documents::{DocumentFile, DocumentsBody};
use crate::http::body::Body;
use crate::http::caller::{AdminCaller, ListReader, MemberCaller, workspace_token_required};
use crate::http::declare::changes;
use crate::http::page::{self, PageQuery};
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_storages)
        .service(get_storage)
        .service(changes(change_storage))
        .service(changes(delete_storage))
        .service(changes(check_storage))
        .service(changes(discard_pending_change))
        .service(list_storage_checks)
        .service(get_storage_documents)
        .service(get_storage_document);
}

/// A storage: a bucket that the workspace may use.
#[derive(Serialize, ToSchema)]
#[schema(as = Storage)]
pub(super) struct StorageBody {
    /// `built-in` for the product's own.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// Only in lists over all workspaces: the workspace that the storage is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    workspace_id: Option<String>,
    /// With `workspace_id`: the product's own ID of the workspace, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tenant-4711")]
    workspace_external_id: Option<String>,
    display_name: String,
    bucket: String,
    /// `null` for the built-in storage.
    #[schema(value_type = Option<closed_sets::Auth>)]
    auth: Option<&'static str>,
    external_id: Option<String>,
    #[serde(flatten)]
    connection: ConnectionView,
    is_default: bool,
    /// Whether the present settings have passed a check. Until then the storage's files cannot be used.
    verified: bool,
    /// Quarantined: a check found that the role lets others in, and the storage is not used until one
    /// passes.
    #[schema(value_type = StorageState)]
    state: &'static str,
    /// `null` while the storage is active.
    quarantine: Option<QuarantineBody>,
    health: HealthBody,
    /// Since when the storage has the access key that it uses. `null` without one, and where an earlier release did
    /// not write it down.
    #[serde(with = "crate::domain::rfc3339::option")]
    access_key_set_at: Option<OffsetDateTime>,
    /// Only where the access key should be replaced.
    access_key_warning: Option<AccessKeyWarningBody>,
    project_count: i64,
    /// What is odd about the storage, though it works. Absent where nothing is, and in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<PlaceWarningBody>,
    /// A change that has not passed a check: the storage goes on with the settings above until it has.
    /// `null` for members.
    pending: Option<PendingBody>,
    #[serde(with = "crate::domain::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
}

/// Whether a storage is used.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
enum StorageState {
    Active,
    Quarantined,
}

/// That another storage of the workspace has the same files, or some of them.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaceWarning)]
pub(super) struct PlaceWarningBody {
    #[schema(value_type = closed_sets::AnyPlaceWarningCode)]
    code: &'static str,
    detail: String,
    /// The other storage.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: String,
}

impl From<Overlap> for PlaceWarningBody {
    fn from(overlap: Overlap) -> Self {
        Self {
            code: overlap.kind.code(),
            detail: overlap.words(),
            storage_id: overlap.storage.to_string(),
        }
    }
}

/// That an access key has been used for more than 90 days.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessKeyWarning)]
struct AccessKeyWarningBody {
    /// For how many days the storage has had it. The key may be older: AWS tells that to its owner alone.
    #[schema(example = 120)]
    days: i64,
    detail: String,
    remedy: &'static str,
}

impl AccessKeyWarningBody {
    fn of(days: i64) -> Self {
        Self {
            days,
            detail: format!("This access key was given to us {days} days ago."),
            remedy: "Make a new key for the same user, change the storage to it, check the change, and then delete the old key in IAM. Until the check has passed the storage goes on with the old one.",
        }
    }
}

/// Why a storage is not used.
#[derive(Serialize, ToSchema)]
#[schema(as = Quarantine)]
struct QuarantineBody {
    #[serde(with = "crate::domain::rfc3339")]
    since: OffsetDateTime,
    /// The check that found it.
    #[schema(example = "chk_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    check_id: String,
    /// The code of the problem in that check's report.
    #[schema(value_type = closed_sets::AnyCauseCode)]
    code: String,
}

/// A change of a storage that waits for its check: the settings as they will be.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingChange)]
struct PendingBody {
    bucket: String,
    #[serde(flatten)]
    connection: ConnectionView,
    /// The names of the settings that differ from those in use.
    #[schema(example = json!(["role_arn"]))]
    changes: Vec<String>,
    #[serde(with = "crate::domain::rfc3339")]
    changed_at: OffsetDateTime,
    /// The last check of exactly this change.
    last_check: Option<CheckReportBody>,
}

/// What the latest check that could tell said.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    #[schema(value_type = closed_sets::HealthState)]
    state: &'static str,
    /// When the check began that first found this state with this code.
    #[serde(with = "crate::domain::rfc3339::option")]
    since: Option<OffsetDateTime>,
    /// The code of the problem that decided the state. Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::AnyCauseCode>)]
    code: Option<String>,
    /// The latest check, also one that could not tell.
    last_check_id: Option<String>,
    /// The projects that use the storage, while it is degraded, broken or in quarantine. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_projects: Option<AffectedProjectsBody>,
    /// What changed since the last good check, while the storage is not healthy. For admins, and not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<HealthChangeBody>,
}

/// The projects that use a storage.
#[derive(Serialize, ToSchema)]
#[schema(as = AffectedProjects)]
struct AffectedProjectsBody {
    count: u64,
    /// How many of them are importing files from the storage now.
    importing: u64,
    /// The newest ten of them.
    projects: Vec<AffectedProjectBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AffectedProject)]
struct AffectedProjectBody {
    #[schema(example = "prj_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    name: String,
}

/// What checks found otherwise than before.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthChange)]
struct HealthChangeBody {
    /// The last check that found the storage healthy, or the one that it was added with. `null` where an
    /// earlier release did not keep it.
    last_good_check_id: Option<String>,
    /// The first since then that did not. `null` as above.
    first_bad_check_id: Option<String>,
    /// In sentences, the earliest first. They say what each check found, and nothing of the time between.
    #[schema(example = json!(["On 24 Nov 2026, 14:02 UTC, reading a file was allowed. On 24 Nov 2026, 15:01 UTC, AWS refused `s3:GetObject`: a statement in a bucket policy denies it."]))]
    text: Vec<String>,
}

/// A page of storages, in the order they were added.
#[derive(Serialize, ToSchema)]
pub(super) struct StorageList {
    pub(super) storages: Vec<StorageBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_page_token: Option<String>,
}

/// A page of check reports, newest first.
#[derive(Serialize, ToSchema)]
struct CheckList {
    checks: Vec<CheckReportBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<StorageView> for StorageBody {
    fn from(view: StorageView) -> Self {
        let display_name = view.display_name().to_owned();
        let id = view.reference().to_string();
        let own = match view.source {
            StorageSource::BuiltIn => None,
            StorageSource::Own(storage) => Some(storage),
        };
        let connection = view.connection;
        let pending = view.pending.map(|pending| PendingBody {
            bucket: pending.connection.bucket.to_string(),
            connection: (&pending.connection).into(),
            changes: pending
                .differences
                .into_iter()
                .map(|difference| difference.field)
                .collect(),
            changed_at: pending.changed_at,
            last_check: pending.last_check.map(Into::into),
        });
        Self {
            warnings: view.overlaps.into_iter().map(Into::into).collect(),
            pending,
            id,
            workspace_id: None,
            workspace_external_id: None,
            display_name,
            bucket: connection.bucket.to_string(),
            auth: connection.credentials.auth().map(|auth| auth.as_str()),
            external_id: connection
                .credentials
                .external_id()
                .map(ToString::to_string),
            connection: (&connection).into(),
            is_default: view.is_default,
            verified: own.as_ref().is_none_or(|s| s.is_verified()),
            state: match own.as_ref().map(|s| &s.quarantine) {
                Some(Some(_)) => "quarantined",
                Some(None) | None => "active",
            },
            quarantine: own
                .as_ref()
                .and_then(|s| s.quarantine.as_ref())
                .map(|quarantine| QuarantineBody {
                    since: quarantine.since,
                    check_id: quarantine.check.to_string(),
                    code: quarantine.code.clone(),
                }),
            health: HealthBody {
                state: own.as_ref().map_or("unknown", |s| s.health.state.as_str()),
                since: own.as_ref().map(|s| s.health.since),
                code: own.as_ref().and_then(|s| s.health.condition().code),
                last_check_id: own
                    .as_ref()
                    .and_then(|s| s.health.last_check.as_ref())
                    .map(ToString::to_string),
                affected_projects: view.detail.affected.map(Into::into),
                change: view.detail.change.map(Into::into),
            },
            access_key_set_at: own.as_ref().and_then(|s| s.access_key_set_at),
            access_key_warning: view.old_key_days.map(AccessKeyWarningBody::of),
            project_count: own.as_ref().map_or(0, |s| s.project_count),
            created_at: own.map(|s| s.created_at),
        }
    }
}

impl From<StorageOfAny> for StorageBody {
    fn from(found: StorageOfAny) -> Self {
        let external_id = found.workspace_external_id;
        Self {
            workspace_id: Some(found.workspace.to_string()),
            workspace_external_id: external_id.map(|id| id.as_str().to_owned()),
            ..Self::from(found.view)
        }
    }
}

impl From<ProjectsOfStorage> for AffectedProjectsBody {
    fn from(projects: ProjectsOfStorage) -> Self {
        Self {
            count: projects.count,
            importing: projects.importing,
            projects: projects
                .newest
                .into_iter()
                .map(|(id, name)| AffectedProjectBody {
                    id: id.to_string(),
                    name: name.to_string(),
                })
                .collect(),
        }
    }
}

impl From<WhatChanged> for HealthChangeBody {
    fn from(change: WhatChanged) -> Self {
        Self {
            last_good_check_id: change.last_good.map(|id| id.to_string()),
            first_bad_check_id: change.first_bad.map(|id| id.to_string()),
            text: change.text,
        }
    }
}

/// Which storages, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StoragesQuery {
    /// Only those that have this in their name, in capitals or not.
    #[param(example = "acme", max_length = 200)]
    name: Option<String>,
    /// `built-in`: the built-in storage too, before the others, where the service has one. Of the filters it has a
    /// name alone.
    #[param(inline)]
    include: Option<IncludedStorage>,
    /// Only those with this health.
    #[param(value_type = Option<closed_sets::HealthState>)]
    health: Option<String>,
    /// Only the one with this external ID.
    external_id: Option<String>,
    /// Only those of this bucket.
    #[param(example = "acme-data")]
    bucket: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// A storage that is no row of the workspace's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IncludedStorage {
    BuiltIn,
}

impl StoragesQuery {
    fn search(&self) -> Result<StorageSearch> {
        let field = |name, invalid| Error::field(name, invalid);
        let filled = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        let health = filled(&self.health).map(|text| HealthState::parse(&text));
        let external_id = filled(&self.external_id).map(external_id_text);
        let bucket = filled(&self.bucket).map(|text| BucketName::parse(&text));
        Ok(StorageSearch {
            workspace: None,
            health: health
                .transpose()
                .map_err(|invalid| field("health", invalid))?,
            external_id: external_id
                .transpose()
                .map_err(|invalid| field("external_id", invalid))?,
            bucket: bucket
                .transpose()
                .map_err(|invalid| field("bucket", invalid))?,
            name: page::part_of_name(self.name.as_deref())?,
        })
    }
}

/// An external ID to compare with. Only the service makes them, so it stays a text.
fn external_id_text(text: String) -> std::result::Result<String, Invalid> {
    match text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text),
        false => Err(Invalid::new(
            "invalid_external_id",
            "An external ID has up to 128 visible ASCII characters.",
        )),
    }
}

/// List storages
///
/// The workspace's own; with `include=built-in` the product's too, first, where the service has one. Its ID is
/// `built-in`. A product's key and the operator's token, without `Sallyport-Workspace` and with at least one of the
/// filters, list those of all workspaces: each has its `workspace_id`.
#[utoipa::path(
    tag = "Storages",
    params(StoragesQuery),
    responses((status = 200, description = "A page of storages", body = StorageList)),
)]
#[get("/v1/storages")]
async fn list_storages(
    reader: ListReader,
    services: Data<Services>,
    query: Query<StoragesQuery>,
) -> Result<Json<StorageList>> {
    let search = query.0.search()?;
    let include = query.0.include;
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let place = |whose: &str| format!("{whose}/storages{search:?}{include:?}");
    let (storages, next_page_token) = match &reader {
        ListReader::Everywhere if search.is_empty() => return Err(workspace_token_required()),
        ListReader::Everywhere => {
            let place = place("operator");
            let window = services.page_tokens.window(&place, &request)?;
            let rows = services.storages.search(&search, &window).await?;
            let id = |found: &StorageOfAny| found.view.reference().to_string();
            let page = services.page_tokens.page(&place, &request, rows, id)?;
            let bodies: Vec<StorageBody> = page.items.into_iter().map(Into::into).collect();
            (bodies, page.next_page_token)
        }
        ListReader::Workspace(member) => {
            let place = place(member.workspace.as_str());
            let window = services.page_tokens.window(&place, &request)?;
            let mut rows = services.storages.find(member, &search, &window).await?;
            match include {
                Some(IncludedStorage::BuiltIn) if window.after.is_none() => {
                    let built_in = services.storages.built_in_found(member, &search).await?;
                    if let Some(view) = built_in {
                        rows.insert(0, view);
                    }
                }
                Some(IncludedStorage::BuiltIn) | None => {}
            }
            let position = |view: &StorageView| match view.reference() {
                // What comes after it are all the others.
                StorageRef::BuiltIn => String::new(),
                StorageRef::Own(id) => id.to_string(),
            };
            let mut page = services
                .page_tokens
                .page(&place, &request, rows, position)?;
            // After the page is cut: what is left out must not end the list.
            page.items.retain(|view| {
                let reference = view.reference();
                member.reach.has_storage(&reference)
            });
            let bodies: Vec<StorageBody> = page.items.into_iter().map(Into::into).collect();
            (bodies, page.next_page_token)
        }
    };
    Ok(Json(StorageList {
        storages,
        next_page_token,
    }))
}

/// Read a storage
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    responses((status = 200, description = "The storage", body = StorageBody)),
)]
#[get("/v1/storages/{storage_id}")]
async fn get_storage(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<Json<StorageBody>> {
    Ok(Json(services.storages.get(&member.0, &id.0).await?.into()))
}

/// Change a storage
///
/// A new name takes effect at once. Any other change waits in `pending` until a check of it has passed
/// (`POST …/check?pending=true`); the storage goes on with the settings that it has. Further changes are
/// added to it, and a change back to the settings in use removes it. Bucket and prefix are fixed while a
/// project uses the storage.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID")),
    request_body = ConnectionInput,
    responses(
        (status = 200, description = "The storage as it is in use, with the change in `pending`", body = StorageBody),
        (status = 409, description = "`storage_in_use`: projects fix its bucket and prefix; `built_in_storage`; `changed_meanwhile`"),
    ),
)]
#[patch("/v1/storages/{storage_id}")]
async fn change_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    body: Body<ConnectionInput>,
) -> Result<Json<StorageBody>> {
    let view = services
        .storages
        .change(&admin.0, &id.0, body.value)
        .await?;
    Ok(Json(view.into()))
}

/// What comes after a storage.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeletionQuery {
    /// What is the default storage from then on, where this one is: another storage's ID, or `built-in`.
    #[param(example = "built-in")]
    default_storage_id: Option<String>,
}

/// Delete a storage
///
/// Nothing changes in the bucket. Refused while projects use the storage, and where it is the default storage
/// unless `default_storage_id` says which one is the default from then on.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID"), DeletionQuery),
    responses(
        (status = 204, description = "Deleted"),
        (status = 409, description = "`storage_in_use`, with `project_count`; `storage_is_default`; `built_in_storage`"),
    ),
)]
#[delete("/v1/storages/{storage_id}")]
async fn delete_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DeletionQuery>,
) -> Result<HttpResponse> {
    let next = query.0.default_storage_id.as_deref();
    let next = next
        .map(StorageRef::parse)
        .transpose()
        .map_err(|invalid| Error::field("default_storage_id", invalid))?;
    let storages = &services.storages;
    storages.delete(&admin.0, &id.0, next.as_ref()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Check a storage's connection
///
/// Checks the connection in use, and keeps what came of it as the storage's health. With `pending=true`,
/// checks the change that waits for its check: when it passes, the storage uses it from then on, in one
/// step with the end of the check; when it fails, the storage stays as it is.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), StorageCheckQuery),
    responses(
        (status = 200, description = "What the check found", body = CheckReportBody),
        (status = 409, description = "With `pending=true`: `no_pending_change`; `changed_meanwhile`: the change or the storage is another now; `storage_in_use`: projects fix its bucket and prefix"),
        (status = 429, description = "The workspace runs more checks than it may"),
    ),
)]
#[post("/v1/storages/{storage_id}/check")]
async fn check_storage(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<StorageCheckQuery>,
) -> Result<HttpResponse> {
    let wait = query.0.wait()?;
    let storages = &services.storages;
    if !query.0.pending {
        let report = storages.check(&admin.0, &id.0, wait, None).await?;
        return Ok(HttpResponse::Ok().json(CheckReportBody::from(report)));
    }
    let report = storages.check_pending(&admin.0, &id.0, wait, None).await?;
    let action = match report.outcome().is_pass() {
        true => "use_pending_change",
        false => "check_pending_change",
    };
    Ok(CheckReportBody::audited_as(report, action))
}

/// Take a pending change back
///
/// The storage goes on with the settings that it has. No check is needed.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID")),
    responses(
        (status = 204, description = "No change waits any more"),
        (status = 409, description = "`built_in_storage`"),
    ),
)]
#[delete("/v1/storages/{storage_id}/pending")]
async fn discard_pending_change(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<HttpResponse> {
    services.storages.discard_pending(&admin.0, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List a storage's checks
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`, whose checks are not kept"), PageQuery),
    responses((status = 200, description = "A page of reports of the connections in use, newest first", body = CheckList)),
)]
#[get("/v1/storages/{storage_id}/checks")]
async fn list_storage_checks(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<PageQuery>,
) -> Result<Json<CheckList>> {
    let place = format!("{}/storages/{}/checks", admin.0.workspace(), id.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services
        .storages
        .list_checks(&admin.0, &id.0, &window)
        .await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |check| check.id.to_string())?;
    Ok(Json(CheckList {
        checks: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read the documents of a storage
///
/// Those of `built-in` are for the service's own identity and this workspace's part of the bucket; there is
/// no role. There is none for an access key either.
#[utoipa::path(
    tag = "Storages",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), DocumentsQuery),
    responses(
        (status = 200, description = "Every document, filled in", body = DocumentsBody),
        (status = 409, description = "`no_pending_change`"),
    ),
)]
#[get("/v1/storages/{storage_id}/documents")]
async fn get_storage_documents(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DocumentsQuery>,
) -> Result<Json<DocumentsBody>> {
    let which = query.0.which();
    let storages = &services.storages;
    let (documents, _) = storages.documents_of(&admin.0, &id.0, which).await?;
    Ok(Json(documents.into()))
}

/// Read one document of a storage as a file
#[utoipa::path(
    tag = "Storages",
    params(
        ("storage_id" = String, Path, description = "The storage's ID, or `built-in`"),
        DocumentsQuery,
        ("document_name" = closed_sets::DocumentName, Path, description = "Which document"),
    ),
    responses(DocumentFile, (status = 409, description = "`no_pending_change`")),
)]
#[get("/v1/storages/{storage_id}/documents/{document_name}")]
async fn get_storage_document(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    path: Path<(String, String)>,
    query: Query<DocumentsQuery>,
) -> Result<HttpResponse> {
    let which = query.0.which();
    let storages = &services.storages;
    let (documents, bucket) = storages.documents_of(&admin.0, &id.0, which).await?;
    documents::file(&path.1, &documents, &bucket)
}

/// Which settings documents are made of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DocumentsQuery {
    /// `true`: those of the change that waits for its check.
    #[serde(default)]
    #[param(default = false)]
    pending: bool,
}

impl DocumentsQuery {
    fn which(&self) -> Which {
        match self.pending {
            true => Which::Pending,
            false => Which::InUse,
        }
    }
}
