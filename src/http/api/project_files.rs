//! `/v1/projects/{project_id}/files`: which files a project has, their URLs, and more of them.

use crate::application::bucket::sign::SignedUrls;
use crate::application::error::{Error, Result};
use crate::application::files::sign::{MOST_SIGNED, SignRequest};
use crate::application::projects::adding::AddedFiles;
use crate::application::projects::input::{NewFileInput, parse_files};
use crate::domain::Invalid;
use crate::domain::ids::ProjectId;
use crate::domain::people::reach::Touch;
use crate::domain::project::ProjectFile;
use crate::domain::rfc3339;
use crate::http::api::files::sign::{AskedUrls, SIGN_LIMIT};
use crate::http::api::files::signed_answer::{SignedUrlsBody, UrlFormat, WholeUrls, of_keys};
use crate::http::api::projects::{CREATE_LIMIT, NewFile};
use crate::http::body::Body;
use crate::http::caller::MemberCaller;
use crate::http::declare::{asks, changes};
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::json_pieces::{Sending, in_pieces, push_value};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// How many files a page has at most: as many as one request signs.
pub(crate) const LARGEST_PAGE: u32 = MOST_SIGNED as u32;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_project_files)
        .service(changes(add_project_files))
        .service(asks(sign_project_files));
}

/// Which page of a project's files, and whether with URLs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProjectFilesQuery {
    /// `GET`: each file of the page has a signed URL that reads it.
    #[param(inline)]
    sign: Option<ListedMethod>,
    /// With `sign`, how long the URLs work, in seconds; 900 where it is absent. The answer says when they really
    /// stop working: never later than the credentials that signed them.
    #[param(minimum = 1)]
    expires_in: Option<u64>,
    /// How many files: 1 to 10,000.
    #[param(default = 100, minimum = 1, maximum = 10_000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// What the URLs of a list do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
enum ListedMethod {
    #[serde(rename = "GET")]
    Get,
}

/// A file of a project, as it was when it came into the project.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectFile)]
struct ProjectFileBody {
    #[schema(example = "/some-folder/image.png")]
    file_key: String,
    #[schema(example = "image.png")]
    name: String,
    /// In bytes.
    size: i64,
    etag: Option<String>,
    /// Like `DEEP_ARCHIVE`; `null` for S3 Standard, and where the store does not say.
    storage_class: Option<String>,
    /// What the list of files said beside: the further columns of a manifest, by their headings. Absent
    /// where it said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// Gives whoever holds it the file's present content for a while. With `sign=GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// A page of a project's files, in the project's order.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only for the OpenAPI document")]
struct ProjectFileList {
    files: Vec<ProjectFileBody>,
    /// When the URLs stop working. With `sign=GET`.
    #[serde(
        with = "crate::domain::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    expires_at: Option<OffsetDateTime>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Which files' URLs to sign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignProjectFiles {
    /// File keys of the project, at most 10,000.
    #[schema(min_items = 1, max_items = 10_000)]
    keys: Vec<String>,
    /// Seconds; 900 where it is absent. The answer says when a URL really stops working: never later
    /// than the credentials that signed it.
    expires_in: Option<u64>,
    /// The `Content-Type` of the download. HTML, SVG and other active types become an inert one.
    content_type: Option<String>,
    /// Forces a download under this name.
    download_name: Option<String>,
    /// As in `POST /v1/storages/{storage_id}/files/sign`.
    #[serde(default)]
    format: UrlFormat,
}

impl SignProjectFiles {
    fn request(self) -> Result<SignRequest> {
        if self.keys.is_empty() {
            let invalid = Invalid::new("empty_list", "At least one key is needed.");
            return Err(Error::field("keys", invalid));
        }
        let asked = AskedUrls {
            expires_in: self.expires_in,
            content_type: self.content_type,
            download_name: self.download_name,
            format: self.format,
        };
        asked.request("keys", &self.keys)
    }
}

impl From<ProjectFile> for ProjectFileBody {
    fn from(file: ProjectFile) -> Self {
        Self {
            file_key: file.file_key.to_string(),
            name: file.name,
            size: file.size,
            etag: file.etag,
            storage_class: file.storage_class,
            metadata: (!file.metadata.is_empty()).then(|| {
                file.metadata
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect()
            }),
            url: None,
        }
    }
}

/// List a project's files
///
/// With `sign=GET` each file has a URL: all of a project's files can be read by as many requests as it has pages. A
/// token that is narrowed to folders sees only those files that it reads: a page can be short while others follow.
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID"), ProjectFilesQuery),
    responses((status = 200, description = "A page of the files, in the project's order", body = ProjectFileList)),
)]
#[get("/v1/projects/{project_id}/files")]
async fn list_project_files(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<ProjectFilesQuery>,
    trail: Trail,
) -> Result<HttpResponse> {
    let asked = query.0;
    if asked.sign.is_none() && asked.expires_in.is_some() {
        let detail = "`expires_in` has no meaning without `sign`.";
        let invalid = Invalid::new("unexpected_field", detail);
        return Err(Error::field("expires_in", invalid));
    }
    // A page goes on in the list that it is of, with URLs or without.
    let place = format!("{}/projects/{}/files", member.0.workspace, id.0);
    let request = page::request_within(asked.page_size, asked.page_token, LARGEST_PAGE)?;
    let window = services.page_tokens.window(&place, &request)?;
    let after = window.after.map(|after| after.parse()).transpose();
    let project = services.projects.get(&member.0, &id.0).await?;
    let rows = services
        .projects
        .list_files(&member.0, &id.0, after.map_err(Error::bug)?, window.limit)
        .await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |file| file.position.to_string())?;
    let reach = &member.0.reach;
    let files = page.items.into_iter();
    let files: Vec<ProjectFile> = files
        .filter(|file| reach.covers(&project.storage, Touch::Read(&file.file_key)))
        .collect();
    let urls = match asked.sign {
        None => None,
        Some(ListedMethod::Get) => {
            trail.signs_reads(files.iter().map(|file| &file.file_key));
            let life = asked.expires_in.map(Duration::from_secs);
            let urls = services
                .projects
                .sign_listed(&member.0, &project, &files, life)
                .await?;
            trail.signed_until(urls.end());
            Some(urls)
        }
    };
    let sending = Sending::of(&services.files, None);
    page_of(files, urls, page.next_page_token, sending)
}

/// Writes a page. The URLs are those of the files, in their order.
fn page_of(
    files: Vec<ProjectFile>,
    urls: Option<SignedUrls>,
    next_page_token: Option<String>,
    sending: Sending,
) -> Result<HttpResponse> {
    let expires_at = urls.as_ref().map(|urls| rfc3339::text(urls.expires_at));
    let mut urls = urls.map(WholeUrls::of).transpose()?;
    let mut files = files.into_iter();
    let mut at = 0;
    let write = move |out: &mut Vec<u8>| -> Result<bool> {
        if at == 0 {
            out.extend_from_slice(b"{\"files\":[");
        }
        if let Some(file) = files.next() {
            if at > 0 {
                out.push(b',');
            }
            push_value(out, &ProjectFileBody::from(file))?;
            if let Some(urls) = &mut urls {
                // Into the object, which has just ended.
                out.pop();
                out.extend_from_slice(b",\"url\":");
                urls.push(out, at)?;
                out.push(b'}');
            }
            at += 1;
        }
        if !files.as_slice().is_empty() {
            return Ok(true);
        }
        out.push(b']');
        if let Some(expires_at) = &expires_at {
            out.extend_from_slice(b",\"expires_at\":");
            push_value(out, expires_at)?;
        }
        if let Some(token) = &next_page_token {
            out.extend_from_slice(b",\"next_page_token\":");
            push_value(out, token)?;
        }
        out.push(b'}');
        Ok(false)
    };
    in_pieces(write, sending)
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

/// Sign URLs of a project's files
#[utoipa::path(
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's ID")),
    request_body = SignProjectFiles,
    responses((status = 200, description = "The URLs, in the order of the keys", body = SignedUrlsBody)),
)]
#[post("/v1/projects/{project_id}/files/sign")]
async fn sign_project_files(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<ProjectId>,
    trail: Trail,
    body: Body<SignProjectFiles, SIGN_LIMIT>,
) -> Result<HttpResponse> {
    let format = body.value.format;
    let request = body.value.request()?;
    trail.signs_reads(&request.keys);
    let urls = services.projects.sign(&member.0, &id.0, &request).await?;
    trail.signed_until(urls.end());
    let sending = Sending::of(&services.files, Some(body.memory));
    of_keys(urls, request.keys, format, sending)
}
