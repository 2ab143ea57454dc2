//! `/v1/projects/{project_id}/files/content`

use crate::application::error::Result;
use crate::domain::ids::ProjectId;
use crate::http::api::files::content::{ContentAnswers, HeadAnswers, HeadHeaders, ReadHeaders};
use crate::http::api::files::keys::{FileKeyQuery, file_key};
use crate::http::api::files::read::ServedFile;
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
        ContentAnswers,
        (status = 404, description = "`not_in_project`: the project has no file with this key; or there is no such project, or the storage has the file no more"),
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
    responses(HeadAnswers),
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
