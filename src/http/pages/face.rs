//! The pages as a face of the service.

use crate::http::face::{Actions, Callers, ErrorLook, Face};

pub static FACE: Face = Face {
    root: "/",
    callers: Callers::Anybody,
    errors: ErrorLook::PageForBrowsers,
    actions: Actions::ByAddress,
    is_cacheable: true,
};
