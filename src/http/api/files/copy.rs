//! Copies, moves and ACLs: `/v1/storages/{storage_id}/files/copy`, `…/move`, `…/acl`.

use crate::application::bucket::write::CopiedObject;
use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::application::files::copy::CopyRequest;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::ids::StorageRef;
use crate::domain::people::audit::{FilePart, NamedFile};
use crate::http::api::files::keys::{FileKeyQuery, file_key, version_id};
use crate::http::body::Body;
use crate::http::caller::WriterCaller;
use crate::http::declare::changes_files;
use crate::http::file_headers::NoFileHeaders;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes_files(copy_file))
        .service(changes_files(move_file))
        .service(changes_files(put_file_acl));
}

/// From where to where, within the storage.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CopyFile {
    #[schema(example = "/some-folder/image.png")]
    from: String,
    /// A version of `from`; the present one where this is absent. With it, `to` may be the same key: that restores
    /// the version.
    from_version_id: Option<String>,
    #[schema(example = "/other-folder/image.png")]
    to: String,
    /// Only where there is no file at `to`.
    #[serde(default)]
    if_none_match: bool,
}

impl CopyFile {
    fn parse(&self) -> Result<CopyRequest> {
        Ok(CopyRequest {
            from: file_key("from", &self.from)?,
            from_version: version_id("from_version_id", self.from_version_id.clone())?,
            to: file_key("to", &self.to)?,
            if_none_match: self.if_none_match,
        })
    }
}

/// From where to where a file is moved, within the storage.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveFile {
    #[schema(example = "/some-folder/image.png")]
    from: String,
    #[schema(example = "/other-folder/image.png")]
    to: String,
    /// Only where there is no file at `to`.
    #[serde(default)]
    if_none_match: bool,
}

impl MoveFile {
    fn parse(&self) -> Result<CopyRequest> {
        Ok(CopyRequest {
            from: file_key("from", &self.from)?,
            from_version: None,
            to: file_key("to", &self.to)?,
            if_none_match: self.if_none_match,
        })
    }
}

/// How the audit log names the files.
fn named(request: &CopyRequest) -> [NamedFile; 2] {
    [
        NamedFile::new(&request.from, FilePart::From),
        NamedFile::new(&request.to, FilePart::To),
    ]
}

/// A file just copied or moved.
#[derive(Serialize, ToSchema)]
#[schema(as = CopiedFile)]
struct CopiedBody {
    /// Where it is now.
    #[schema(example = "/other-folder/image.png")]
    key: String,
    /// Null where the store does not say.
    size: Option<u64>,
    etag: Option<String>,
    /// Absent where the bucket keeps no versions.
    version_id: Option<String>,
}

impl CopiedBody {
    fn new(request: &CopyRequest, copied: CopiedObject) -> Self {
        Self {
            key: request.to.to_string(),
            size: copied.size,
            etag: copied.etag,
            version_id: copied.version_id,
        }
    }
}

/// Copy a file
///
/// S3 copies it, with its metadata, whatever its size. With `from_version_id` it copies that version of the file.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = CopyFile,
    responses(
        (status = 200, description = "The file is copied", body = CopiedBody),
        (status = 412, description = "There is a file at `to`, or the original has just changed"),
    ),
)]
#[post("/v1/storages/{storage_id}/files/copy")]
async fn copy_file(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<CopyFile>,
) -> Result<Json<CopiedBody>> {
    let request = body.value.parse()?;
    trail.changes(named(&request)).await?;
    let copied = services.files.copy(&writer.0, &id.0, &request).await?;
    Ok(Json(CopiedBody::new(&request, copied)))
}

/// Move a file
///
/// S3 copies it, and the original is deleted once the copy is there. When the deletion fails, both are
/// there: the problem has `copied`.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = MoveFile,
    responses(
        (status = 200, description = "The file is moved", body = CopiedBody),
        (status = 412, description = "There is a file at `to`, or the original has just changed"),
    ),
)]
#[post("/v1/storages/{storage_id}/files/move")]
async fn move_file(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<MoveFile>,
) -> Result<Json<CopiedBody>> {
    let request = body.value.parse()?;
    trail.changes(named(&request)).await?;
    let copied = services.files.rename(&writer.0, &id.0, &request).await?;
    Ok(Json(CopiedBody::new(&request, copied)))
}

/// Which ACL.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PutFileAcl {
    #[schema(value_type = closed_sets::CannedAclName, example = "bucket-owner-full-control")]
    acl: String,
}

/// Change a file's ACL
///
/// Most buckets have ACLs disabled: then the answer is `acls_disabled`, and says what such buckets use
/// instead.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), FileKeyQuery),
    request_body = PutFileAcl,
    responses(
        (status = 204, description = "The file has the ACL"),
        (status = 409, description = "The bucket has ACLs disabled"),
    ),
)]
#[put("/v1/storages/{storage_id}/files/acl")]
async fn put_file_acl(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FileKeyQuery>,
    trail: Trail,
    body: Body<PutFileAcl>,
) -> Result<HttpResponse> {
    let key = file_key("key", &query.0.key)?;
    let acl = CannedAcl::parse(&body.value.acl).map_err(|invalid| Error::field("acl", invalid))?;
    trail.changes_file(&key).await?;
    services.files.put_acl(&writer.0, &id.0, &key, acl).await?;
    Ok(HttpResponse::NoContent().finish())
}
