//! What the templates of pages do with their values.

use crate::http::tenant;
use std::fmt::Display;

/// One of the service's own paths, at the address of the workspace that the page is shown for. Every address of a
/// page goes through this, so that a link or a form stays in its workspace. An address elsewhere stays as it is.
#[askama::filter_fn]
pub fn at(path: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(tenant::at(&path.to_string()))
}
