//! Pages of lists: how many, from where, and the opaque token that leads on.

use crate::application::error::{Error, FieldError, Result};
use crate::application::kept::store::Window;
use crate::application::kept::vault::{Purpose, Vault};
use crate::domain::Invalid;
use std::sync::Arc;

/// Which page a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1, and at most [`PageRequest::LARGEST`] unless the list allows more.
    pub size: u32,
    pub token: Option<String>,
}

impl PageRequest {
    pub const DEFAULT: u32 = 100;
    pub const LARGEST: u32 = 1000;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next_page_token: Option<String>,
}

/// Makes and reads page tokens. A token is sealed for its place (workspace, resource and filters), so
/// that one from elsewhere is refused rather than followed.
pub struct PageTokens {
    vault: Arc<Vault>,
}

impl PageTokens {
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    /// What the token says, if it was made for this place.
    pub fn open(&self, place: &str, token: Option<&str>) -> Result<Option<String>> {
        token
            .map(|token| {
                self.vault.open_token(Purpose::PageToken, place, token).map_err(|_| {
                    Error::invalid(vec![FieldError::new(
                        "page_token",
                        Invalid::new(
                            "invalid_page_token",
                            "This page token was not made for this list. Use the one of the page before, with the same parameters.",
                        ),
                    )])
                })
            })
            .transpose()
    }

    pub fn seal(&self, place: &str, inner: &str) -> Result<String> {
        self.vault.seal_token(Purpose::PageToken, place, inner)
    }

    /// The rows to read: one more than the page has, to know whether another follows.
    pub fn window(&self, place: &str, request: &PageRequest) -> Result<Window> {
        Ok(Window {
            after: self.open(place, request.token.as_deref())?,
            limit: request.size + 1,
        })
    }

    /// The page that the rows of [`PageTokens::window`] make.
    pub fn page<T>(
        &self,
        place: &str,
        request: &PageRequest,
        mut rows: Vec<T>,
        position: impl Fn(&T) -> String,
    ) -> Result<Page<T>> {
        let size = request.size as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = match rows.last() {
            Some(last) if more => Some(self.seal(place, &position(last))?),
            _ => None,
        };
        Ok(Page {
            items: rows,
            next_page_token,
        })
    }
}
