//! The API, and the service about itself, as faces of the service.

use crate::http::face::{Actions, Callers, ErrorLook, Face};

/// What programs do with a token.
pub static API: Face = Face {
    root: "/v1/",
    callers: Callers::Tokens,
    errors: ErrorLook::Problem,
    actions: Actions::ByOperation,
    is_cacheable: false,
};

/// What anybody may ask of the service about itself.
pub static SERVICE: Face = Face {
    root: "/",
    callers: Callers::Anybody,
    errors: ErrorLook::PageForBrowsers,
    actions: Actions::ByAddress,
    is_cacheable: true,
};

/// The face of an operation of the OpenAPI document.
pub fn of(path: &str) -> &'static Face {
    match API.covers(path) {
        true => &API,
        false => &SERVICE,
    }
}
