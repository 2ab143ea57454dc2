//! Why a workspace's file is not written, or not taken.

use crate::application::error::{Error, Kind};
use crate::application::kept::store::NotWritten;
use std::fmt::Display;
use std::time::Duration;

pub fn no_export(cause: impl Display) -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_malformed",
        "This is not a file of `GET /v1/export`. Nothing was stored.",
    )
    .remedy("Send the file unchanged, with `curl --upload-file` or `--data-binary`.")
    .internal(cause)
}

pub fn other_format() -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_other_version",
        "The file has a format that this release does not read. Nothing was stored.",
    )
    .remedy("Bring both services to the same release, and export the workspace again.")
}

/// `theirs` and `ours` are the last migrations.
pub fn other_schema(theirs: i64, ours: i64) -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_other_version",
        format!(
            "The file was written by a release with other tables: its last migration is {theirs}, and that of this release is {ours}. Nothing was stored."
        ),
    )
    .remedy("Bring both services to the same release, and export the workspace again.")
}

pub fn no_key() -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_key_needed",
        "The file is encrypted with a key that this service does not have. Nothing was stored.",
    )
    .remedy("To move a workspace to another service, give both the same `SALLYPORT_TRANSFER_KEY` and export it with `sealed_with=transfer_key`.")
}

pub fn altered(cause: impl Display) -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_altered",
        "The file was changed since it was written. Nothing was stored.",
    )
    .remedy("Send the file unchanged. If the error stays, export the workspace again.")
    .internal(cause)
}

pub fn incomplete() -> Error {
    Error::new(
        Kind::Unprocessable,
        "export_incomplete",
        "The file is incomplete: its last line is missing. Nothing was stored.",
    )
    .remedy("Export the workspace again, and wait until the export is complete.")
}

pub fn too_large(most: u64) -> Error {
    Error::new(
        Kind::TooLarge,
        "body_too_large",
        format!(
            "A workspace's file has at most {most} bytes, and its lines have a largest length too. This one has more. Nothing was stored."
        ),
    )
}

pub fn transfer_key_missing() -> Error {
    Error::new(
        Kind::Conflict,
        "transfer_key_missing",
        "This service has no transfer key.",
    )
    .remedy("Set `SALLYPORT_TRANSFER_KEY` to the same key in both services.")
}

pub fn busy() -> Error {
    Error::new(
        Kind::TooMany,
        "too_many_moves",
        "This replica already exports or imports as many workspaces as it can at the same time.",
    )
    .remedy("Try again when one of them has ended.")
    .retry_after(Duration::from_secs(10))
}

impl From<NotWritten> for Error {
    fn from(why: NotWritten) -> Self {
        match why {
            NotWritten::Exists => Self::new(
                Kind::Conflict,
                "workspace_exists",
                "The workspace of the file already exists here. Nothing was changed.",
            )
            .remedy("To return the workspace to the state of the file, delete it first. What has changed since then is lost."),
            NotWritten::Erased => Self::new(
                Kind::Conflict,
                "workspace_erased",
                "The workspace of the file was erased here, and cannot be imported again. Nothing was stored.",
            )
            .remedy("Delete the file."),
            NotWritten::WorkspaceExternalIdTaken => Self::new(
                Kind::Conflict,
                "external_id_taken",
                "Another workspace has the external ID of the one in the file. Nothing was stored.",
            )
            .remedy("Take it from the other workspace (`PATCH /v1/workspaces/{id}`), and import the file again."),
            NotWritten::ExternalIdInUse => Self::new(
                Kind::Conflict,
                "import_external_id_in_use",
                "A setup of another workspace has the external ID of one in the file. No two may have the same. Nothing was stored.",
            )
            .remedy("Delete the other workspace, if it is a copy of this one."),
            NotWritten::Collides { table } => Self::new(
                Kind::Conflict,
                "import_conflict",
                "Something in the file has an ID that something of another workspace has. Nothing was stored.",
            )
            .remedy("Delete the other workspace, if it is a copy of this one.")
            .internal(format!("a row of {table}")),
            NotWritten::Unfit(why) => altered(why),
            NotWritten::TooLong { seconds } => Self::new(
                Kind::Unprocessable,
                "import_too_long",
                format!(
                    "The workspace could not be stored within {seconds} seconds. Nobody else can change anything in this service's SQLite database meanwhile, so the import was given up. Nothing was stored."
                ),
            )
            .remedy("Import the file into a service on PostgreSQL, where nobody waits for an import. `sallyport copy-database` moves this service there."),
            NotWritten::Store(error) => error.into(),
        }
    }
}
