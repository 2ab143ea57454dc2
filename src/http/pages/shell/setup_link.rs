//! The link for the customer's AWS administrator, as an address names it: by its secret, as it was sent, or by its ID,
//! with the secret in a cookie. The first leads a browser to the second. The address bar, the history and what the
//! page loads then have no secret.

use crate::application::error::{Error, Kind, Result};
use crate::application::setups::instructions::{Instructions, Opened};
use crate::domain::ids::InstructionLinkId;
use crate::http::pages::shell::answer::see_other;
use crate::http::pages::shell::cookies;
use crate::http::state::{Services, Site};
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use std::future::{Ready, ready};

/// The link of a route with `{secret}` in its path.
pub struct NamedLink {
    secret: String,
    /// `None`: the address has the secret itself.
    id: Option<InstructionLinkId>,
}

impl NamedLink {
    /// Fails where the address has the link's ID, and the browser has no cookie for it.
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let name = request
            .match_info()
            .get("secret")
            .ok_or_else(|| Error::bug("the route has no {secret}"))?;
        let Ok(id) = InstructionLinkId::parse(name) else {
            let secret = name.to_owned();
            return Ok(Self { secret, id: None });
        };
        let services = request
            .app_data::<web::Data<Services>>()
            .ok_or_else(|| Error::bug("no services"))?;
        let cookie = request.cookie(&services.site.setup_link_cookie());
        let cookie = cookie.ok_or_else(not_opened)?;
        Ok(Self {
            secret: cookie.value().to_owned(),
            id: Some(id),
        })
    }

    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The page's own path, as this address names it.
    pub fn place(&self) -> String {
        place(match &self.id {
            Some(id) => id.as_str(),
            None => &self.secret,
        })
    }

    /// What the link opens.
    pub async fn open(&self, instructions: &Instructions) -> Result<Opened> {
        let opened = instructions.open(&self.secret).await?;
        match &self.id {
            Some(id) if *id != opened.link.id => Err(not_opened()),
            Some(_) | None => Ok(opened),
        }
    }

    /// Whether the page goes to the address without the secret. In a frame of another site's page it stays: browsers
    /// keep no such cookie there. What a script asks for stays too.
    pub fn is_exchanged(&self, request: &HttpRequest, site: &Site) -> bool {
        let headers = request.headers();
        let for_what = headers.get("sec-fetch-dest").and_then(|v| v.to_str().ok());
        self.id.is_none()
            && match for_what {
                Some(for_what) => for_what == "document",
                // Older browsers do not say. Where nobody may embed the pages, it is no frame.
                None => site.frame_ancestors.is_empty(),
            }
    }

    /// Gives the browser the link's cookie, and leads it to the address without the secret. The cookie lives as long
    /// as the link, and is sent to this link's page alone. The link itself goes on working.
    pub fn exchange(
        &self,
        request: &HttpRequest,
        services: &Services,
        opened: &Opened,
    ) -> Result<HttpResponse> {
        let site = &services.site;
        let place = place(opened.link.id.as_str());
        let life = opened.link.expires_at - services.dialog.instructions.clock.now();
        let cookie = Cookie::build(site.setup_link_cookie(), self.secret.clone())
            .path(format!("{}{place}", site.base()))
            .http_only(true)
            .secure(site.is_https())
            // A link in a mail or a chat arrives from another site.
            .same_site(SameSite::Lax)
            .max_age(CookieDuration::seconds(life.whole_seconds()))
            .finish();
        let mut response = match request.query_string() {
            "" => see_other(&place),
            query => see_other(&format!("{place}?{query}")),
        };
        cookies::set(&mut response, &cookie)?;
        Ok(response)
    }
}

impl FromRequest for NamedLink {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// `name`: a link's secret or ID.
fn place(name: &str) -> String {
    format!("/instructions/{name}")
}

fn not_opened() -> Error {
    Error::new(
        Kind::NotFound,
        "instruction_link_not_opened",
        "This address works only in a browser that has opened the setup link itself.",
    )
    .remedy(
        "Open the setup link that you were sent. The browser must accept cookies from this site.",
    )
}
