//! Uploads and deletions below `/v1/storages/{storage_id}/files`.

use crate::application::bucket::write::{NewObject, WriteConditions};
use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::files::write::{FileToDelete, MOST_DELETED};
use crate::domain::Invalid;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::domain::people::audit::{FilePart, NamedFile};
use crate::http::api::files::content::FileContent;
use crate::http::api::files::keys::{FileKeyQuery, VersionQuery, file_key, version_id};
use crate::http::body::Body;
use crate::http::caller::WriterCaller;
use crate::http::declare::changes_files;
use crate::http::file_headers::NoFileHeaders;
use crate::http::path::Id;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::step_problem::MissingPermissionBody;
use crate::http::trail::Trail;
use crate::http::upload;
use actix_web::http::header;
use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpRequest, HttpResponse, delete, post, put};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// Up to 10,000 keys of 1,024 bytes, with versions.
const DELETE_LIMIT: usize = 32 << 20;
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes_files(upload_file))
        .service(changes_files(delete_file))
        .service(changes_files(delete_files));
}

/// A file just stored.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredFile)]
pub(crate) struct StoredBody {
    #[schema(example = "/some-folder/image.png")]
    pub key: String,
    pub size: Option<u64>,
    pub etag: Option<String>,
    /// Absent where the bucket keeps no versions.
    pub version_id: Option<String>,
    pub checksum: ChecksumBody,
}

/// What was computed of the bytes on their way.
#[derive(Serialize, ToSchema)]
#[schema(as = Checksum)]
pub(crate) struct ChecksumBody {
    /// In base64, as in `x-amz-checksum-sha256`.
    #[schema(example = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")]
    pub sha256: Option<String>,
}

/// The conditions and digests of an upload.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "only for the OpenAPI document; the headers are read one by one"
)]
struct UploadHeaders {
    /// `*`: the file is stored only where there is none with this key.
    #[param(rename = "If-None-Match", example = "*", pattern = r"^\*$")]
    if_none_match: Option<String>,
    /// The file is stored only in place of the one with this ETag.
    #[param(rename = "If-Match", example = "\"9bb58f26192e4ba00f01e2e7b136bbd8\"")]
    if_match: Option<String>,
    /// Stored with the file, and in its metadata.
    #[param(rename = "Cache-Control", example = "max-age=3600")]
    cache_control: Option<String>,
    /// Stored with the file, and in its metadata.
    #[param(rename = "Content-Disposition", example = "attachment")]
    content_disposition: Option<String>,
    /// Stored with the file, and in its metadata.
    #[param(rename = "Content-Language", example = "de")]
    content_language: Option<String>,
    /// A date of HTTP, stored with the file, and in its metadata.
    #[param(rename = "Expires", example = "Tue, 01 Jan 2030 00:00:00 GMT")]
    expires: Option<String>,
    /// The body's MD5, in base64.
    #[param(rename = "Content-MD5", example = "kAFQmDzST7DWlj99KOF/cg==")]
    content_md5: Option<String>,
    /// Digests of the body (RFC 9530); those by `sha-256`, `sha-512` and `md5` must be the body's, and one of
    /// them must be there.
    #[param(
        rename = "Content-Digest",
        example = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    )]
    content_digest: Option<String>,
    /// The same as `Content-Digest`: a file has no other representation here.
    #[param(
        rename = "Repr-Digest",
        example = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    )]
    repr_digest: Option<String>,
    /// The same as RFC 3230 writes it.
    #[param(
        rename = "Digest",
        example = "SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    )]
    digest: Option<String>,
    /// The body's SHA-256, in base64.
    #[param(
        rename = "x-amz-checksum-sha256",
        example = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    )]
    sha256: Option<String>,
    /// The file's canned ACL, set in the same call. It needs `s3:PutObjectAcl` besides.
    #[param(rename = "x-amz-acl", value_type = Option<closed_sets::CannedAclName>)]
    acl: Option<String>,
    /// Any header `X-Sallyport-Meta-NAME` becomes the file's metadata `name`; OpenAPI has no word for a
    /// family of headers, so this one stands for all. Names and values have 2,048 bytes together.
    #[param(rename = "X-Sallyport-Meta-Owner", example = "Ann")]
    metadata: Option<String>,
}

/// Upload a file
///
/// The body is the file, of any type and of up to 5 TiB; without a `Content-Length`, of up to 257 GiB. It
/// is stored as a whole or not at all.
///
/// `Content-Type` is kept; where it is absent, the key's ending decides. `Cache-Control`,
/// `Content-Disposition`, `Content-Language` and `Expires` are kept too. `X-Sallyport-Meta-NAME` becomes
/// the file's metadata `name`. `If-None-Match: *` stores the file only where there is none, `If-Match`
/// only in place of the one with that ETag. Digests in `Content-MD5`, `Content-Digest`, `Repr-Digest`,
/// `Digest` and `x-amz-checksum-sha256` must be those of the body. `x-amz-acl` is the file's ACL. Other headers
/// of stores (`x-amz-tagging` and the like) and others that describe a file are refused, because they would be without effect; so is a form
/// (`multipart/form-data`).
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), FileKeyQuery, UploadHeaders),
    request_body(content = inline(FileContent), content_type = "application/octet-stream", description = "The file. Any other `Content-Type` is taken and kept too."),
    responses(
        (status = 200, description = "The file is stored", body = StoredBody, headers(("ETag" = String, description = "The file's ETag"))),
        (status = 409, description = "The storage is read-only; with `x-amz-acl` also `not_granted`, `acls_disabled`, `public_acls_blocked`"),
        (status = 412, description = "The condition does not hold"),
        (status = 415, description = "The body is a form, or compressed"),
        (status = 422, description = "The body does not have the digest that was sent, or a header is not supported"),
    ),
)]
#[put("/v1/storages/{storage_id}/files/content")]
async fn upload_file(
    writer: WriterCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FileKeyQuery>,
    trail: Trail,
    request: HttpRequest,
    payload: Payload,
) -> std::result::Result<HttpResponse, Problem> {
    let key = file_key("key", &query.0.key)?;
    upload::is_a_file(request.headers())?;
    let object = new_object(&request, &key)?;
    let body = upload::body(&request, payload)?;
    trail.changes_file(&key).await?;
    let stored = services
        .files
        .put(&writer.0, &id.0, &key, object, body)
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(etag) = &stored.etag {
        response.insert_header((header::ETAG, etag.as_str()));
    }
    Ok(response.json(StoredBody {
        key: key.to_string(),
        size: stored.size,
        etag: stored.etag,
        version_id: stored.version_id,
        checksum: ChecksumBody {
            sha256: stored.sha256.map(|text| text.0),
        },
    }))
}

fn new_object(request: &HttpRequest, key: &FileKey) -> Result<NewObject> {
    let headers = request.headers();
    let given = upload::text(headers, "content-type")?.filter(|text| !text.is_empty());
    let content_type = given.map_or_else(|| guessed_type(key), str::to_owned);
    let if_none_match = match upload::text(headers, "if-none-match")?.map(str::trim) {
        None => false,
        Some("*") => true,
        Some(_) => {
            return Err(Error::field(
                "If-None-Match",
                Invalid::new(
                    "unsupported_condition",
                    "An upload takes `If-None-Match: *` only.",
                ),
            ));
        }
    };
    Ok(NewObject {
        content_type,
        headers: upload::stored_headers(headers)?,
        metadata: upload::metadata(headers)?,
        conditions: WriteConditions {
            if_none_match,
            if_match: upload::text(headers, "if-match")?.map(str::to_owned),
        },
        acl: upload::text(headers, "x-amz-acl")?
            .map(|acl| CannedAcl::parse(acl.trim()))
            .transpose()
            .map_err(|invalid| Error::field("x-amz-acl", invalid))?,
    })
}

/// The media type that the key's ending stands for.
pub(crate) fn guessed_type(key: &FileKey) -> String {
    mime_guess::from_path(key.name())
        .first_raw()
        .unwrap_or("application/octet-stream")
        .to_owned()
}

/// Delete a file
///
/// One that is not there is as good as deleted. In a bucket that keeps versions, the file's versions stay
/// and it can be restored; with `version_id`, that version is deleted permanently.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), VersionQuery),
    responses(
        (status = 204, description = "The file is not there any more"),
        (status = 409, description = "The storage is read-only"),
    ),
)]
#[delete("/v1/storages/{storage_id}/files")]
async fn delete_file(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
    trail: Trail,
) -> Result<HttpResponse> {
    let file = FileToDelete {
        key: file_key("key", &query.0.key)?,
        version_id: version_id("version_id", query.0.version_id)?,
    };
    trail.changes([named(&file)]).await?;
    services.files.delete(&writer.0, &id.0, &file).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How the audit log names it.
fn named(file: &FileToDelete) -> NamedFile {
    NamedFile {
        version_id: file.version_id.clone(),
        ..NamedFile::new(&file.key, FilePart::File)
    }
}

/// Which files to delete.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeleteFiles {
    /// At most 10,000 file keys, or objects that name a version too.
    keys: Vec<DeleteBody>,
}

/// A file to delete.
#[derive(Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "a file key, or an object with `key` and `version_id`"
)]
#[schema(as = FileToDelete)]
enum DeleteBody {
    Key(String),
    Version(VersionToDelete),
}

/// A version of a file to delete.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VersionToDelete {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    version_id: Option<String>,
}

/// What became of the files, in the order of the request.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedFiles)]
struct DeletedBody {
    /// The files that are not there any more.
    deleted: Vec<String>,
    /// The files that could not be deleted.
    errors: Vec<NotDeletedBody>,
}

/// A file that could not be deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = NotDeletedFile)]
struct NotDeletedBody {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    /// Why, as in a problem.
    #[schema(value_type = closed_sets::AnyProblemCode)]
    code: &'static str,
    detail: String,
    /// The code of the cause, as in a check's report, where the storage refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<closed_sets::AnyCauseCode>)]
    cause: Option<&'static str>,
    /// The permissions whose lack explains it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingPermissionBody>,
}

fn missing_of(error: &Error) -> Vec<MissingPermissionBody> {
    let diagnosis = error.diagnosis.iter();
    let missing = diagnosis.flat_map(|known| &known.problem.missing);
    missing.cloned().map(Into::into).collect()
}

/// Delete many files
///
/// Answers with a result for each: some may be deleted while others are not.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = DeleteFiles,
    responses(
        (status = 200, description = "What became of each file", body = DeletedBody),
        (status = 409, description = "The storage is read-only"),
    ),
)]
#[post("/v1/storages/{storage_id}/files/delete")]
async fn delete_files(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<DeleteFiles, DELETE_LIMIT>,
) -> Result<Json<DeletedBody>> {
    let files = files_to_delete(body.value.keys)?;
    trail.changes(files.iter().map(named)).await?;
    let outcomes = services.files.delete_many(&writer.0, &id.0, files).await?;
    let became = outcomes.iter().map(|outcome| outcome.error.as_ref());
    trail.became(became.enumerate());
    let mut answer = DeletedBody {
        deleted: Vec::new(),
        errors: Vec::new(),
    };
    for outcome in outcomes {
        let key = outcome.file.key.to_string();
        match outcome.error {
            None => answer.deleted.push(key),
            Some(error) => answer.errors.push(NotDeletedBody {
                key,
                version_id: outcome.file.version_id,
                code: error.code,
                cause: error.diagnosis.as_ref().map(|known| known.cause.code()),
                missing: missing_of(&error),
                detail: error.for_admins().detail.clone(),
            }),
        }
    }
    Ok(Json(answer))
}

/// Every file parsed, or every bad one named by its place.
fn files_to_delete(keys: Vec<DeleteBody>) -> Result<Vec<FileToDelete>> {
    /// More would make the answer longer than it is of use.
    const MOST_ERRORS: usize = 100;
    if keys.len() > MOST_DELETED {
        return Err(Error::field(
            "keys",
            Invalid::new(
                "too_many_keys",
                format!("One call deletes at most {MOST_DELETED} files."),
            ),
        ));
    }
    let mut files = Vec::with_capacity(keys.len());
    let mut errors: Vec<FieldError> = Vec::new();
    for (at, body) in keys.into_iter().enumerate() {
        let (key, version) = match body {
            DeleteBody::Key(key) => (key, None),
            DeleteBody::Version(VersionToDelete { key, version_id }) => (key, version_id),
        };
        let file = file_key(&format!("keys[{at}]"), &key).and_then(|key| {
            let version_id = version_id(&format!("keys[{at}].version_id"), version)?;
            Ok(FileToDelete { key, version_id })
        });
        match file {
            Ok(file) => files.push(file),
            Err(error) if errors.len() < MOST_ERRORS => errors.extend(error.fields.clone()),
            Err(_) => {}
        }
    }
    if errors.is_empty() {
        Ok(files)
    } else {
        Err(Error::invalid(errors))
    }
}
