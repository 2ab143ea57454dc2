//! `/v1/…/sign-in-links`

use crate::application::closed_sets;
use crate::application::error::{Error, Result};
use crate::application::people::sign_in::{CreatedLink, NewLink};
use crate::domain::ids::WorkspaceId;
use crate::domain::names::Name;
use crate::domain::people::sign_in::{ReturnUrl, WayBack};
use crate::domain::people::subject::{Subject, SubjectId};
use crate::domain::people::workspace::Role;
use crate::http::arrival;
use crate::http::body::{Body, read_field};
use crate::http::caller::{AdminCaller, OperatorCaller, SignInMaker};
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
    /// With the purpose `setup`: the storage setup to go on with.
    #[schema(example = "set_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    setup_id: Option<String>,
    /// With the purposes `storage` and `files`: the storage, or `built-in`.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: Option<String>,
    /// Where the browser goes when the dialog ends, with `status`, `setup_id` and `storage_id` added to the
    /// query. At an allowed origin.
    #[schema(example = "https://app.example.com/settings")]
    return_url: Option<String>,
    /// Where a used or expired link, and a session that has ended, send people for another link. At an allowed
    /// origin.
    #[schema(example = "https://app.example.com/sallyport/link")]
    refresh_url: Option<String>,
    /// The pages are shown in a frame of the product's: without navigation and *Sign out*, with messages to the
    /// page around them.
    #[serde(default)]
    embed: bool,
    subject: Option<SubjectInput>,
}

/// The person of the product's that the link is for. It is shown among the sessions and in the audit log.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSubject)]
#[serde(deny_unknown_fields)]
struct SubjectInput {
    /// The product's own ID of the person: 1 to 128 visible ASCII characters.
    #[schema(example = "user-4711")]
    id: String,
    #[schema(example = "Ada")]
    name: Option<String>,
}

/// A sign-in link. It works once.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInLink)]
struct SignInLinkBody {
    id: String,
    /// A secret: whoever opens it is signed in.
    url: String,
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

impl NewSignInLink {
    fn parse(self) -> Result<NewLink> {
        let mut errors = Vec::new();
        let role = read_field(&mut errors, "role", Role::parse(&self.role));
        let arrival = arrival::read(
            &mut errors,
            &self.purpose,
            self.setup_id.as_deref(),
            self.storage_id.as_deref(),
        );
        let mut url = |field, url: Option<&String>| {
            url.and_then(|url| read_field(&mut errors, field, ReturnUrl::parse(url)))
        };
        let way_back = WayBack {
            return_url: url("return_url", self.return_url.as_ref()),
            refresh_url: url("refresh_url", self.refresh_url.as_ref()),
            embed: self.embed,
        };
        let subject = self.subject.as_ref().and_then(|subject| {
            let id = read_field(&mut errors, "subject.id", SubjectId::parse(&subject.id));
            let name = match &subject.name {
                Some(name) => Some(read_field(&mut errors, "subject.name", Name::parse(name))?),
                None => None,
            };
            Some(Subject { id: id?, name })
        });
        match (role, arrival) {
            (Some(role), Some(arrival)) if errors.is_empty() => Ok(NewLink {
                role,
                arrival,
                way_back,
                subject,
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

async fn make(
    services: &Services,
    workspace: &WorkspaceId,
    SignInMaker(made_by): SignInMaker,
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
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.about(link.id.to_string()))
    };
    once.run(services, body.fingerprint, answer, async |keep| {
        services
            .people
            .sign_ins
            .make_link(workspace, new, made_by, keep)
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
    maker: SignInMaker,
    once: Idempotent,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    body: Body<NewSignInLink>,
) -> Result<HttpResponse> {
    make(&services, &workspace.0, maker, once, body).await
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
    maker: SignInMaker,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewSignInLink>,
) -> Result<HttpResponse> {
    make(&services, admin.0.workspace(), maker, once, body).await
}
