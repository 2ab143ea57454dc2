//! Errors that setups and storages have in common.

use crate::application::error::{Error, FieldError, Kind, Reason};
use crate::domain::Invalid;

pub fn incomplete(missing: Vec<&'static str>) -> Error {
    let mut error = Error::new(
        Kind::Conflict,
        "setup_incomplete",
        format!("These settings are still missing: {}.", missing.join(", ")),
    )
    .remedy("Fill them in, then try again.");
    error.fields = missing
        .into_iter()
        .map(|field| FieldError::new(field, Invalid::new("missing", "This setting is needed.")))
        .collect();
    error
}

pub fn check_required(why: &str) -> Error {
    Error::new(Kind::Conflict, "check_required", why)
        .because(Reason::CheckRequired)
        .remedy("Check the connection; when it passes, try again.")
}

pub fn no_pending_change() -> Error {
    Error::new(
        Kind::Conflict,
        "no_pending_change",
        "This storage has no change that waits for its check.",
    )
    .because(Reason::NoPendingChange)
    .remedy(
        "Read the storage to see what it uses. To change it, send the fields that are to differ.",
    )
}

pub fn storage_limit_reached(most: u32) -> Error {
    Error::new(
        Kind::Conflict,
        "storage_limit_reached",
        format!("This workspace may have {most} storages, and has as many."),
    )
    .remedy("Delete a storage that is not needed, or ask the operator for a higher limit.")
}

pub fn changed_meanwhile() -> Error {
    Error::new(
        Kind::Conflict,
        "changed_meanwhile",
        "Somebody else changed this at the same moment. Nothing of yours was changed.",
    )
    .because(Reason::ChangedMeanwhile)
    .remedy("Read it again, then repeat what you did.")
}
