//! The page of a setup that is no longer open.

use crate::application::setups::SetupView;
use crate::domain::people::sign_in::DialogEnd;
use crate::domain::setup::SetupStatus;
use crate::http::pages::shell::chrome::{Chrome, EndMessage, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::session::Visitor;
use askama::Template;

/// A setup that is no longer open.
#[derive(Template)]
#[template(path = "pages/setup/ended.html")]
pub struct EndedPage {
    chrome: Chrome,
    title: &'static str,
    words: &'static str,
    /// Whether another setup can take its place.
    offers_new: bool,
    /// Says what came of the setup, where that is an end of the dialog.
    return_url: Option<String>,
    /// The storage that the setup has become.
    storage: Option<String>,
}

pub fn ended(visitor: &Visitor, view: &SetupView, done: Option<&str>) -> EndedPage {
    let status = view.status;
    let end = end_of(view);
    let (title, words) = match status {
        SetupStatus::Completed => (
            "The storage has been added",
            "This setup has become a storage. You find it in the list of storages.",
        ),
        SetupStatus::Expired => (
            "This setup has expired",
            "Nothing was added. Its external ID will never be used again; what was made in AWS can be removed, or changed to the external ID of a new setup.",
        ),
        SetupStatus::Open | SetupStatus::Closed => (
            "This setup was closed",
            "Nothing was added. Its external ID will never be used again; what was made in AWS can be removed, or changed to the external ID of a new setup.",
        ),
    };
    EndedPage {
        chrome: Chrome::of(visitor, Section::Settings)
            .flash(done)
            .ends(end.as_ref().map(|end| EndMessage {
                status: end.status(),
                setup: end.setup().to_string(),
                storage: view.storage.as_ref().map(ToString::to_string),
            })),
        title,
        words,
        offers_new: status != SetupStatus::Completed,
        return_url: visitor
            .session
            .way_back
            .return_url
            .as_ref()
            .map(|url| match &end {
                Some(end) => url.with(end),
                None => url.as_str().to_owned(),
            }),
        storage: view.storage.as_ref().map(ToString::to_string),
    }
}

/// What came of the dialog. `None`: it is still open, or it has expired, or its storage is not there any more.
fn end_of(view: &SetupView) -> Option<DialogEnd> {
    let setup = view.setup.id.clone();
    match view.status {
        SetupStatus::Completed => {
            let storage = view.storage.clone()?;
            Some(DialogEnd::Completed { setup, storage })
        }
        SetupStatus::Closed => Some(DialogEnd::Closed { setup }),
        SetupStatus::Open | SetupStatus::Expired => None,
    }
}
