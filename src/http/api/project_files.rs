//! `POST /v1/projects/{project_id}/files`

use crate::application::error::Result;
use crate::application::projects::adding::AddedFiles;
use crate::application::projects::input::{NewFileInput, parse_files};
use crate::domain::ids::ProjectId;
use crate::http::api::projects::{CREATE_LIMIT, NewFile};
use crate::http::body::Body;
use crate::http::caller::MemberCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(changes(add_project_files));
}

/// Files to add to a project.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddProjectFiles {
    /// At most 10,000, each file once.
    #[schema(min_items = 1, max_items = 10_000)]
    files: Vec<NewFile>,
}

/// What became of the files.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedProjectFiles)]
struct AddedFilesBody {
    added: i64,
    /// How many of them the project had already. They stay as they are, with their names.
    already_there: i64,
    /// How many files the project has now.
    file_count: i64,
}

impl From<AddedFiles> for AddedFilesBody {
    fn from(files: AddedFiles) -> Self {
        Self {
            added: files.added,
            already_there: files.already_there,
            file_count: files.file_count,
        }
    }
}

/// Add files to a project
///
/// Every file that is new to the project is looked up before anything is added. Where one is missing, nothing
/// is added. The project must be `ready`.
#[utoipa::path(
    tag = "Projects",
    request_body = AddProjectFiles,
    params(
        ("project_id" = String, Path, description = "The project's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key get the first answer."),
    ),
    responses((status = 200, description = "Added", body = AddedFilesBody)),
)]
#[post("/v1/projects/{project_id}/files")]
async fn add_project_files(
    member: MemberCaller,
    once: Idempotent,
    services: Data<Services>,
    id: Id<ProjectId>,
    body: Body<AddProjectFiles, CREATE_LIMIT>,
) -> Result<HttpResponse> {
    let files = body.value.files.into_iter().map(NewFileInput::from);
    let files = parse_files(files.collect())?;
    let answer =
        |added: &AddedFiles| MadeAnswer::new(StatusCode::OK, &AddedFilesBody::from(*added));
    once.run(&services, body.fingerprint, answer, async |keep| {
        services
            .projects
            .add_files(&member.0, &id.0, files, keep)
            .await
    })
    .await
}
