//! `/v1/workspaces/{workspace_id}/tokens`

use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::people::tokens::{CreatedToken, NewToken};
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{StorageRef, TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::reach::{Bounds, MOST_NAMED};
use crate::domain::people::workspace::{ApiToken, Role};
use crate::http::body::{Body, read_field};
use crate::http::caller::OperatorCaller;
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::page::PageQuery;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, post};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_token))
        .service(list_tokens)
        .service(changes(revoke_token));
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
struct NewTokenBody {
    /// What it is for: 1 to 200 characters.
    #[schema(example = "backend", min_length = 1, max_length = 200)]
    name: String,
    /// `member` browses, reads and creates projects; `admin` also manages storages.
    #[schema(value_type = closed_sets::Role)]
    role: String,
    /// When it stops working, in RFC 3339. Without it: when it is revoked.
    #[schema(value_type = Option<OffsetDateTime>)]
    expires_at: Option<String>,
    /// The only storages that it reaches, by ID; `built-in` is one. Without it: every storage. At most 100.
    #[schema(max_items = 100, example = json!(["sto_019a1f0e7c1b7d439a520c8c2f6f6b1e"]))]
    storage_ids: Option<Vec<String>>,
    /// The only folders that it reads, with all below them. Without it: every folder. At most 100.
    #[schema(max_items = 100, example = json!(["/images/"]))]
    folders: Option<Vec<String>>,
    /// The only folders that it writes in, with all below them, also with the role `member`. It reads there, too.
    /// Without it, an admin's token writes wherever it reads, and a member's nowhere. At most 100.
    #[schema(max_items = 100, example = json!(["/export/"]))]
    write_folders: Option<Vec<String>>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenBody {
    #[schema(example = "tok_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "backend")]
    name: String,
    #[schema(value_type = closed_sets::Role)]
    role: &'static str,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
    /// Null: it works until it is revoked.
    #[serde(with = "crate::domain::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within ten minutes. Null: it was not.
    #[serde(with = "crate::domain::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    /// The only storages that it reaches. Null: every storage.
    storage_ids: Option<Vec<String>>,
    /// The only folders that it reads. Null: every folder.
    #[schema(example = json!(["/images/"]))]
    folders: Option<Vec<String>>,
    /// The only folders that it writes in. Null: as its role says.
    #[schema(example = json!(["/export/"]))]
    write_folders: Option<Vec<String>>,
}

/// A new token, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedToken)]
struct CreatedTokenBody {
    #[serde(flatten)]
    about: TokenBody,
    /// The secret, for `Authorization: Bearer`. It is shown here only.
    #[schema(example = "spt_…")]
    token: String,
}

/// A page of tokens, in the order of their creation.
#[derive(Serialize, ToSchema)]
struct TokenList {
    tokens: Vec<TokenBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<ApiToken> for TokenBody {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.to_string(),
            role: token.role.as_str(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            storage_ids: token.bounds.storages.as_deref().map(texts),
            folders: token.bounds.folders.as_deref().map(texts),
            write_folders: token.bounds.write_folders.as_deref().map(texts),
        }
    }
}

/// Parses every field, so all faults are reported at once.
fn parse(body: NewTokenBody) -> Result<NewToken> {
    let mut errors = Vec::new();
    let name = read_field(&mut errors, "name", Name::parse(&body.name));
    let role = read_field(&mut errors, "role", Role::parse(&body.role));
    let expires_at = body
        .expires_at
        .and_then(|text| read_field(&mut errors, "expires_at", parse_time(&text)));
    let bounds = Bounds {
        storages: read_list(
            &mut errors,
            "storage_ids",
            body.storage_ids,
            StorageRef::parse,
        ),
        folders: read_list(&mut errors, "folders", body.folders, Folder::parse),
        write_folders: read_list(
            &mut errors,
            "write_folders",
            body.write_folders,
            Folder::parse,
        ),
    };
    match (name, role) {
        (Some(name), Some(role)) if errors.is_empty() => Ok(NewToken {
            name,
            role,
            bounds,
            expires_at,
        }),
        _ => Err(Error::invalid(errors)),
    }
}

/// Reads what a token is narrowed to. An empty list would be a token that reaches nothing.
fn read_list<T>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    values: Option<Vec<String>>,
    parse: impl Fn(&str) -> std::result::Result<T, Invalid>,
) -> Option<Vec<T>> {
    let values = values?;
    if !(1..=MOST_NAMED).contains(&values.len()) {
        let detail = format!("`{field}` names 1 to {MOST_NAMED}. Leave it out for all of them.");
        errors.push(FieldError::new(
            field,
            Invalid::new("invalid_length", detail),
        ));
        return None;
    }
    let mut parsed = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        match parse(value) {
            Ok(value) => parsed.push(value),
            Err(invalid) => errors.push(FieldError::of_item(field, at, None, invalid)),
        }
    }
    Some(parsed)
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// A time in whole microseconds: what the database keeps.
pub(super) fn parse_time(text: &str) -> std::result::Result<OffsetDateTime, Invalid> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(|time| time.to_offset(time::UtcOffset::UTC))
        .and_then(|time| time.replace_nanosecond(time.microsecond() * 1_000).ok())
        .ok_or_else(|| {
            Invalid::new(
                "invalid_time",
                "A time is in RFC 3339, like `2030-12-31T23:59:59Z`.",
            )
        })
}

/// Make a token
#[utoipa::path(
    tag = "Tokens",
    request_body = NewTokenBody,
    params(
        ("workspace_id" = String, Path, description = "The workspace's ID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new."),
    ),
    responses((status = 201, description = "Made: the only time that the secret is shown", body = CreatedTokenBody, headers(("Location" = String, description = "The token's path")))),
)]
#[post("/v1/workspaces/{workspace_id}/tokens")]
async fn create_token(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    body: Body<NewTokenBody>,
) -> Result<HttpResponse> {
    let new = parse(body.value)?;
    once.run(&services, body.fingerprint, created, async |keep| {
        let tokens = &services.people.tokens;
        tokens.create(workspace.0, new, keep).await
    })
    .await
}

fn created((token, secret): &CreatedToken) -> Result<MadeAnswer> {
    let body = CreatedTokenBody {
        about: token.clone().into(),
        token: secret.expose_secret().to_owned(),
    };
    let location = format!("/v1/workspaces/{}/tokens/{}", token.workspace, token.id);
    Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.at(location))
}

/// List a workspace's tokens
#[utoipa::path(
    tag = "Tokens",
    params(("workspace_id" = String, Path, description = "The workspace's ID"), PageQuery),
    responses((status = 200, description = "A page of tokens", body = TokenList)),
)]
#[get("/v1/workspaces/{workspace_id}/tokens")]
async fn list_tokens(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    query: Query<PageQuery>,
) -> Result<Json<TokenList>> {
    let place = format!("{}/tokens", workspace.0);
    let request = query.0.request()?;
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.tokens.list(&workspace.0, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |t| t.id.to_string())?;
    Ok(Json(TokenList {
        tokens: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Revoke a token
///
/// Requests with it are refused, and so are those with what was made with it: sign-in links, administrator links,
/// sessions that came of them, and tokens for browsers. The replica that answers refuses them at once, the others within
/// a second.
#[utoipa::path(
    tag = "Tokens",
    params(
        ("workspace_id" = String, Path, description = "The workspace's ID"),
        ("token_id" = String, Path, description = "The token's ID"),
    ),
    responses((status = 204, description = "Revoked")),
)]
#[delete("/v1/workspaces/{workspace_id}/tokens/{token_id}")]
async fn revoke_token(
    _: OperatorCaller,
    services: Data<Services>,
    workspace: Id<WorkspaceId>,
    token: Id<TokenId>,
) -> Result<HttpResponse> {
    services
        .people
        .tokens
        .revoke(&workspace.0, &token.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
