//! `/v1/keys`

use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::people::keys::{CreatedKey, NewKey};
use crate::domain::ids::KeyId;
use crate::domain::names::Name;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::scope::{Scope, Scopes};
use crate::http::api::people::tokens::parse_time;
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
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(changes(create_key))
        .service(list_keys)
        .service(get_key)
        .service(changes(delete_key));
}

/// How many scopes a request names at most: each once would be enough.
const MOST_SCOPES: usize = 100;

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct NewKeyBody {
    /// What uses it: 1 to 200 characters. The audit log shows it.
    #[schema(example = "web tier", min_length = 1, max_length = 200)]
    name: String,
    /// What it may do: at least one.
    #[schema(value_type = Vec<closed_sets::Scope>, example = json!(["links:create", "storages:read"]))]
    scopes: Vec<String>,
    /// When it stops working, in RFC 3339. Without it: when it is deleted.
    #[schema(value_type = Option<OffsetDateTime>)]
    expires_at: Option<String>,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyBody {
    #[schema(example = "key_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    id: String,
    #[schema(example = "web tier")]
    name: String,
    #[schema(value_type = Vec<closed_sets::Scope>)]
    scopes: Vec<&'static str>,
    #[serde(with = "crate::domain::rfc3339")]
    created_at: OffsetDateTime,
    /// Null: it works until it is deleted.
    #[serde(with = "crate::domain::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within ten minutes. Null: it was not.
    #[serde(with = "crate::domain::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
}

/// A new key, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
struct CreatedKeyBody {
    #[serde(flatten)]
    about: KeyBody,
    /// The secret, for `Authorization: Bearer`. It is shown here only.
    #[schema(example = "sk_…")]
    key: String,
}

/// A page of keys, in the order of their creation.
#[derive(Serialize, ToSchema)]
struct KeyList {
    keys: Vec<KeyBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl From<ProductKey> for KeyBody {
    fn from(key: ProductKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: key.scopes.words(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

impl NewKeyBody {
    /// Parses every field, so all faults are reported at once.
    fn parse(self) -> Result<NewKey> {
        let mut errors = Vec::new();
        let name = read_field(&mut errors, "name", Name::parse(&self.name));
        let mut scopes = Vec::new();
        for (at, text) in self.scopes.iter().take(MOST_SCOPES).enumerate() {
            match Scope::parse(text) {
                Ok(scope) => scopes.push(scope),
                Err(invalid) => errors.push(FieldError::of_item("scopes", at, None, invalid)),
            }
        }
        let scopes = match errors.iter().any(|error| error.field.starts_with("scopes")) {
            true => None,
            false => read_field(&mut errors, "scopes", Scopes::new(scopes)),
        };
        let expires_at = self
            .expires_at
            .and_then(|text| read_field(&mut errors, "expires_at", parse_time(&text)));
        match (name, scopes) {
            (Some(name), Some(scopes)) if errors.is_empty() => Ok(NewKey {
                name,
                scopes,
                expires_at,
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

/// Make a key
///
/// A key acts in any workspace, by the header `Sallyport-Workspace`, as an admin within its scopes.
#[utoipa::path(
    tag = "Keys",
    request_body = NewKeyBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions with the same key make nothing new.")),
    responses((status = 201, description = "Made: the only time that the secret is shown", body = CreatedKeyBody, headers(("Location" = String, description = "The key's path")))),
)]
#[post("/v1/keys")]
async fn create_key(
    _: OperatorCaller,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewKeyBody>,
) -> Result<HttpResponse> {
    let new = body.value.parse()?;
    once.run(&services, body.fingerprint, created, async |keep| {
        services.people.keys.create(new, keep).await
    })
    .await
}

fn created((key, secret): &CreatedKey) -> Result<MadeAnswer> {
    let body = CreatedKeyBody {
        about: key.clone().into(),
        key: secret.expose_secret().to_owned(),
    };
    let location = format!("/v1/keys/{}", key.id);
    Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.at(location))
}

/// List keys
#[utoipa::path(
    tag = "Keys",
    params(PageQuery),
    responses((status = 200, description = "A page of keys", body = KeyList)),
)]
#[get("/v1/keys")]
async fn list_keys(
    _: OperatorCaller,
    services: Data<Services>,
    query: Query<PageQuery>,
) -> Result<Json<KeyList>> {
    let place = "operator/keys";
    let request = query.0.request()?;
    let window = services.page_tokens.window(place, &request)?;
    let rows = services.people.keys.list(&window).await?;
    let page = services
        .page_tokens
        .page(place, &request, rows, |key| key.id.to_string())?;
    Ok(Json(KeyList {
        keys: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token,
    }))
}

/// Read a key
#[utoipa::path(
    tag = "Keys",
    params(("key_id" = String, Path, description = "The key's ID")),
    responses((status = 200, description = "The key, without its secret", body = KeyBody)),
)]
#[get("/v1/keys/{key_id}")]
async fn get_key(
    _: OperatorCaller,
    services: Data<Services>,
    id: Id<KeyId>,
) -> Result<Json<KeyBody>> {
    Ok(Json(services.people.keys.get(&id.0).await?.into()))
}

/// Delete a key
///
/// Requests with it are refused, and so are those with what was made with it in any workspace: sign-in links,
/// administrator links, sessions that came of them, and tokens for browsers. The replica that answers refuses them at
/// once, the others within a second.
#[utoipa::path(
    tag = "Keys",
    params(("key_id" = String, Path, description = "The key's ID")),
    responses((status = 204, description = "Deleted")),
)]
#[delete("/v1/keys/{key_id}")]
async fn delete_key(
    _: OperatorCaller,
    services: Data<Services>,
    id: Id<KeyId>,
) -> Result<HttpResponse> {
    services.people.keys.delete(&id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
