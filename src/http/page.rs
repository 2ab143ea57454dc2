//! Lists in pages.

use super::state::Services;
use crate::application::error::{Error, FieldError, Result};
use crate::application::store::Window;
use crate::application::vault::Vault;
use crate::domain::Invalid;
use serde::Deserialize;
use utoipa::IntoParams;

/// How many items a page has when the client does not say.
pub const DEFAULT_SIZE: u32 = 100;
/// The most that a page has.
pub const MAX_SIZE: u32 = 1000;

/// One page of a list. Its token is good for `place` only: the workspace, the list and its filters.
pub struct Page {
    place: String,
    size: u32,
    after: Option<String>,
}

impl Page {
    /// Reads `page_size` and `page_token`.
    pub fn open(
        vault: &Vault,
        place: impl Into<String>,
        size: Option<u32>,
        token: Option<&str>,
    ) -> Result<Self> {
        let place = place.into();
        let size = size.unwrap_or(DEFAULT_SIZE);
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(Error::field(
                "page_size",
                Invalid::new(
                    "invalid_page_size",
                    format!("`page_size` is from 1 to {MAX_SIZE}."),
                ),
            ));
        }
        let after = token
            .map(|token| vault.open_page_token(&place, token))
            .transpose()
            .map_err(|_| invalid_token())?;
        Ok(Self { place, size, after })
    }

    pub fn size(&self) -> u32 {
        self.size
    }

    /// Where the page begins: what [`Page::token`] was given.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The rows to read: one more than the page has, which tells whether it is the last.
    pub fn window(&self) -> Window {
        Window {
            after: self.after.clone(),
            limit: self.size + 1,
        }
    }

    /// Cuts the rows of [`Page::window`] to the page, and makes the next one's token.
    pub fn cut<T>(
        &self,
        vault: &Vault,
        mut rows: Vec<T>,
        id: impl Fn(&T) -> &str,
    ) -> Result<(Vec<T>, Option<String>)> {
        let size = self.size as usize;
        if rows.len() <= size {
            return Ok((rows, None));
        }
        rows.truncate(size);
        let token = rows
            .last()
            .map(|last| self.token(vault, id(last)))
            .transpose()?;
        Ok((rows, token))
    }

    /// The token of a page of the same list that begins after `after`.
    pub fn token(&self, vault: &Vault, after: &str) -> Result<String> {
        vault.seal_page_token(&self.place, after)
    }
}

fn invalid_token() -> Error {
    let detail = "This page token is not of this list. A token goes with the workspace, the list and the filters that it was given for.";
    let mut error = Error::invalid(vec![FieldError::new(
        "page_token",
        Invalid::new("invalid_page_token", detail),
    )])
    .remedy("Begin again without `page_token`.");
    error.code = "invalid_page_token";
    error
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub page_size: Option<u32>,
    /// `next_page_token` of the page before.
    pub page_token: Option<String>,
}

impl PageQuery {
    /// The page of the list at `place`.
    pub fn open(&self, services: &Services, place: impl Into<String>) -> Result<Page> {
        Page::open(
            &services.vault,
            place,
            self.page_size,
            self.page_token.as_deref(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::vault::MasterKey;

    #[test]
    fn pages_follow_each_other_and_stay_in_their_place() {
        let vault = Vault::new(&MasterKey::generate().unwrap().0).unwrap();
        let page = Page::open(&vault, "wrk_1/tokens", Some(2), None).unwrap();
        assert_eq!(
            page.window(),
            Window {
                after: None,
                limit: 3
            }
        );
        let (rows, token) = page.cut(&vault, vec!["a", "b", "c"], |r| r).unwrap();
        assert_eq!(rows, ["a", "b"]);
        let token = token.unwrap();

        let next = Page::open(&vault, "wrk_1/tokens", None, Some(&token)).unwrap();
        assert_eq!(next.after(), Some("b"));
        assert_eq!(next.cut(&vault, vec!["c"], |r| r).unwrap().1, None);

        let foreign = Page::open(&vault, "wrk_2/tokens", None, Some(&token))
            .err()
            .unwrap();
        assert_eq!(foreign.code, "invalid_page_token");
        for size in [0, 1001] {
            let error = Page::open(&vault, "p", Some(size), None).err().unwrap();
            assert_eq!(error.fields[0].field, "page_size");
        }
    }
}
