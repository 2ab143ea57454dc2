//! Signing in by a token that the product has signed.
//!
//! A page of the product sends it, so a form of any origin is taken: opening a sign-in link needs no more either. The
//! token works once, and nobody can make one who does not have the product's key.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::product_tokens::Wish;
use crate::domain::people::sign_in::{ReturnUrl, WayBack};
use crate::domain::people::workspace::Role;
use crate::http::body::{collect, parse, read_field};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::people::sign_in::arrive;
use crate::http::problem::Problem;
use crate::http::state::Services;
use crate::http::{arrival, query};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde::Deserialize;
use std::str::from_utf8;

/// The largest form, in bytes.
const LIMIT: usize = 64 << 10;

pub fn configure(routes: &mut PageRoutes) {
    routes.add(PageRoute::at("/sign-in/jwt", "sign_in_by_token").changes(sign_in));
}

/// A token, and the fields of a sign-in link. Who the person is is in the token alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFields {
    token: String,
    role: Option<String>,
    purpose: Option<String>,
    setup_id: Option<String>,
    storage_id: Option<String>,
    return_url: Option<String>,
    refresh_url: Option<String>,
    #[serde(default)]
    embed: bool,
}

impl TokenFields {
    fn parse(self) -> Result<(String, Wish)> {
        let mut errors = Vec::new();
        let role = self
            .role
            .as_deref()
            .and_then(|role| read_field(&mut errors, "role", Role::parse(role)));
        let needs_purpose = self.setup_id.is_some() || self.storage_id.is_some();
        let purpose = match self.purpose.as_deref() {
            None if needs_purpose => Some("settings"),
            given => given,
        };
        let arrival = purpose.and_then(|purpose| {
            arrival::read(
                &mut errors,
                purpose,
                self.setup_id.as_deref(),
                self.storage_id.as_deref(),
            )
        });
        let mut url = |field, url: Option<&String>| {
            url.and_then(|url| read_field(&mut errors, field, ReturnUrl::parse(url)))
        };
        let way_back = WayBack {
            return_url: url("return_url", self.return_url.as_ref()),
            refresh_url: url("refresh_url", self.refresh_url.as_ref()),
            embed: self.embed,
        };
        match errors.is_empty() {
            true => {
                let wish = Wish {
                    role,
                    arrival,
                    way_back,
                };
                Ok((self.token, wish))
            }
            false => Err(Error::invalid(errors)),
        }
    }
}

async fn sign_in(
    services: Data<Services>,
    request: HttpRequest,
    payload: Payload,
) -> std::result::Result<HttpResponse, actix_web::Error> {
    let tokens = services.people.product_tokens.as_ref().ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "sign_in_not_configured",
            "Nobody signs in here by tokens of a product.",
        )
        .remedy("The operator names their issuer with SALLYPORT_JWT_ISSUER.")
    })?;
    let bytes = collect(&request, payload.into_inner(), LIMIT).await?;
    let fields: TokenFields = match request.content_type() {
        "application/json" => parse(&bytes)?,
        "application/x-www-form-urlencoded" => {
            let text = from_utf8(&bytes).map_err(|_| {
                Error::new(Kind::Malformed, "invalid_utf8", "The form is not UTF-8.")
            })?;
            query::parse(text)?
        }
        _ => {
            return Err(Problem::http(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The token comes in a form, or in JSON.",
            )
            .into());
        }
    };
    let (token, wish) = fields.parse()?;
    let begun = tokens.sign_in(&token, wish).await?;
    Ok(arrive(&request, &services, &begun, None).await?)
}
