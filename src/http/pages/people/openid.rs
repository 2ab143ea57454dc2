//! Signing in at an OpenID provider, and being signed out by it.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::openid::{
    Finished, OpenIdSignIn, PATIENCE, ProviderAnswer, SentAway,
};
use crate::domain::Invalid;
use crate::domain::people::return_path::ReturnPath;
use crate::domain::people::workspace::Workspace;
use crate::http::body::collect;
use crate::http::context::NothingChanged;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::people::sign_in::{arrive, arrive_at};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::cookies;
use crate::http::pages::shell::filters;
use crate::http::query::Query;
use crate::http::state::{Services, Site};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded;

/// The largest form with a logout token, in bytes.
const LOGOUT_LIMIT: usize = 32 << 10;
/// The longest query of a provider's answer, in bytes.
const ANSWER_LIMIT: usize = 16 << 10;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::public("/sign-in/oidc", begin))
        .add(PageRoute::public("/sign-in/oidc/end", leave))
        .add(PageRoute::at("/sign-in/oidc/callback", "sign_in_by_openid").changes_by_get(finish))
        .add(PageRoute::at("/sign-in/oidc/logout", "end_sessions_by_openid").changes(end));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginQuery {
    /// The workspace to enter, by its ID or its external ID.
    workspace: Option<String>,
    /// The page to arrive at.
    #[serde(rename = "return")]
    return_to: Option<String>,
}

fn ways(services: &Services) -> Result<&OpenIdSignIn> {
    services.people.openid.as_ref().ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "sign_in_not_configured",
            "Nobody signs in here by OpenID Connect.",
        )
        .remedy("Open these pages from the product that you use.")
    })
}

/// Sends a browser to the provider. It changes nothing here: the browser keeps what it must bring back.
async fn begin(
    request: HttpRequest,
    services: Data<Services>,
    query: Query<BeginQuery>,
) -> Result<HttpResponse> {
    let ways = ways(&services)?;
    let BeginQuery {
        workspace,
        return_to,
    } = query.0;
    let workspace = workspace.filter(|id| !id.is_empty());
    if workspace.as_ref().is_some_and(|id| id.len() > 128) {
        let detail = "The ID of a workspace has at most 128 letters.";
        return Err(Error::field(
            "workspace",
            Invalid::new("invalid_id", detail),
        ));
    }
    let return_to = return_to
        .map(|path| ReturnPath::parse(&path).map_err(|invalid| Error::field("return", invalid)))
        .transpose()?;
    if looks_ahead(&request) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let SentAway { to, sealed } = ways.begin(workspace, return_to.as_ref()).await?;
    let mut response = see_other(&to);
    cookies::set(&mut response, &kept(&services.site, &sealed))?;
    Ok(response)
}

/// Leads somebody who has signed out here to the provider's own page for that.
async fn leave(services: Data<Services>) -> Result<HttpResponse> {
    match ways(&services)?.end_page().await? {
        Some(to) => Ok(see_other(&to)),
        None => Err(Error::new(
            Kind::NotFound,
            "sign_in_not_configured",
            "The identity provider has no page for signing out.",
        )),
    }
}

/// Signs in the person that the provider sends back.
async fn finish(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse> {
    let ways = ways(&services)?;
    if looks_ahead(&request) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let answer = answer(request.query_string())?;
    let sealed = request.cookie(&services.site.sign_in_cookie());
    let finished = ways
        .finish(answer, sealed.as_ref().map(Cookie::value))
        .await?;
    let mut response = match finished {
        Finished::SignedIn { begun, return_to } => match return_to {
            Some(path) => arrive_at(path.as_str(), &request, &services, &begun).await?,
            None => arrive(&request, &services, &begun, None).await?,
        },
        Finished::Choose {
            workspaces,
            has_more,
        } => {
            let mut response = html(&ChoosePage {
                chrome: Chrome::of_site(&services.site),
                workspaces: workspaces.iter().map(Row::of).collect(),
                has_more,
            })?;
            response.extensions_mut().insert(NothingChanged);
            response
        }
    };
    cookies::set(&mut response, &removal(&services.site))?;
    Ok(response)
}

/// Ends sessions because the provider has ended its own (OpenID Connect Back-Channel Logout 1.0). The token says who
/// asks, so a form of any origin is taken.
async fn end(
    services: Data<Services>,
    request: HttpRequest,
    payload: Payload,
) -> std::result::Result<HttpResponse, actix_web::Error> {
    let ways = ways(&services)?;
    let body = collect(&request, payload.into_inner(), LOGOUT_LIMIT).await?;
    let token = form_urlencoded::parse(&body)
        .find(|(name, _)| name == "logout_token")
        .map(|(_, token)| token.into_owned())
        .ok_or_else(|| {
            Error::new(
                Kind::Malformed,
                "logout_token_refused",
                "The form has no `logout_token`.",
            )
        })?;
    let count = ways.end_by(&token).await?;
    tracing::info!(count, "the OpenID provider ended sessions");
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish())
}

/// What the provider says. Parameters of its own are ignored; one of ours that is there twice is refused.
fn answer(query: &str) -> Result<ProviderAnswer> {
    let refuse = || {
        Error::new(
            Kind::Malformed,
            "bad_request",
            "The answer of the identity provider cannot be read.",
        )
    };
    if query.len() > ANSWER_LIMIT {
        return Err(refuse());
    }
    let mut answer = ProviderAnswer::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match name.as_ref() {
            "code" => &mut answer.code,
            "state" => &mut answer.state,
            "iss" => &mut answer.iss,
            "error" => &mut answer.error,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(refuse());
        }
    }
    Ok(answer)
}

/// Whether a browser fetches the page before anybody wants it.
fn looks_ahead(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        request
            .headers()
            .get(*name)
            .is_some_and(|value| value.as_bytes().starts_with(b"prefetch"))
    })
}

/// The cookie that ties the provider's answer to this browser. `Lax` lets it come back with the provider's redirect.
fn kept(site: &Site, sealed: &SecretString) -> Cookie<'static> {
    let life = i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX);
    Cookie::build(site.sign_in_cookie(), sealed.expose_secret().to_owned())
        .path(site.cookie_path().to_owned())
        .http_only(true)
        .secure(site.is_https())
        .same_site(SameSite::Lax)
        .max_age(CookieDuration::seconds(life))
        .finish()
}

fn removal(site: &Site) -> Cookie<'static> {
    let mut cookie = kept(site, &SecretString::from(String::new()));
    cookie.make_removal();
    cookie
}

/// The workspaces that somebody may enter.
#[derive(Template)]
#[template(path = "pages/people/choose_workspace.html")]
struct ChoosePage {
    chrome: Chrome,
    workspaces: Vec<Row>,
    has_more: bool,
}

struct Row {
    id: String,
    name: String,
    external_id: Option<String>,
}

impl Row {
    fn of(workspace: &Workspace) -> Self {
        Self {
            id: workspace.id.to_string(),
            name: workspace.name.to_string(),
            external_id: workspace
                .external_id
                .as_ref()
                .map(|id| id.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_may_say_more_but_nothing_twice() {
        let read = answer("code=a%2Bb&state=s&session_state=x&iss=https%3A%2F%2Fid&scope=openid");
        let read = read.unwrap();
        assert_eq!(read.code.as_deref(), Some("a+b"));
        assert_eq!(read.state.as_deref(), Some("s"));
        assert_eq!(read.iss.as_deref(), Some("https://id"));
        assert_eq!(read.error, None);
        for query in [
            "code=a&code=b",
            "state=a&code=b&state=a",
            &"x".repeat(ANSWER_LIMIT + 1),
        ] {
            assert!(answer(query).is_err(), "{query:.40}");
        }
    }

    #[test]
    fn workspaces_are_links_and_their_names_are_text() {
        let page = |has_more| {
            let page = ChoosePage {
                chrome: Chrome::bare(),
                workspaces: vec![Row {
                    id: "wrk_1".to_owned(),
                    name: "<script>alert(1)</script>".to_owned(),
                    external_id: Some("acme".to_owned()),
                }],
                has_more,
            };
            page.render().unwrap()
        };
        let html = page(false);
        assert!(html.contains("href=\"/sign-in/oidc?workspace=wrk_1\"") && html.contains("acme"));
        assert!(!html.contains("<script>alert") && !html.contains("There are more"));
        assert!(page(true).contains("There are more"));
    }
}
