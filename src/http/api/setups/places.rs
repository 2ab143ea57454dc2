//! What an admin chooses from: `/v1/storage-setups/{setup_id}/buckets` and `…/folders`.

use crate::application::error::{Error, Result};
use crate::application::setups::places::{PlaceFolder, PlaceFolders};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::pasted;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::SetupId;
use crate::http::api::files::query::{BucketsAnswer, BucketsQuery, buckets_in_format};
use crate::http::caller::AdminCaller;
use crate::http::page;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(list_setup_buckets)
        .service(list_setup_folders);
}

/// List the buckets to choose from
///
/// Those of the account that the setup's role or access key belongs to. The documents do not grant it: the role
/// (or user) needs `s3:ListAllMyBuckets` on `*` besides. A role is asked only after it has refused a call
/// without the external ID. With `format=options` the answer is an array of `{text, value}`, all at once.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID"), BucketsQuery),
    responses(
        (status = 200, description = "A page of buckets; with `format=options`, an array of options", body = BucketsAnswer),
        (status = 409, description = "`setup_incomplete`: how it signs in is missing; `role_not_proven`: the role may let others in; the setup is not open"),
        (status = 429, description = "The workspace asks roles more often than it may"),
    ),
)]
#[get("/v1/storage-setups/{setup_id}/buckets")]
async fn list_setup_buckets(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    query: Query<BucketsQuery>,
) -> Result<HttpResponse> {
    let place = format!("{}/storage-setups/{}/buckets", admin.0.workspace(), id.0);
    let page = |size, from: Option<String>| {
        let (places, admin, id) = (&services.dialog.places, &admin.0, &id.0);
        async move { places.buckets(admin, id, size, from.as_deref()).await }
    };
    buckets_in_format(&services.page_tokens, &place, query.0, page).await
}

/// Which folders.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FoldersQuery {
    /// The setup's own where it is absent.
    bucket: Option<String>,
    /// From the bucket's root, like `/team/`, which is a folder of `/`, the default.
    #[param(example = "/")]
    folder: Option<String>,
    /// How many names S3 looks at, files included: 1 to 1000. A page can have fewer folders, or none, while others
    /// follow.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// Folders of a folder.
#[derive(Serialize, ToSchema)]
#[schema(as = SetupFolders)]
struct FoldersBody {
    /// From the bucket's root, with both slashes.
    #[schema(example = "/")]
    folder: String,
    folders: Vec<FolderBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// A folder that can be the bucket prefix.
#[derive(Serialize, ToSchema)]
#[schema(as = SetupFolder)]
struct FolderBody {
    /// From the bucket's root, with both slashes. As it is, it can be a setup's `prefix`.
    #[schema(example = "/team/")]
    key: String,
    #[schema(example = "team")]
    name: String,
}

impl From<PlaceFolder> for FolderBody {
    fn from(folder: PlaceFolder) -> Self {
        Self {
            key: folder.key,
            name: folder.name,
        }
    }
}

/// List the folders to choose from
///
/// Of the setup's bucket, or of another that the setup's role or access key may list (`s3:ListBucket`). Keys begin
/// at the bucket's root, whatever prefix the setup has. Folders whose name no bucket prefix can have are left out.
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID"), FoldersQuery),
    responses(
        (status = 200, description = "A page of folders", body = FoldersBody),
        (status = 409, description = "`setup_incomplete`: a bucket, or how it signs in, is missing; `role_not_proven`: the role may let others in; the setup is not open"),
        (status = 429, description = "The workspace asks roles more often than it may"),
    ),
)]
#[get("/v1/storage-setups/{setup_id}/folders")]
async fn list_setup_folders(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    query: Query<FoldersQuery>,
) -> Result<Json<FoldersBody>> {
    let query = query.0;
    let bucket = query.bucket.as_deref().map(bucket_named).transpose()?;
    let folder = Folder::parse(query.folder.as_deref().unwrap_or_default())
        .map_err(|invalid| Error::field("folder", invalid))?;
    let named = bucket.as_ref().map_or("", BucketName::as_str);
    let place = format!(
        "{}/storage-setups/{}/folders/{named}{folder}",
        admin.0.workspace(),
        id.0
    );
    let request = page::request(query.page_size, query.page_token)?;
    let from = services
        .page_tokens
        .open(&place, request.token.as_deref())?;
    let places = &services.dialog.places;
    let PlaceFolders {
        folder,
        folders,
        continuation,
    } = places
        .folders(
            &admin.0,
            &id.0,
            bucket,
            folder,
            request.size,
            from.as_deref(),
        )
        .await?;
    Ok(Json(FoldersBody {
        folder: folder.to_string(),
        folders: folders.into_iter().map(Into::into).collect(),
        next_page_token: continuation
            .map(|token| services.page_tokens.seal(&place, &token))
            .transpose()?,
    }))
}

/// A bucket's name, or an address that names one.
fn bucket_named(text: &str) -> Result<BucketName> {
    let named = match pasted::bucket(text) {
        Some(read) => read.map(|pasted| pasted.bucket),
        None => BucketName::parse(text),
    };
    named.map_err(|invalid| Error::field("bucket", invalid))
}
