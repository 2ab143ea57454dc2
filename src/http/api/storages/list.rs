//! The list of storages: of one workspace, and of all.

use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::application::kept::store::StorageSearch;
use crate::application::storages::{StorageOfAny, StorageView};
use crate::domain::Invalid;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::ids::StorageRef;
use crate::domain::storage::HealthState;
use crate::http::api::storages::body::StorageBody;
use crate::http::caller::{ListReader, workspace_token_required};
use crate::http::page;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(list_storages);
}

/// A page of storages, in the order they were added.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct StorageList {
    pub(in crate::http::api) storages: Vec<StorageBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) next_page_token: Option<String>,
}

/// Which storages, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StoragesQuery {
    /// Only those that have this in their name, in capitals or not.
    #[param(example = "acme", max_length = 200)]
    name: Option<String>,
    /// `built-in`: the built-in storage too, before the others, where the service has one. Of the filters it has a
    /// name alone.
    #[param(inline)]
    include: Option<IncludedStorage>,
    /// Only those with this health.
    #[param(value_type = Option<closed_sets::HealthState>)]
    health: Option<String>,
    /// Only the one with this external ID, or those of the workspace with this `external_id`.
    external_id: Option<String>,
    /// Only those of this bucket.
    #[param(example = "acme-data")]
    bucket: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    page_size: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// A storage that is no row of the workspace's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum IncludedStorage {
    BuiltIn,
}

impl StoragesQuery {
    fn search(&self) -> Result<StorageSearch> {
        let field = |name, invalid| Error::field(name, invalid);
        let filled = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        let health = filled(&self.health).map(|text| HealthState::parse(&text));
        let external_id = filled(&self.external_id).map(external_id_text);
        let bucket = filled(&self.bucket).map(|text| BucketName::parse(&text));
        Ok(StorageSearch {
            workspace: None,
            health: health
                .transpose()
                .map_err(|invalid| field("health", invalid))?,
            external_id: external_id
                .transpose()
                .map_err(|invalid| field("external_id", invalid))?,
            bucket: bucket
                .transpose()
                .map_err(|invalid| field("bucket", invalid))?,
            name: page::part_of_name(self.name.as_deref())?,
        })
    }
}

/// An external ID to compare with. Only the service makes them, so it stays a text.
fn external_id_text(text: String) -> std::result::Result<String, Invalid> {
    match text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text),
        false => Err(Invalid::new(
            "invalid_external_id",
            "An external ID has up to 128 visible ASCII characters.",
        )),
    }
}

/// List storages
///
/// The workspace's own; with `include=built-in` the product's too, first, where the service has one. Its ID is
/// `built-in`. A product's key and the operator's token, without `Sallyport-Workspace` and with at least one of the
/// filters, list those of all workspaces: each has its `workspace_id`.
#[utoipa::path(
    tag = "Storages",
    params(StoragesQuery),
    responses((status = 200, description = "A page of storages", body = StorageList)),
)]
#[get("/v1/storages")]
async fn list_storages(
    reader: ListReader,
    services: Data<Services>,
    query: Query<StoragesQuery>,
) -> Result<Json<StorageList>> {
    let search = query.0.search()?;
    let include = query.0.include;
    let request = page::request(query.0.page_size, query.0.page_token)?;
    let place = |whose: &str| format!("{whose}/storages{search:?}{include:?}");
    let (storages, next_page_token) = match &reader {
        ListReader::Everywhere if search.is_empty() => return Err(workspace_token_required()),
        ListReader::Everywhere => {
            let place = place("operator");
            let window = services.page_tokens.window(&place, &request)?;
            let rows = services.storages.search(&search, &window).await?;
            let id = |found: &StorageOfAny| found.view.reference().to_string();
            let page = services.page_tokens.page(&place, &request, rows, id)?;
            let bodies: Vec<StorageBody> = page.items.into_iter().map(Into::into).collect();
            (bodies, page.next_page_token)
        }
        ListReader::Workspace(member) => {
            let place = place(member.workspace.as_str());
            let window = services.page_tokens.window(&place, &request)?;
            let mut rows = services.storages.find(member, &search, &window).await?;
            match include {
                Some(IncludedStorage::BuiltIn) if window.after.is_none() => {
                    let built_in = services.storages.built_in_found(member, &search).await?;
                    if let Some(view) = built_in {
                        rows.insert(0, view);
                    }
                }
                Some(IncludedStorage::BuiltIn) | None => {}
            }
            let position = |view: &StorageView| match view.reference() {
                // What comes after it are all the others.
                StorageRef::BuiltIn => String::new(),
                StorageRef::Own(id) => id.to_string(),
            };
            let mut page = services
                .page_tokens
                .page(&place, &request, rows, position)?;
            // After the page is cut: what is left out must not end the list.
            page.items.retain(|view| {
                let reference = view.reference();
                member.reach.has_storage(&reference)
            });
            let bodies: Vec<StorageBody> = page.items.into_iter().map(Into::into).collect();
            (bodies, page.next_page_token)
        }
    };
    Ok(Json(StorageList {
        storages,
        next_page_token,
    }))
}
