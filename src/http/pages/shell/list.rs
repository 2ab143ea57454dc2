//! Pages of a list.

use crate::application::kept::page_tokens::PageRequest;
use serde::Deserialize;

/// The query of a list's page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The token of the page; the first one has none.
    pub page: Option<String>,
    /// What was just done.
    pub done: Option<String>,
}

impl ListQuery {
    pub fn is_first_page(&self) -> bool {
        self.page.is_none()
    }

    /// The page that is asked for, of so many rows.
    pub fn request(&self, size: u32) -> PageRequest {
        PageRequest {
            size,
            token: self.page.clone(),
        }
    }
}
