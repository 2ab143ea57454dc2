//! `/v1/projects`

use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::application::kept::store::ProjectFilter;
use crate::application::projects::input::{NewFileInput, NewProjectInput};
use crate::domain::ids::{ProjectId, StorageRef};
use crate::domain::names::Name;
use crate::domain::project::{Project, ProjectStatus, Skipped};
use crate::http::body::Body;
use crate::http::caller::{AdminCaller, MemberCaller};
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// A request names up to 10,000 files, each with a key and a name of 1,024 bytes.
pub(super) const CREATE_LIMIT: usize = 16 << 20;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_project))
        .service(list_projects)
        .service(get_project)
        .service(changes(rename_project))
        .service(changes(delete_project));
}

/// A project to make. Its files come from exactly one of `files`, `folder` and `manifest_file_key`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProject, example = json!({"name": "Cats", "storage_id": "built-in", "files": [{"file_key": "/some-folder/image.png"}]}))]
struct NewProjectBody {
    /// 1 to 200 characters.
    #[schema(example = "Cats", min_length = 1, max_length = 200)]
    name: String,
    /// One of the workspace's storages, or `built-in`; the default storage where it is absent.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: Option<String>,
    /// At most 10,000, each file once.
    #[schema(min_items = 1, max_items = 10_000)]
    files: Option<Vec<NewFile>>,
    /// All files below this folder.
    #[schema(example = "/some-folder/")]
    folder: Option<String>,
    /// Of the folder's files only those that match one of these globs, like `**/*.png`. A glob is
    /// matched against the path below the folder; `*` and `?` stay within a folder, `**` crosses them.
    include: Option<Vec<String>>,
    /// Not those of the folder's files that match one of these globs.
    exclude: Option<Vec<String>>,
    /// Whether the folder's files in the product's working folders (`temp/` and `export/` below the bucket prefix,
    /// unless the operator chose others) are taken too. They are left out where this is absent or `false`; a
    /// `folder` that is a working folder, or in one, is taken whole.
    include_working_folders: Option<bool>,
    /// The file key of a list of files: text with a file key on each line, separated values, JSON, JSON
    /// lines, or a manifest of Ground Truth, CVAT, Label Studio or S3 Inventory.
    #[schema(example = "/lists/cats.txt")]
    manifest_file_key: Option<String>,
    /// What to do about keys that are not in the storage; `fail` where it is absent.
    #[schema(value_type = Option<closed_sets::OnMissing>)]
    on_missing: Option<String>,
    /// What to do about files in an archive class (`GLACIER`, `DEEP_ARCHIVE`); `keep` where it is absent.
    #[schema(value_type = Option<closed_sets::OnArchived>)]
    on_archived: Option<String>,
}

/// A file for a project.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFile {
    /// The file key, or the S3 URI, ARN or S3 URL of a file of the storage.
    #[schema(example = "/some-folder/image.png")]
    file_key: String,
    /// What the product shows; the key's last segment where it is absent. 1 to 1,024 bytes.
    name: Option<String>,
}

impl From<NewFile> for NewFileInput {
    fn from(NewFile { file_key, name }: NewFile) -> Self {
        Self { file_key, name }
    }
}

/// A project: a named set of files.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
struct ProjectBody {
    #[schema(example = "prj_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "Cats")]
    name: String,
    /// `built-in` for the product's own.
    storage_id: String,
    #[schema(value_type = closed_sets::ProjectStatus)]
    status: &'static str,
    progress: ProgressBody,
    file_count: i64,
    /// In bytes.
    total_size: i64,
    /// Files in an archive class. They cannot be read before they are restored; some may have been.
    archived_count: i64,
    /// Files that were left out: keys that were missing, archived files, objects that no file key can name, and
    /// files of the product's working folders.
    skipped_count: i64,
    /// The same by reason. `null` where an earlier version of the service counted them, without reasons.
    skipped: Option<Vec<SkippedBody>>,
    /// Why the import failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
}

/// How many files were left out for a reason.
#[derive(Serialize, ToSchema)]
#[schema(as = SkippedFiles)]
struct SkippedBody {
    #[schema(value_type = closed_sets::SkipReason)]
    reason: &'static str,
    count: i64,
}

/// How far an import is.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
struct ProgressBody {
    done: i64,
    /// `null` while nobody knows how many there are.
    total: Option<i64>,
}

/// Why an import failed.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportFailure)]
struct FailureBody {
    /// Stable, for programs.
    #[schema(value_type = closed_sets::AnyProblemCode)]
    code: String,
    detail: String,
    /// The code of the cause, as in a check's report, where the storage failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::AnyCauseCode>)]
    cause: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Which projects.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProjectsQuery {
    /// Only those that use this storage, or `built-in`.
    #[param(example = "built-in")]
    storage_id: Option<String>,
    /// Only those that have this in their name, in capitals or not.
    #[param(example = "cats", max_length = 200)]
    name: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

impl ProjectsQuery {
    fn filter(&self) -> Result<ProjectFilter> {
        let storage = self.storage_id.as_deref().map(StorageRef::parse);
        Ok(ProjectFilter {
            storage: storage
                .transpose()
                .map_err(|invalid| Error::field("storage_id", invalid))?,
            name: page::part_of_name(self.name.as_deref())?,
        })
    }
}

/// A page of projects, newest first.
#[derive(Serialize, ToSchema)]
struct ProjectList {
    projects: Vec<ProjectBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<Project> for ProjectBody {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.to_string(),
            storage_id: project.storage.to_string(),
            status: project.status.as_str(),
            progress: ProgressBody {
                done: project.progress.done,
                total: project.progress.total,
            },
            file_count: project.file_count,
            total_size: project.total_size,
            archived_count: project.archived_count,
            skipped_count: project.skipped_count,
            skipped: skipped_by_reason(&project),
            failure: project.failure.map(|failure| FailureBody {
                code: failure.code,
                detail: failure.detail,
                cause: failure.cause,
                remedy: failure.remedy,
            }),
            created_at: project.created_at,
        }
    }
}

fn skipped_by_reason(project: &Project) -> Option<Vec<SkippedBody>> {
    // Of nothing the reasons are known.
    let nothing = (project.skipped_count == 0).then(Skipped::default);
    let reasons = project.skipped.or(nothing)?.reasons().into_iter();
    let bodies = reasons.map(|(reason, count)| SkippedBody {
        reason: reason.as_str(),
        count,
    });
    Some(bodies.collect())
}

/// Make a project
///
/// Every file is looked up before anything is made. A folder or manifest of more than 10,000 files is
/// imported in the background: the answer is then 202, and the project shows how far it is.
#[utoipa::path(
    tag = "Projects",
    request_body = NewProjectBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    responses(
        (status = 201, description = "Made", body = ProjectBody, headers(("Location" = String, description = "The project's path"))),
        (status = 202, description = "Made; its files are being imported", body = ProjectBody, headers(("Location" = String, description = "The project's path"))),
        (status = 404, description = "There is no such storage in the workspace, or no such manifest in the storage"),
    ),
)]
#[post("/v1/projects")]
async fn create_project(
    member: MemberCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewProjectBody, CREATE_LIMIT>,
) -> Result<HttpResponse> {
    let new = NewProjectInput::from(body.value).parse()?;
    let answer = |project: &Project| {
        let status = match project.status {
            ProjectStatus::Importing => StatusCode::ACCEPTED,
            ProjectStatus::Ready | ProjectStatus::Failed => StatusCode::CREATED,
        };
        let body = ProjectBody::from(project.clone());
        Ok(MadeAnswer::new(status, &body)?.at(format!("/v1/projects/{}", project.id)))
    };
    once.run(&services, body.fingerprint, answer, async |keep| {
        services.projects.create(&member.0, new, keep).await
    })
    .await
}

impl From<NewProjectBody> for NewProjectInput {
    fn from(body: NewProjectBody) -> Self {
        let files = body
            .files
            .map(|files| files.into_iter().map(NewFileInput::from).collect());
        Self {
            name: body.name,
            storage_id: body.storage_id,
            files,
            folder: body.folder,
            include: body.include,
            exclude: body.exclude,
            include_working_folders: body.include_working_folders,
            manifest_file_key: body.manifest_file_key,
            pasted: None,
            on_missing: body.on_missing,
            on_archived: body.on_archived,
        }
    }
}

/// List projects
#[utoipa::path(
    tag = "Projects",
    params(ProjectsQuery),
    responses((status = 200, description = "A page of projects, newest first", body = ProjectList)),
)]
#[get("/v1/projects")]
async fn list_projects(
    member: MemberCaller,
    services: Data<Services>,
    query: Query<ProjectsQuery>,
) -> Result<Json<ProjectList>> {
    let filter = query.0.filter()?;
    // A page goes on in the list that it is of.
    let place = format!("{}/projects{filter:?}", member.0.workspace);
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.projects.find(&member.0, &filter, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |project| project.id.to_string())?;
    // After the page is cut: what is left out must not end the list.
    let reach = &member.0.reach;
    let projects = page.items.into_iter();
    let projects = projects.filter(|project| reach.has_storage(&project.storage));
    Ok(Json(ProjectList {
        projects: projects.map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// A project's new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectChange)]
struct ProjectChangeBody {
    /// 1 to 200 characters.
    #[schema(example = "Cats and dogs", min_length = 1, max_length = 200)]
    name: String,
}

/// Rename a project
///
/// Its files stay as they are.
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID")),
    request_body = ProjectChangeBody,
    responses((status = 200, description = "The project", body = ProjectBody)),
)]
#[patch("/v1/projects/{project_id}")]
async fn rename_project(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
    body: Body<ProjectChangeBody>,
) -> Result<Json<ProjectBody>> {
    let name = Name::parse(&body.value.name).map_err(|invalid| Error::field("name", invalid))?;
    let project = services.projects.rename(&admin.0, &id.0, &name).await?;
    Ok(Json(project.into()))
}

/// Read a project
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID")),
    responses((status = 200, description = "The project", body = ProjectBody)),
)]
#[get("/v1/projects/{project_id}")]
async fn get_project(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
) -> Result<Json<ProjectBody>> {
    let project = services.projects.get(&member.0, &id.0).await?;
    Ok(Json(project.into()))
}

/// Delete a project
///
/// The files themselves stay in their bucket. An import under way ends.
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID")),
    responses((status = 204, description = "Deleted")),
)]
#[delete("/v1/projects/{project_id}")]
async fn delete_project(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
) -> Result<HttpResponse> {
    services.projects.delete(&admin.0, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
