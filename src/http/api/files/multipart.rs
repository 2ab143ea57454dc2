//! Uploads in parts by signed URLs: `/v1/storages/{storage_id}/files/multipart`.

use crate::application::bucket::multipart::SentPart;
use crate::application::bucket::write::{NewObject, StoredHeaders, WriteConditions};
use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::domain::Invalid;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::ids::StorageRef;
use crate::http::api::files::keys::file_key;
use crate::http::api::files::signed_answer::whole;
use crate::http::api::files::write::{ChecksumBody, StoredBody, guessed_type};
use crate::http::body::Body;
use crate::http::caller::WriterCaller;
use crate::http::declare::{asks, changes_files};
use crate::http::file_headers::NoFileHeaders;
use crate::http::json_pieces::{Sending, push_value};
use crate::http::path::Id;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// Up to 10,000 parts with their ETags.
const PARTS_LIMIT: usize = 4 << 20;
const LONGEST_ETAG: usize = 256;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes_files(begin_upload))
        .service(asks(sign_upload_parts))
        .service(changes_files(complete_upload))
        .service(changes_files(abort_upload));
}

/// What is to be uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeginUpload {
    #[schema(example = "/some-folder/video.mp4")]
    key: String,
    /// By the key's ending where it is absent.
    #[schema(example = "video/mp4")]
    content_type: Option<String>,
    /// The file's size, up to 5 TiB. A part's size follows from it; without it, the file may have 625
    /// GiB.
    size: Option<u64>,
    /// Only where there is no file with this key when the upload is completed.
    #[serde(default)]
    if_none_match: bool,
    /// The file's canned ACL. It needs `s3:PutObjectAcl` besides.
    #[schema(value_type = Option<closed_sets::CannedAclName>)]
    acl: Option<String>,
}

/// An upload that has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = BegunUpload)]
struct BegunUploadBody {
    upload_id: String,
    /// How many bytes each part has, but the last.
    part_size: u64,
}

/// Begin an upload in parts
///
/// For browsers: the parts go to the bucket by signed URLs. Complete the upload, or abort it: parts that
/// are left are paid for. The bucket's CORS rules must expose `ETag`, as the documents' do.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = BeginUpload,
    responses((status = 200, description = "The upload", body = BegunUploadBody)),
)]
#[post("/v1/storages/{storage_id}/files/multipart")]
async fn begin_upload(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<BeginUpload>,
) -> Result<Json<BegunUploadBody>> {
    let request = body.value;
    let key = file_key("key", &request.key)?;
    let content_type = match request.content_type {
        None => guessed_type(&key),
        Some(text) if is_header_text(&text, 255) => text,
        Some(_) => {
            return Err(Error::field(
                "content_type",
                Invalid::new(
                    "invalid_content_type",
                    "A content type is 1 to 255 characters of printable ASCII.",
                ),
            ));
        }
    };
    let object = NewObject {
        content_type,
        headers: StoredHeaders::default(),
        metadata: Vec::new(),
        conditions: WriteConditions {
            if_none_match: request.if_none_match,
            if_match: None,
        },
        acl: request
            .acl
            .as_deref()
            .map(CannedAcl::parse)
            .transpose()
            .map_err(|invalid| Error::field("acl", invalid))?,
    };
    trail.changes_file(&key).await?;
    let begun = services
        .files
        .begin_multipart(&writer.0, &id.0, &key, &object, request.size)
        .await?;
    Ok(Json(BegunUploadBody {
        upload_id: begun.upload_id,
        part_size: begun.part_size,
    }))
}

fn is_header_text(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// Which parts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignParts {
    upload_id: String,
    /// 1 to 10,000.
    part_numbers: Vec<u32>,
    /// Seconds; 900 where it is absent.
    expires_in: Option<u64>,
}

/// Signed URLs of parts, in the order of their numbers in the request.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedParts)]
#[allow(dead_code, reason = "only for the OpenAPI document")]
struct SignedPartsBody {
    urls: Vec<SignedPartBody>,
}

/// How a part is sent.
#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only for the OpenAPI document")]
enum PartMethod {
    Put,
}

/// A URL to which one part is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedPart)]
#[allow(dead_code, reason = "only for the OpenAPI document")]
struct SignedPartBody {
    part_number: u32,
    url: String,
    #[schema(inline, value_type = PartMethod)]
    method: &'static str,
    /// Headers that the request must carry.
    headers: BTreeMap<String, String>,
    /// When the URL stops working.
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Sign URLs for parts
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = SignParts,
    responses((status = 200, description = "A URL for each part", body = SignedPartsBody)),
)]
#[post("/v1/storages/{storage_id}/files/multipart/parts")]
async fn sign_upload_parts(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<SignParts>,
) -> Result<HttpResponse> {
    let request = body.value;
    let key = services
        .files
        .key_of_upload(&writer.0, &id.0, &request.upload_id)?;
    trail.signs("PUT", &[key]).await?;
    let urls = services
        .files
        .sign_parts(
            &writer.0,
            &id.0,
            &request.upload_id,
            &request.part_numbers,
            request.expires_in.map(Duration::from_secs),
        )
        .await?;
    trail.signed_until(urls.end());
    let numbers = request.part_numbers;
    let label = move |out: &mut Vec<u8>, at: usize| -> Result<()> {
        out.extend_from_slice(b"\"part_number\":");
        push_value(out, &numbers.get(at))
    };
    let sending = Sending::of(&services.files, Some(body.memory));
    whole(urls, label, sending)
}

/// Which parts were sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompleteUpload {
    upload_id: String,
    /// Every part that was sent.
    parts: Vec<SentPartBody>,
}

/// A part that was sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SentPart)]
struct SentPartBody {
    part_number: u32,
    /// The header `ETag` of S3's answer to the part.
    etag: String,
}

/// Complete an upload in parts
///
/// Makes the file of its parts. Sent again after that, it answers the same while the file is unchanged, if the file's
/// ETag proves that it is of these parts.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = CompleteUpload,
    responses(
        (status = 200, description = "The file is stored", body = StoredBody),
        (status = 409, description = "The parts do not fit, or there is no such upload any more"),
        (status = 412, description = "There is a file with this key"),
    ),
)]
#[post("/v1/storages/{storage_id}/files/multipart/complete")]
async fn complete_upload(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<CompleteUpload, PARTS_LIMIT>,
) -> Result<Json<StoredBody>> {
    let request = body.value;
    let mut parts = Vec::with_capacity(request.parts.len());
    for (at, part) in request.parts.into_iter().enumerate() {
        if !is_header_text(&part.etag, LONGEST_ETAG) {
            return Err(Error::field(
                &format!("parts[{at}].etag"),
                Invalid::new("invalid_etag", "This is no ETag of S3."),
            ));
        }
        parts.push(SentPart {
            number: part.part_number,
            etag: part.etag,
            checksum_crc32: None,
        });
    }
    let key = services
        .files
        .key_of_upload(&writer.0, &id.0, &request.upload_id)?;
    trail.changes_file(&key).await?;
    let (key, stored) = services
        .files
        .complete_multipart(&writer.0, &id.0, &request.upload_id, parts)
        .await?;
    Ok(Json(StoredBody {
        key: key.to_string(),
        size: stored.size,
        etag: stored.etag,
        version_id: stored.version_id,
        checksum: ChecksumBody { sha256: None },
    }))
}

/// Which upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AbortUpload {
    upload_id: String,
}

/// Abort an upload in parts
///
/// Nothing of it stays in the bucket.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    request_body = AbortUpload,
    responses((status = 204, description = "The upload is given up")),
)]
#[post("/v1/storages/{storage_id}/files/multipart/abort")]
async fn abort_upload(
    writer: WriterCaller,
    _: NoFileHeaders,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    body: Body<AbortUpload>,
) -> Result<HttpResponse> {
    let upload_id = &body.value.upload_id;
    let key = services.files.key_of_upload(&writer.0, &id.0, upload_id)?;
    trail.changes_file(&key).await?;
    services
        .files
        .abort_multipart(&writer.0, &id.0, upload_id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
