//! Read-only queries about files and buckets: `/v1/storages/{storage_id}/files/metadata`,
//! `…/versions`, `…/acl`, and `/v1/storages/{storage_id}/location` and `…/buckets`.

use crate::application::bucket::query::{
    AccountBucket, BucketPage, Grant, ObjectDetails, ObjectVersion, Restore,
};
use crate::application::error::Result;
use crate::application::kept::page_tokens::PageTokens;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::api::files::keys::{FileKeyQuery, VersionQuery, file_key, version_id};
use crate::http::caller::{AdminCaller, MemberCaller};
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// A drop-down gets this many pages of S3's at most, of 1,000 buckets each.
const OPTION_PAGES: usize = 10;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(get_file_metadata)
        .service(list_file_versions)
        .service(get_file_acl)
        .service(get_location)
        .service(list_buckets);
}

/// What is known of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = FileMetadata)]
struct MetadataBody {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    /// In bytes; null where the store does not say.
    size: Option<i64>,
    etag: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_disposition: Option<String>,
    content_language: Option<String>,
    cache_control: Option<String>,
    /// As it is stored.
    #[schema(example = "Tue, 01 Jan 2030 00:00:00 GMT")]
    expires: Option<String>,
    #[serde(with = "crate::domain::rfc3339::option")]
    last_modified: Option<OffsetDateTime>,
    version_id: Option<String>,
    storage_class: Option<String>,
    /// The customer's own, without `x-amz-meta-`. Encoded words (RFC 2047) are decoded.
    metadata: BTreeMap<String, String>,
    /// How many more values of metadata the file has that the store cannot send in headers.
    #[schema(example = 0)]
    missing_metadata: u32,
    server_side_encryption: Option<EncryptionBody>,
    /// In base64, by S3's names: those that S3 has. One that ends in `-` and a number is of the parts'
    /// checksums.
    #[schema(example = json!({"crc32": "NSRBwg=="}))]
    checksums: BTreeMap<&'static str, String>,
    /// The file must be restored before it can be read.
    archived: bool,
    restore: Option<RestoreBody>,
}

/// How S3 keeps a file encrypted.
#[derive(Serialize, ToSchema)]
#[schema(as = Encryption)]
struct EncryptionBody {
    #[schema(example = "aws:kms")]
    algorithm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
}

/// A restoration of an archived file.
#[derive(Serialize, ToSchema)]
#[schema(as = FileRestore)]
struct RestoreBody {
    in_progress: bool,
    /// Until when the restored file can be read.
    #[serde(
        with = "crate::domain::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    until: Option<OffsetDateTime>,
}

impl MetadataBody {
    fn new(key: &FileKey, found: ObjectDetails) -> Self {
        let metadata = found.metadata;
        let kms_key_id = found.kms_key_id;
        Self {
            key: key.to_string(),
            size: metadata.size,
            etag: metadata.etag,
            content_type: metadata.content_type,
            content_encoding: metadata.content_encoding,
            content_disposition: found.headers.content_disposition,
            content_language: found.headers.content_language,
            cache_control: found.headers.cache_control,
            expires: found.headers.expires,
            last_modified: metadata.last_modified,
            version_id: metadata.version_id,
            storage_class: metadata.storage_class,
            metadata: metadata.metadata.into_iter().collect(),
            missing_metadata: found.missing_metadata,
            server_side_encryption: found.encryption.map(|algorithm| EncryptionBody {
                algorithm,
                kms_key_id,
            }),
            checksums: found.checksums.into_iter().collect(),
            archived: found.archive.archived,
            restore: found.archive.restore.map(|restore| match restore {
                Restore::InProgress => RestoreBody {
                    in_progress: true,
                    until: None,
                },
                Restore::Until(until) => RestoreBody {
                    in_progress: false,
                    until,
                },
            }),
        }
    }
}

/// Read a file's metadata
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), VersionQuery),
    responses((status = 200, description = "What is known of the file", body = MetadataBody)),
)]
#[get("/v1/storages/{storage_id}/files/metadata")]
async fn get_file_metadata(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
) -> Result<Json<MetadataBody>> {
    let key = file_key("key", &query.0.key)?;
    let version = version_id("version_id", query.0.version_id)?;
    let found = services
        .files
        .details(&member.0, &id.0, &key, version.as_deref())
        .await?;
    Ok(Json(MetadataBody::new(&key, found)))
}

/// Which file's versions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionsQuery {
    /// The file key, like `/some-folder/image.png`.
    key: String,
    /// How many versions: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// Versions of a file, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = FileVersions)]
struct VersionsBody {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    versions: Vec<VersionBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A version of a file, or its deletion.
#[derive(Serialize, ToSchema)]
#[schema(as = FileVersion)]
struct VersionBody {
    /// `null`, the word, for a file that was stored before the bucket kept versions.
    version_id: String,
    is_latest: bool,
    /// The file was deleted here: a delete marker, which has no content.
    is_delete_marker: bool,
    size: i64,
    #[serde(with = "crate::domain::rfc3339::option")]
    last_modified: Option<OffsetDateTime>,
    etag: Option<String>,
    storage_class: Option<String>,
}

impl From<ObjectVersion> for VersionBody {
    fn from(version: ObjectVersion) -> Self {
        Self {
            version_id: version.version_id,
            is_latest: version.is_latest,
            is_delete_marker: version.is_delete_marker,
            size: version.size,
            last_modified: version.last_modified,
            etag: version.etag,
            storage_class: version.storage_class,
        }
    }
}

/// List a file's versions
///
/// Delete markers are among them. A key that never was a file has none.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), VersionsQuery),
    responses((status = 200, description = "A page of the versions", body = VersionsBody)),
)]
#[get("/v1/storages/{storage_id}/files/versions")]
async fn list_file_versions(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionsQuery>,
) -> Result<Json<VersionsBody>> {
    let key = file_key("key", &query.0.key)?;
    let place = format!("{}/storages/{}/versions{key}", member.0.workspace, id.0);
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let after = services
        .page_tokens
        .open(&place, request.token.as_deref())?;
    let found = services
        .files
        .versions(&member.0, &id.0, &key, request.size, after.as_deref())
        .await?;
    Ok(Json(VersionsBody {
        key: key.to_string(),
        versions: found.versions.into_iter().map(Into::into).collect(),
        next_page_token: found
            .after
            .map(|after| services.page_tokens.seal(&place, &after))
            .transpose()?,
    }))
}

/// A file's access control list.
#[derive(Serialize, ToSchema)]
#[schema(as = FileAcl)]
struct AclBody {
    #[schema(example = "/some-folder/image.png")]
    key: String,
    grants: Vec<GrantBody>,
}

/// A permission on a file.
#[derive(Serialize, ToSchema)]
#[schema(as = FileGrant)]
struct GrantBody {
    /// A canonical user's ID, or a group's URI.
    grantee: String,
    /// `FULL_CONTROL`, `READ`, `READ_ACP` or `WRITE_ACP`.
    permission: String,
}

impl From<Grant> for GrantBody {
    fn from(grant: Grant) -> Self {
        Self {
            grantee: grant.grantee,
            permission: grant.permission,
        }
    }
}

/// Read a file's ACL
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`"), FileKeyQuery),
    responses((status = 200, description = "Who has which permission on it", body = AclBody)),
)]
#[get("/v1/storages/{storage_id}/files/acl")]
async fn get_file_acl(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FileKeyQuery>,
) -> Result<Json<AclBody>> {
    let key = file_key("key", &query.0.key)?;
    let grants = services.files.acl(&member.0, &id.0, &key).await?;
    Ok(Json(AclBody {
        key: key.to_string(),
        grants: grants.into_iter().map(Into::into).collect(),
    }))
}

/// Where a bucket is.
#[derive(Serialize, ToSchema)]
#[schema(as = Location)]
struct LocationBody {
    #[schema(example = "eu-central-1")]
    region: String,
}

/// Read the bucket's Region
///
/// S3 is asked, now.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID, or `built-in`")),
    responses((status = 200, description = "Where the bucket is", body = LocationBody)),
)]
#[get("/v1/storages/{storage_id}/location")]
async fn get_location(
    member: MemberCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<Json<LocationBody>> {
    let region = services.files.location(&member.0, &id.0).await?;
    Ok(Json(LocationBody {
        region: region.to_string(),
    }))
}

/// Which buckets, and in which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BucketsQuery {
    /// `list` is a page of buckets, `options` an array of `{text, value}` for a drop-down.
    #[serde(default)]
    #[param(inline)]
    format: BucketsFormat,
    /// How many buckets: 1 to 1000. `options` come all at once.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BucketsFormat {
    #[default]
    List,
    Options,
}

/// A page of buckets.
#[derive(Serialize, ToSchema)]
#[schema(as = BucketList)]
pub(crate) struct BucketsBody {
    buckets: Vec<BucketBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A bucket of the customer's account.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountBucket)]
pub(crate) struct BucketBody {
    #[schema(example = "datasaur-test")]
    name: String,
    region: Option<String>,
    #[serde(with = "crate::domain::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
}

impl From<AccountBucket> for BucketBody {
    fn from(bucket: AccountBucket) -> Self {
        Self {
            name: bucket.name,
            region: bucket.region,
            created_at: bucket.created_at,
        }
    }
}

/// A bucket, for a drop-down.
#[derive(Serialize, ToSchema)]
pub(crate) struct BucketOption {
    #[schema(example = "datasaur-test")]
    text: String,
    #[schema(example = "datasaur-test")]
    value: String,
}

/// What `format` asks for: a page of buckets for `list`, all of them for `options`.
#[derive(ToSchema)]
#[schema(as = BucketsInFormat)]
#[serde(untagged)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
pub(crate) enum BucketsAnswer {
    List(BucketsBody),
    Options(Vec<BucketOption>),
}

/// List the account's buckets
///
/// For admins. The documents do not grant it: the customer's role (or user) needs `s3:ListAllMyBuckets`
/// on `*` besides. With `format=options` the answer is an array of `{text, value}`, all at once.
#[utoipa::path(
    tag = "Files",
    params(("storage_id" = String, Path, description = "The storage's ID"), BucketsQuery),
    responses(
        (status = 200, description = "A page of buckets; with `format=options`, an array of options", body = BucketsAnswer),
    ),
)]
#[get("/v1/storages/{storage_id}/buckets")]
async fn list_buckets(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<BucketsQuery>,
) -> Result<HttpResponse> {
    let place = format!("{}/storages/{}/buckets", admin.0.workspace(), id.0);
    let page = |size, from: Option<String>| {
        let (queries, admin, id) = (&services.files, &admin.0, &id.0);
        async move {
            queries
                .account_buckets(admin, id, size, from.as_deref())
                .await
        }
    };
    buckets_in_format(&services.page_tokens, &place, query.0, page).await
}

/// A page of buckets, or all as options.
pub(crate) async fn buckets_in_format<F: Future<Output = Result<BucketPage>>>(
    page_tokens: &PageTokens,
    place: &str,
    query: BucketsQuery,
    page: impl Fn(u32, Option<String>) -> F,
) -> Result<HttpResponse> {
    let request = page::request(query.page_size, query.page_token)?;
    let mut from = page_tokens.open(place, request.token.as_deref())?;
    if query.format == BucketsFormat::List {
        let found = page(request.size, from).await?;
        return Ok(HttpResponse::Ok().json(BucketsBody {
            buckets: found.buckets.into_iter().map(Into::into).collect(),
            next_page_token: found
                .continuation
                .map(|token| page_tokens.seal(place, &token))
                .transpose()?,
        }));
    }
    let mut options = Vec::new();
    for _ in 0..OPTION_PAGES {
        let found = page(1_000, from).await?;
        options.extend(found.buckets.into_iter().map(|bucket| BucketOption {
            text: bucket.name.clone(),
            value: bucket.name,
        }));
        from = found.continuation;
        if from.is_none() {
            break;
        }
    }
    Ok(HttpResponse::Ok().json(options))
}
