//! `/v1/…/sign-in-links`

use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::people::sign_in::{CreatedLink, NewLink};
use crate::domain::ids::WorkspaceId;
use crate::domain::people::sign_in::{Purpose, ReturnUrl};
use crate::domain::people::workspace::Role;
use crate::http::body::Body;
use crate::http::caller::{AdminCaller, OperatorCaller};
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_workspace_sign_in_link))
        .service(changes(create_sign_in_link));
}

/// A sign-in link to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSignInLink {
    #[schema(value_type = closed_sets::Role)]
    role: String,
    #[schema(value_type = closed_sets::LinkPurpose)]
    purpose: String,
    /// Where the product wants people back.
    #[schema(example = "https://app.example.com/settings")]
    return_url: Option<String>,
}

/// A sign-in link. It works once.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInLink)]
struct SignInLinkBody {
    id: String,
    /// A secret: whoever opens it is signed in.
    url: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl NewSignInLink {
    fn parse(self) -> Result<NewLink> {
        let mut errors = Vec::new();
        let role = Role::parse(&self.role).map_err(|e| errors.push(FieldError::new("role", e)));
        let purpose =
            Purpose::parse(&self.purpose).map_err(|e| errors.push(FieldError::new("purpose", e)));
        let return_url = self
            .return_url
            .map(|url| ReturnUrl::parse(&url))
            .transpose()
            .map_err(|e| errors.push(FieldError::new("return_url", e)));
        match (role, purpose, return_url) {
            (Ok(role), Ok(purpose), Ok(return_url)) => Ok(NewLink {
                role,
                purpose,
                return_url,
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

async fn make(
    services: &Services,
    workspace: &WorkspaceId,
    once: Idempotent,
    body: Body<NewSignInLink>,
) -> Result<HttpResponse> {
    let new = body.value.parse()?;
    let answer = |(link, secret): &CreatedLink| {
        let body = SignInLinkBody {
            id: link.id.to_string(),
            url: services
                .site
                .url(&format!("/sign-in/{}", secret.expose_secret())),
            expires_at: link.expires_at,
        };
        MadeAnswer::new(StatusCode::CREATED, &body)
    };
    once.run(services, body.fingerprint, answer, async |keep| {
        services
            .people
            .sign_ins
            .make_link(workspace, new, keep)
            .await
    })
    .await
}

/// Make a sign-in link for a workspace
#[utoipa::path(
    tag = "Sign-in",
    params(
        ("workspace_id" = String, Path, description = "The workspace's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new."),
    ),
    request_body = NewSignInLink,
    responses((status = 201, description = "Made", body = SignInLinkBody)),
)]
#[post("/v1/workspaces/{workspace_id}/sign-in-links")]
async fn create_workspace_sign_in_link(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    body: Body<NewSignInLink>,
) -> Result<HttpResponse> {
    make(&services, &workspace.0, once, body).await
}

/// Make a sign-in link for the caller's workspace
#[utoipa::path(
    tag = "Sign-in",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    request_body = NewSignInLink,
    responses((status = 201, description = "Made", body = SignInLinkBody)),
)]
#[post("/v1/sign-in-links")]
async fn create_sign_in_link(
    admin: AdminCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewSignInLink>,
) -> Result<HttpResponse> {
    make(&services, admin.0.workspace(), once, body).await
}
