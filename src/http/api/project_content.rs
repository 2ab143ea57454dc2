//! `/v1/projects/{project_id}/files/content`

use crate::application::error::Result;
use crate::domain::ids::ProjectId;
use crate::http::api::files::keys::{FileKeyQuery, file_key};
use crate::http::api::files::read::{FileContent, HeadHeaders, ReadHeaders, ServedFile};
use crate::http::caller::MemberCaller;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, head};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(read_project_file)
        .service(read_project_file_head);
}

/// Read a project's file
///
/// Streams the file's present content from the project's storage, as `/v1/storages/{storage_id}/files/content`
/// does. Only files of the project are read.
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID"), FileKeyQuery, ReadHeaders),
    responses(
        (
            status = 200,
            description = "The content, with the file's own type where that is inert",
            content((inline(FileContent) = "application/octet-stream"), (inline(FileContent) = "*/*")),
            headers(
                ("ETag" = String, description = "The file's ETag"),
                ("Last-Modified" = String, description = "When it was stored"),
                ("Content-Disposition" = String, description = "Whether it may be shown, and its name"),
                ("Accept-Ranges" = String, description = "`bytes`"),
            ),
        ),
        (
            status = 206,
            description = "The range of it that was asked for",
            content((inline(FileContent) = "application/octet-stream"), (inline(FileContent) = "*/*")),
            headers(
                ("ETag" = String, description = "The file's ETag"),
                ("Content-Range" = String, description = "Which bytes these are, of how many"),
            ),
        ),
        (status = 304, description = "It has not changed", headers(("ETag" = String, description = "The file's ETag"))),
        (status = 404, description = "`not_in_project`: the project has no file with this key; or there is no such project, or the storage has the file no more"),
        (status = 412, description = "It has changed"),
        (status = 416, description = "It has no such range"),
    ),
)]
#[get("/v1/projects/{project_id}/files/content")]
async fn read_project_file(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<FileKeyQuery>,
    trail: Trail,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let key = file_key("key", &query.0.key)?;
    trail.reads([&key]);
    let projects = &services.projects;
    let storage = projects.storage_of_file(&member.0, &id.0, &key).await?;
    let file = ServedFile {
        services: &services,
        member: &member.0,
        storage: &storage,
        key: &key,
        version: None,
    };
    file.content(request.headers()).await
}

/// Read the headers of a project's file
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID"), FileKeyQuery, HeadHeaders),
    responses(
        (
            status = 200,
            description = "The headers of the content, without it",
            headers(
                ("ETag" = String, description = "The file's ETag"),
                ("Last-Modified" = String, description = "When it was stored"),
                ("Content-Length" = u64, description = "The file's size"),
            ),
        ),
        (status = 304, description = "It has not changed", headers(("ETag" = String, description = "The file's ETag"))),
    ),
)]
#[head("/v1/projects/{project_id}/files/content")]
async fn read_project_file_head(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<FileKeyQuery>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let key = file_key("key", &query.0.key)?;
    let projects = &services.projects;
    let storage = projects.storage_of_file(&member.0, &id.0, &key).await?;
    let file = ServedFile {
        services: &services,
        member: &member.0,
        storage: &storage,
        key: &key,
        version: None,
    };
    file.head(request.headers()).await
}
