//! Forms whose fields may be there more than once, like the boxes ticked in a list.

use crate::application::error::{Error, Kind, Result};
use crate::http::pages::shell::csrf::Csrf;
use crate::http::pages::shell::form::{expected, same_site};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use std::future::Future;
use std::pin::Pin;

/// The largest form, in bytes: 10,000 file keys of 1 KiB, percent-encoded.
const LIMIT: usize = 32 << 20;

/// The fields of a form that was sent from one of our pages, in their order, without the token.
#[derive(Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
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
}

impl FromRequest for Fields {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            same_site(&request)?;
            let csrf = expected(&request)?;
            let mut bytes = actix_web::web::BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk?;
                if bytes.len() + chunk.len() > LIMIT {
                    return Err(Error::new(
                        Kind::TooLarge,
                        "body_too_large",
                        "What was sent is larger than this page takes.",
                    )
                    .into());
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(Self::parse(&bytes, &csrf)?)
        })
    }
}

/// Refuses a form without the token of its visitor's session.
pub fn check_token(token: Option<&str>, csrf: &Csrf) -> Result<()> {
    if token.is_some_and(|token| csrf.matches(token)) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        "csrf",
        "This form is not of your present session, so that nothing was changed.",
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
        let fields = Fields::parse(form.as_bytes(), &csrf).unwrap();
        assert_eq!(fields.all("key").collect::<Vec<_>>(), ["/a b", "/c+"]);
        assert_eq!((fields.text("key"), fields.text("other")), ("/a b", ""));
        for bad in ["key=a", "csrf=x"] {
            assert_eq!(
                Fields::parse(bad.as_bytes(), &csrf).unwrap_err().code,
                "csrf"
            );
        }
    }
}
