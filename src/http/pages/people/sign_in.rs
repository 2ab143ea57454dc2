//! Coming and going.

use crate::application::connections::input::ConnectionInput;
use crate::application::error::Result;
use crate::application::kept::idempotency::Keep;
use crate::application::people::caller::{Caller, Member};
use crate::application::people::openid::OpenIdSignIn;
use crate::application::people::sign_in::{Arrived, Begun, Found};
use crate::domain::people::sign_in::Arrival;
use crate::http::context::{NothingChanged, SeenCaller};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::cookies;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::session;
use crate::http::pages::shell::session::Visitor;
use crate::http::state::Services;
use crate::http::tenant::Tenant;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::public("/", start))
        .add(PageRoute::at("/sign-in/{secret}", "sign_in").changes_by_get(sign_in))
        .add(PageRoute::at("/sign-out", "sign_out").changes(sign_out))
        .add(PageRoute::public("/signed-out", signed_out));
}

async fn start(request: HttpRequest, services: Data<Services>) -> Result<HttpResponse> {
    match session::visitor(&request).await? {
        Some(visitor) if visitor.is_admin() => Ok(see_other("/settings/storages")),
        Some(_) => Ok(see_other("/projects")),
        None => html(&Welcome {
            chrome: Chrome::of_site(&services.site),
            workspaces: beside(&request, &services).await?,
            signs_in: services.people.openid.is_some(),
        }),
    }
}

/// For whoever comes without a session, or with sessions of workspaces that this address does not name.
#[derive(Template)]
#[template(path = "pages/welcome.html")]
struct Welcome {
    chrome: Chrome,
    workspaces: Vec<Workspace>,
    /// Whether people can sign in by themselves, at an OpenID provider.
    signs_in: bool,
}

/// A workspace that the browser has a session of.
struct Workspace {
    name: String,
    /// The path of its start page, without that of the public URL.
    address: String,
}

/// The workspaces that the browser is signed in to by addresses of their own.
async fn beside(request: &HttpRequest, services: &Services) -> Result<Vec<Workspace>> {
    let mut workspaces = Vec::new();
    if Tenant::of_request(request).is_some() {
        return Ok(workspaces);
    }
    for cookie in cookies::all(request, &services.site) {
        let Some(tenant) = cookie.tenant else {
            continue;
        };
        match services.people.sign_ins.session(&cookie.secret).await? {
            Found::Going(session) if tenant.is_of(&session.workspace) => {
                let workspace = services.storages.workspace(&session.workspace).await?;
                workspaces.push(Workspace {
                    name: workspace.name.to_string(),
                    address: format!("{}/", tenant.base()),
                });
            }
            Found::Going(_) | Found::Ended(_) | Found::Unknown => {}
        }
    }
    Ok(workspaces)
}

/// Uses the link up. Only a person's navigation does: what looks ahead (a preview, a prefetch) must not
/// leave them with a used link.
async fn sign_in(
    services: Data<Services>,
    secret: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let looks_ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        request
            .headers()
            .get(*name)
            .is_some_and(|value| value.as_bytes().starts_with(b"prefetch"))
    });
    if looks_ahead {
        return Ok(HttpResponse::NoContent().finish());
    }
    let sent = cookies::all(&request, &services.site);
    let own: Vec<String> = sent.iter().map(|cookie| cookie.secret.clone()).collect();
    let sign_ins = &services.people.sign_ins;
    match sign_ins.sign_in(&secret, &own).await? {
        Arrived::Again { arrival, secret } => {
            // The session of a frame may have addresses of both kinds.
            let mut own = sent.iter().filter(|cookie| cookie.secret == secret);
            let tenant = own.find_map(|cookie| cookie.tenant.as_ref());
            let mut response = see_other(&in_tenant(tenant, &address(&arrival)));
            response.extensions_mut().insert(NothingChanged);
            Ok(response)
        }
        Arrived::Began(begun) => arrive(&request, &services, &begun, Some(secret.as_str())).await,
    }
}

/// Sends somebody whose session has just begun to where they arrive, with the session's cookie. `link`: the secret of
/// the link that they came by.
pub(super) async fn arrive(
    request: &HttpRequest,
    services: &Services,
    begun: &Begun,
    link: Option<&str>,
) -> Result<HttpResponse> {
    let member = Member::from(&*begun.session);
    SeenCaller::note(request, &Caller::Workspace(member.clone()));
    let to = match &begun.arrival {
        Arrival::AddStorage => {
            let admin = member.into_admin().ok_or_else(session::not_signed_in)?;
            let setup = services
                .setups
                .open(&admin, ConnectionInput::default(), Keep::nothing())
                .await?;
            let id = &setup.setup.id;
            services.setups.dialog_is_open(&admin, id, true).await?;
            if let Some(link) = link {
                services.people.sign_ins.opened_setup(link, id).await?;
            }
            setups::beginning(id)
        }
        Arrival::Settings
        | Arrival::Projects
        | Arrival::Setup(_)
        | Arrival::Storage(_)
        | Arrival::Files(_) => address(&begun.arrival),
    };
    arrive_at(&to, request, services, begun).await
}

/// Sends somebody whose session has just begun there, with the session's cookie.
pub(super) async fn arrive_at(
    to: &str,
    request: &HttpRequest,
    services: &Services,
    begun: &Begun,
) -> Result<HttpResponse> {
    SeenCaller::note(request, &Caller::Workspace(Member::from(&*begun.session)));
    let tenant = cookies::place(request, services, &begun.session.workspace).await;
    let tenant = tenant.as_ref();
    let mut response = see_other(&in_tenant(tenant, to));
    cookies::begin(&mut response, request, services, tenant, &begun.secret)?;
    Ok(response)
}

/// A page's address in the workspace that its addresses name, if they name one.
fn in_tenant(tenant: Option<&Tenant>, path: &str) -> String {
    match tenant {
        Some(tenant) => format!("{}{path}", tenant.base()),
        None => path.to_owned(),
    }
}

/// Where people arrive. A setup opens at its first unfinished step.
fn address(arrival: &Arrival) -> String {
    match arrival {
        // The setup of a link for adding a storage could not be opened, so there is none to go on with.
        Arrival::Settings | Arrival::AddStorage => "/settings/storages".to_owned(),
        Arrival::Projects => "/projects".to_owned(),
        Arrival::Setup(setup) => format!("/settings/setups/{setup}"),
        Arrival::Storage(storage) => format!("/settings/storages/{storage}"),
        Arrival::Files(storage) => format!("/storages/{storage}/files"),
    }
}

async fn sign_out(
    visitor: Visitor,
    services: Data<Services>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.people.sign_ins.sign_out(&visitor.session).await?;
    let mut response = see_other("/signed-out");
    let workspace = &visitor.session.workspace;
    cookies::end(&mut response, &services.site, &visitor.cookie, workspace)?;
    Ok(response)
}

async fn signed_out(services: Data<Services>) -> Result<HttpResponse> {
    let openid = services.people.openid.as_ref();
    let ends_at_provider = openid.is_some_and(OpenIdSignIn::has_end_page);
    html(&SignedOut {
        chrome: Chrome::of_site(&services.site),
        ends_at_provider,
    })
}

#[derive(Template)]
#[template(path = "pages/signed_out.html")]
struct SignedOut {
    chrome: Chrome,
    /// Whether the OpenID provider has a page for signing out there.
    ends_at_provider: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_signed_in_sees_no_way_in() {
        let chrome = Chrome::bare;
        let welcome = |signs_in| {
            let welcome = Welcome {
                chrome: chrome(),
                workspaces: Vec::new(),
                signs_in,
            };
            welcome.render().unwrap()
        };
        assert!(welcome(true).contains("href=\"/sign-in/oidc\""));
        let welcome = welcome(false);
        let signed_out = |ends_at_provider| {
            let page = SignedOut {
                chrome: chrome(),
                ends_at_provider,
            };
            page.render().unwrap()
        };
        assert!(signed_out(true).contains("href=\"/sign-in/oidc/end\""));
        let signed_out = signed_out(false);
        assert!(!signed_out.contains("/sign-in/oidc"));
        assert!(welcome.contains("Connect your own Amazon S3 bucket"));
        assert!(signed_out.contains("You are signed out"));
        for html in [welcome, signed_out] {
            assert!(!html.contains("<form") && !html.contains("/settings/"));
            assert!(!html.contains("signed in to") && !html.contains("/sign-in/"));
        }
    }

    #[test]
    fn whoever_is_signed_in_to_others_finds_them() {
        let welcome = Welcome {
            chrome: Chrome::bare(),
            workspaces: vec![Workspace {
                name: "Acme <b>".into(),
                address: "/w/9a520c8c2f6f6b1e/".into(),
            }],
            signs_in: false,
        };
        let html = welcome.render().unwrap();
        assert!(html.contains("href=\"/w/9a520c8c2f6f6b1e/\"><bdi>Acme &#60;b&#62;</bdi>"));
    }
}
