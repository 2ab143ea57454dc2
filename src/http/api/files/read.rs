//! Folders and contents: `/v1/storages/{storage_id}/files`, `…/files/content`.

use crate::application::bucket::read::{ListFrom, ReadConditions};
use crate::application::error::{Error, Reason, Result};
use crate::application::files::name_filter::NameFilter;
use crate::application::files::read::{FileEntry, FolderEntry, SearchFrom};
use crate::application::people::caller::Member;
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::http::api::files::content::{ContentAnswers, HeadAnswers, HeadHeaders, ReadHeaders};
use crate::http::api::files::keys::{VersionQuery, file_key, is_one_range, version_id};
use crate::http::caller::MemberCaller;
use crate::http::file_content::{CACHING, describe, with_body};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, head};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_files)
        .service(read_file)
        .service(read_file_head);
}

/// Which folder to list, and how.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListFilesQuery {
    /// Like `/some-folder/`; the root where it is absent.
    folder: Option<String>,
    /// Whether what lies in sub-folders is listed too, instead of the folders' names.
    #[serde(default)]
    recursive: bool,
    /// Only files and folders whose name begins so. S3 finds them by their key, so the rest of the folder is
    /// not read. Not with `recursive`.
    name_prefix: Option<String>,
    /// Only files whose path below the folder matches it, like `**/*.png`: `*` and `?` stay within a
    /// folder, `**` crosses folders. Filtered page by page: a page can be short or empty while others
    /// follow.
    glob: Option<String>,
    /// Only files whose key ends so, like `.png`; filtered as with `glob`.
    suffix: Option<String>,
    /// How many files and folders at most, before the filters: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// A page of a folder.
#[derive(Serialize, ToSchema)]
#[schema(as = FolderPage)]
struct FolderBody {
    /// With both slashes.
    #[schema(example = "/some-folder/")]
    folder: String,
    folders: Vec<FolderEntryBody>,
    files: Vec<FileEntryBody>,
    /// Where the page has an object with bytes whose key is the bucket prefix itself: no file key names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_object: Option<PrefixObjectBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// An object whose key is the bucket prefix itself.
#[derive(Serialize, ToSchema)]
#[schema(as = PrefixObject)]
struct PrefixObjectBody {
    /// In bytes.
    size: i64,
}

/// A folder in a folder.
#[derive(Serialize, ToSchema)]
#[schema(as = FolderEntry)]
struct FolderEntryBody {
    #[schema(example = "/some-folder/inner/")]
    key: String,
    #[schema(example = "inner")]
    name: String,
    /// False for a folder whose key has a `.` or `..` segment: it cannot be listed.
    usable: bool,
}

/// A file in a folder.
#[derive(Serialize, ToSchema)]
#[schema(as = FileEntry)]
struct FileEntryBody {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    #[schema(example = "image.png")]
    name: String,
    size: i64,
    #[serde(with = "crate::domain::rfc3339::option")]
    last_modified: Option<OffsetDateTime>,
    etag: Option<String>,
    storage_class: Option<String>,
    /// False for an object whose key has a `.` or `..` segment: no file key or link can name it.
    usable: bool,
}

/// List a folder
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), ListFilesQuery),
    responses((status = 200, description = "A page of the folder", body = FolderBody)),
)]
#[get("/v1/storages/{storage_id}/files")]
async fn list_files(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<ListFilesQuery>,
) -> Result<Json<FolderBody>> {
    let folder = Folder::parse(query.0.folder.as_deref().unwrap_or_default())
        .map_err(|invalid| Error::field("folder", invalid))?;
    let recursive = query.0.recursive;
    let filter = NameFilter::new(query.0.glob.as_deref(), query.0.suffix)?;
    let begins = query.0.name_prefix.filter(|begins| !begins.is_empty());
    if recursive && begins.is_some() {
        let detail =
            "`name_prefix` has no meaning with `recursive`: a name is looked for in one folder.";
        return Err(Error::field(
            "name_prefix",
            Invalid::new("unexpected_field", detail),
        ));
    }
    // A token goes on with the search that it came from.
    let place = format!(
        "{}/storages/{}/files/{recursive}{folder}{}",
        member.0.workspace,
        id.0,
        begins.as_deref().unwrap_or_default()
    );
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let token = services
        .page_tokens
        .open(&place, request.token.as_deref())?;
    let files = &services.files;
    let found = match begins {
        None => {
            let from = token.map_or(ListFrom::Beginning, ListFrom::Continuation);
            files
                .list(&member.0, &id.0, folder, recursive, request.size, from)
                .await?
        }
        Some(begins) => {
            let from = token.map_or(SearchFrom::Beginning, SearchFrom::Continuation);
            let found = files.search(&member.0, &id.0, folder, &begins, request.size, from);
            found.await.map_err(of_the_parameter)?
        }
    };
    let found = found.keep(&filter);
    Ok(Json(FolderBody {
        folder: found.folder.to_string(),
        folders: found.folders.into_iter().map(Into::into).collect(),
        files: found.files.into_iter().map(Into::into).collect(),
        prefix_object: found.prefix_object.map(|size| PrefixObjectBody { size }),
        next_page_token: found
            .continuation
            .map(|token| services.page_tokens.seal(&place, &token))
            .transpose()?,
    }))
}

/// The search's own name for the text is that of a field on a page.
fn of_the_parameter(mut error: Error) -> Error {
    for field in &mut error.fields {
        if field.field == "find" {
            field.field = "name_prefix".into();
        }
    }
    error
}

impl From<FolderEntry> for FolderEntryBody {
    fn from(folder: FolderEntry) -> Self {
        Self {
            key: folder.key,
            name: folder.name,
            usable: folder.usable,
        }
    }
}

impl From<FileEntry> for FileEntryBody {
    fn from(file: FileEntry) -> Self {
        Self {
            key: file.key,
            name: file.name,
            size: file.size,
            last_modified: file.last_modified,
            etag: file.etag,
            storage_class: file.storage_class,
            usable: file.usable,
        }
    }
}

/// Read a file
///
/// Streams the content. `Range` (one range), `If-Range`, `If-Match` and `If-None-Match` are respected.
/// HTML, SVG and other active types come as attachments of an inert type.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), VersionQuery, ReadHeaders),
    responses(ContentAnswers),
)]
#[get("/v1/storages/{storage_id}/files/content")]
async fn read_file(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
    trail: Trail,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let key = file_key("key", &query.0.key)?;
    trail.reads([&key]);
    let version = version_id("version_id", query.0.version_id)?;
    let file = ServedFile {
        services: &services,
        member: &member.0,
        storage: &id.0,
        key: &key,
        version,
    };
    file.content(request.headers()).await
}

/// A file that an address serves, whichever way it names it.
pub(in crate::http::api) struct ServedFile<'a> {
    pub services: &'a Services,
    pub member: &'a Member,
    pub storage: &'a StorageRef,
    pub key: &'a FileKey,
    pub version: Option<String>,
}

impl ServedFile<'_> {
    /// The content, as the headers of the request ask for it.
    pub async fn content(self, headers: &HeaderMap) -> Result<HttpResponse> {
        let mut conditions = conditions(headers);
        conditions.version_id = self.version.clone();
        // The client has a part, and wants the rest of it or else the whole new version. S3 knows no
        // `If-Range`; `If-Match` asks the same where the client has no `If-Match` of its own.
        let mut or_whole = false;
        if let Some(tag) = text(headers, header::IF_RANGE) {
            if conditions.range.is_some() && conditions.if_match.is_none() {
                conditions.if_match = Some(tag);
                or_whole = true;
            } else {
                conditions.range = None;
            }
        }
        let read = |conditions: ReadConditions| {
            let Self {
                services,
                member,
                storage,
                key,
                ..
            } = &self;
            async move {
                services
                    .files
                    .content(member, storage, key, &conditions)
                    .await
            }
        };
        let answer = match read(conditions.clone()).await {
            Err(error) if error.reason == Some(Reason::ConditionFailed) && or_whole => {
                let whole = ReadConditions {
                    range: None,
                    if_match: None,
                    ..conditions.clone()
                };
                read(whole).await
            }
            answer => answer,
        };
        let content = match answer {
            Err(error) if error.reason == Some(Reason::NotModified) => {
                let mut response = HttpResponse::NotModified();
                response.insert_header((header::CACHE_CONTROL, CACHING));
                if let Some(tag) = conditions.if_none_match.filter(|tags| is_one_tag(tags)) {
                    response.insert_header((header::ETAG, tag));
                }
                return Ok(response.finish());
            }
            answer => answer?,
        };
        let mut response = HttpResponse::build(match content.content_range {
            Some(_) => StatusCode::PARTIAL_CONTENT,
            None => StatusCode::OK,
        });
        describe(&mut response, self.key, &content.metadata);
        if let Some(range) = content.content_range {
            response.insert_header((header::CONTENT_RANGE, range));
        }
        Ok(with_body(
            &mut response,
            content.content_length,
            content.body,
            content.cut,
        ))
    }

    /// The headers of the content, without it.
    pub async fn head(self, headers: &HeaderMap) -> Result<HttpResponse> {
        let metadata = self
            .services
            .files
            .details(self.member, self.storage, self.key, self.version.as_deref())
            .await?
            .metadata;
        let known = text(headers, header::IF_NONE_MATCH);
        let unchanged = known.is_some_and(|known| {
            known == "*"
                || known
                    .split(',')
                    .any(|tag| Some(tag.trim()) == metadata.etag.as_deref())
        });
        let mut response = HttpResponse::build(match unchanged {
            true => StatusCode::NOT_MODIFIED,
            false => StatusCode::OK,
        });
        describe(&mut response, self.key, &metadata);
        if unchanged {
            return Ok(response.finish());
        }
        let length = metadata.size.map(u64::try_from).transpose();
        let nothing = futures_util::stream::empty::<std::result::Result<_, std::io::Error>>();
        Ok(match length.map_err(Error::bug)? {
            Some(length) => response.body(SizedStream::new(length, nothing)),
            None => response.body(BodyStream::new(nothing)),
        })
    }
}

/// Read a file's headers
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), VersionQuery, HeadHeaders),
    responses(HeadAnswers),
)]
#[head("/v1/storages/{storage_id}/files/content")]
async fn read_file_head(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let key = file_key("key", &query.0.key)?;
    let version = version_id("version_id", query.0.version_id)?;
    let file = ServedFile {
        services: &services,
        member: &member.0,
        storage: &id.0,
        key: &key,
        version,
    };
    file.head(request.headers()).await
}

fn conditions(headers: &HeaderMap) -> ReadConditions {
    // A range that is not understood is ignored, as RFC 9110 says; so are several ranges, which S3 does
    // not serve.
    let range = text(headers, header::RANGE).filter(|range| is_one_range(range));
    ReadConditions {
        range,
        if_match: text(headers, header::IF_MATCH),
        if_none_match: text(headers, header::IF_NONE_MATCH),
        version_id: None,
    }
}

/// Whether this is one entity tag, and not a list or `*`.
pub(crate) fn is_one_tag(tags: &str) -> bool {
    tags.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .is_some_and(|tag| !tag.contains('"'))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}
