//! `/v1/workspaces/{workspace_id}/storages`

use crate::application::error::Result;
use crate::application::kept::store::StorageSearch;
use crate::application::storages::StorageOfAny;
use crate::domain::ids::WorkspaceId;
use crate::http::api::storages::StorageList;
use crate::http::caller::OperatorCaller;
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::get;
use actix_web::web::{Data, Json};
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(list_workspace_storages);
}

/// List a workspace's storages, for the operator
///
/// Each with its health, and also while the workspace is suspended. Changes that wait for a check are left out.
#[utoipa::path(
    tag = "Workspaces",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), PageQuery),
    responses((status = 200, description = "A page of storages", body = StorageList)),
)]
#[get("/v1/workspaces/{workspace_id}/storages")]
async fn list_workspace_storages(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    query: Query<PageQuery>,
) -> Result<Json<StorageList>> {
    services.people.workspaces.get(&workspace.0).await?;
    let place = format!("operator/{}/storages", workspace.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let search = StorageSearch {
        workspace: Some(workspace.0),
        ..StorageSearch::default()
    };
    let rows = services.storages.search(&search, &window).await?;
    let id = |found: &StorageOfAny| found.view.reference().to_string();
    let page = services.page_tokens.page(&place, &request, rows, id)?;
    Ok(Json(StorageList {
        storages: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}
