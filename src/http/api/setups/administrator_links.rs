//! `/v1/storage-setups/{setup_id}/administrator-links`: what the page's *Create a setup link* does, for products
//! with a dialog of their own.

use crate::application::error::Result;
use crate::application::setups::instructions::CreatedInstructionLink;
use crate::domain::ids::{InstructionLinkId, SetupId};
use crate::domain::people::audit::Actor;
use crate::domain::people::sign_in::InstructionLink;
use crate::http::body::{Body, Nothing};
use crate::http::caller::AdminCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use secrecy::ExposeSecret;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_administrator_link))
        .service(list_administrator_links)
        .service(changes(revoke_administrator_link));
}

/// A new link for the customer's AWS administrator.
#[derive(Serialize, ToSchema)]
#[schema(as = NewAdministratorLink)]
struct NewLinkBody {
    #[schema(example = "inl_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// A secret, given out once: whoever opens it sees what is to be done in AWS for this setup, and may enter the
    /// role's ARN.
    url: String,
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

/// A setup's link for the customer's AWS administrator, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = AdministratorLink)]
struct LinkBody {
    #[schema(example = "inl_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    /// The ID of the token or session that made it. `null` for one of an earlier release.
    made_by: Option<String>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
    /// To the minute. `null`: nobody has opened it.
    #[serde(with = "crate::domain::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

/// The setup's links that work: one at most.
#[derive(Serialize, ToSchema)]
#[schema(as = AdministratorLinkList)]
struct LinkList {
    administrator_links: Vec<LinkBody>,
}

impl From<InstructionLink> for LinkBody {
    fn from(link: InstructionLink) -> Self {
        Self {
            id: link.id.to_string(),
            made_by: link.made_by.as_ref().map(Actor::as_str).map(str::to_owned),
            created_at: link.created_at,
            last_used_at: link.last_used_at,
            expires_at: link.expires_at,
        }
    }
}

/// Make a link for the AWS administrator
///
/// Whoever has it needs no account here. It shows what is to be done in AWS for this setup, with a role or an
/// access key, and takes the role's ARN. A setup has one such link: a new one ends the one before.
#[utoipa::path(
    tag = "Storage setups",
    params(
        ("setup_id" = String, Path, description = "The setup's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new."),
    ),
    responses(
        (status = 201, description = "Made", body = NewLinkBody),
        (status = 409, description = "The setup is not open"),
        (status = 429, description = "`too_many_links`: the workspace makes more links than it may"),
    ),
)]
#[post("/v1/storage-setups/{setup_id}/administrator-links")]
async fn create_administrator_link(
    admin: AdminCaller,
    once: Idempotent,
    services: Data<Services>,
    id: Id<SetupId>,
    body: Body<Nothing>,
) -> Result<HttpResponse> {
    let answer = |(link, secret): &CreatedInstructionLink| {
        let body = NewLinkBody {
            id: link.id.to_string(),
            url: services
                .site
                .url(&format!("/instructions/{}", secret.expose_secret())),
            expires_at: link.expires_at,
        };
        MadeAnswer::new(StatusCode::CREATED, &body)
    };
    let instructions = &services.dialog.instructions;
    once.run(&services, body.fingerprint, answer, async |keep| {
        instructions.make(&admin.0, &id.0, keep).await
    })
    .await
}

/// List the links for the AWS administrator
#[utoipa::path(
    tag = "Storage setups",
    params(("setup_id" = String, Path, description = "The setup's ID")),
    responses((status = 200, description = "The link that works, if there is one", body = LinkList)),
)]
#[get("/v1/storage-setups/{setup_id}/administrator-links")]
async fn list_administrator_links(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<Json<LinkList>> {
    services.setups.get(&admin.0, &id.0).await?;
    let link = services.dialog.instructions.of(&admin.0, &id.0).await?;
    Ok(Json(LinkList {
        administrator_links: link.into_iter().map(Into::into).collect(),
    }))
}

/// Revoke a link for the AWS administrator
///
/// Its page then says that it does not work any more.
#[utoipa::path(
    tag = "Storage setups",
    params(
        ("setup_id" = String, Path, description = "The setup's ID"),
        ("link_id" = String, Path, description = "The link's ID"),
    ),
    responses((status = 204, description = "It does not work any more")),
)]
#[delete("/v1/storage-setups/{setup_id}/administrator-links/{link_id}")]
async fn revoke_administrator_link(
    admin: AdminCaller,
    services: Data<Services>,
    id: Id<SetupId>,
    link: Id<InstructionLinkId>,
) -> Result<HttpResponse> {
    let instructions = &services.dialog.instructions;
    instructions.revoke(&admin.0, &id.0, &link.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
