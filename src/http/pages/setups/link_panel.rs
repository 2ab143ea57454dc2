//! The part of a page with the link for the AWS administrator.

use crate::http::pages::shell::moment::Moment;

/// What the panel about the link shows.
#[derive(Default)]
pub struct LinkPanel {
    /// Until when the setup's link works, if it has one.
    pub expires: Option<Moment>,
    /// The link itself, right after it was made and never again.
    pub url: Option<String>,
}
