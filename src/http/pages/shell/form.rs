//! Forms: every change comes from a page of ours, and carries a token of its visitor's session.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::caller::Caller;
use crate::http::body::collect;
use crate::http::context::SeenCaller;
use crate::http::pages::shell::cookies;
use crate::http::pages::shell::cookies::SessionCookie;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::pages::shell::session::{not_signed_in, visitor};
use crate::http::pages::shell::setup_link::NamedLink;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use bytes::BytesMut;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;

/// The largest form, in bytes: 10,000 file keys of 1 KiB, percent-encoded.
const LIMIT: usize = 32 << 20;
/// The largest form of somebody without a session.
const LINK_LIMIT: usize = 16 << 10;

/// The fields of a form that was sent from one of our pages. Unknown fields are refused; `T` derives
/// `Deserialize` with `deny_unknown_fields` and has no field `csrf`.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let fields = own_form(request, payload).await?;
            Ok(Self(fields.into_typed()?))
        })
    }
}

/// The same for a page that is reached by an administrator's link (`{secret}` in its path), by somebody without a
/// session: the token is derived from the link's secret.
pub struct LinkForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for LinkForm<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let link = NamedLink::of(&request)?;
            let csrf = Csrf::of_secret(link.secret());
            let fields = async {
                same_site(&request)?;
                let bytes = body(&request, payload, LINK_LIMIT).await?;
                Ok(FormFields::parse(&bytes, &csrf)?)
            };
            match fields.await {
                Ok(fields) => Ok(Self(fields.into_typed()?)),
                Err(error) => {
                    note_holder(&request, &link).await;
                    Err(error)
                }
            }
        })
    }
}

/// The fields of a form whose names may be there more than once, like the boxes ticked in a list; in
/// their order, without the token.
#[derive(Debug, Default)]
pub struct FormFields(pub Vec<(String, String)>);

impl FormFields {
    /// The first field of this name; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Takes a form apart, if it carries this token.
    fn parse(bytes: &[u8], csrf: &Csrf) -> Result<Self> {
        let mut fields = Vec::new();
        let mut token = None;
        for (name, value) in url::form_urlencoded::parse(bytes) {
            match name.as_ref() {
                "csrf" => token = Some(value.into_owned()),
                _ => fields.push((name.into_owned(), value.into_owned())),
            }
        }
        check_token(token.as_deref(), csrf)?;
        Ok(Self(fields))
    }

    fn into_typed<T: DeserializeOwned>(self) -> Result<T> {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.0);
        crate::http::query::parse(&text.finish())
    }
}

impl FromRequest for FormFields {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(own_form(request, payload))
    }
}

/// Reads a form of a visitor's, and writes down that it may change something. Who the visitor is is
/// known before the form is refused: their workspace's admins see the refusal in the audit log.
async fn own_form(
    request: HttpRequest,
    payload: Payload,
) -> std::result::Result<FormFields, actix_web::Error> {
    let is_known = || {
        let extensions = request.extensions();
        extensions
            .get::<SeenCaller>()
            .is_some_and(|seen| seen.get().is_some())
    };
    if !is_known() {
        visitor(&request).await?;
    }
    same_site(&request)?;
    let csrf = expected(&request)?;
    let bytes = body(&request, payload, LIMIT).await?;
    let fields = FormFields::parse(&bytes, &csrf)?;
    if let Some(trail) = Trail::of(&request).filter(|trail| trail.caller().is_some()) {
        trail.begin().await?;
    }
    Ok(fields)
}

/// Notes who holds the link, where it is one, for the audit log's entry about a refused form.
async fn note_holder(request: &HttpRequest, link: &NamedLink) {
    let Some(services) = request.app_data::<web::Data<Services>>() else {
        return;
    };
    if let Ok(opened) = link.open(&services.dialog.instructions).await {
        let caller = Caller::InstructionLink {
            workspace: opened.link.workspace,
            link: opened.link.id,
        };
        SeenCaller::note(request, &caller);
    }
}

/// Reads the body of a form of at most `limit` bytes, within the time that a client has for it.
async fn body(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> std::result::Result<BytesMut, actix_web::Error> {
    if request.content_type() != "application/x-www-form-urlencoded" {
        return Err(Error::new(
            Kind::Malformed,
            "not_a_form",
            "This address takes the forms of these pages only.",
        )
        .into());
    }
    Ok(collect(request, payload, limit).await?)
}

/// The token alone, for a form without fields.
pub type Confirmed = Form<NoFields>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFields {}

/// The token that the visitor's forms carry.
pub fn expected(request: &HttpRequest) -> Result<Csrf> {
    let known = request.extensions().get::<SessionCookie>().cloned();
    let cookie = known.or_else(|| {
        let services = request.app_data::<web::Data<Services>>()?;
        let sent = cookies::of_address(request, &services.site);
        sent.into_iter().next()
    });
    cookie
        .map(|cookie| Csrf::of_secret(&cookie.secret))
        .ok_or_else(not_signed_in)
}

/// Refuses what another site's page sends, by what the browser says of its origin.
pub fn same_site(request: &HttpRequest) -> Result<()> {
    let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let refuse = || {
        Error::new(
            Kind::Forbidden,
            "cross_site",
            "This came from another site's page, and was refused.",
        )
        .remedy("Do it on the page itself.")
    };
    if let Some(site) = text("sec-fetch-site")
        && site != "same-origin"
    {
        return Err(refuse());
    }
    if let Some(origin) = text(header::ORIGIN.as_str()) {
        let host = text(header::HOST.as_str()).unwrap_or_default();
        let own = request
            .app_data::<web::Data<Services>>()
            .map(|services| services.site.public_url.origin().ascii_serialization());
        let of_host = origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
        if own.as_deref() != Some(origin) && !of_host {
            return Err(refuse());
        }
    }
    Ok(())
}

/// Refuses a form without the token of its visitor's session.
pub fn check_token(token: Option<&str>, csrf: &Csrf) -> Result<()> {
    if token.is_some_and(|token| csrf.matches(token)) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        "csrf",
        "This form is not of your present session, so nothing was changed.",
    )
    .remedy("Load the page again, then repeat what you did."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_the_token_is_needed() {
        let csrf = Csrf::of_secret("a");
        let form = format!("key=%2Fa+b&csrf={}&key=%2Fc%2B", csrf.masked());
        let fields = FormFields::parse(form.as_bytes(), &csrf).unwrap();
        assert_eq!(fields.all("key").collect::<Vec<_>>(), ["/a b", "/c+"]);
        assert_eq!((fields.text("key"), fields.text("other")), ("/a b", ""));
        for bad in ["key=a", "csrf=x"] {
            assert_eq!(
                FormFields::parse(bad.as_bytes(), &csrf).unwrap_err().code,
                "csrf"
            );
        }
    }
}
