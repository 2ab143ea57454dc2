//! The fields of a form with files, as they come.

use crate::application::bucket::body::BodyFault;
use crate::application::error::{Error, Kind, Result};
use actix_multipart::{Field, Multipart, MultipartError};
use futures_util::{Stream, StreamExt};
use std::time::Duration;

/// The longest field beside the files, in bytes.
const LONGEST_FIELD: usize = 8 << 10;

type NextField = Option<std::result::Result<Field, MultipartError>>;

/// The form's next field. `None` at the form's end.
pub async fn next(patience: Duration, form: &mut Multipart) -> Result<NextField> {
    tokio::time::timeout(patience, form.next())
        .await
        .map_err(|_| BodyFault::Stalled.into())
}

/// A field's text.
pub async fn text(patience: Duration, field: &mut Field) -> Result<String> {
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = field.next().await {
            bytes.extend_from_slice(&chunk.map_err(unreadable)?);
            if bytes.len() > LONGEST_FIELD {
                return Err(unreadable("a field is too long"));
            }
        }
        String::from_utf8(bytes).map_err(unreadable)
    };
    match tokio::time::timeout(patience, reading).await {
        Ok(text) => text,
        Err(_) => Err(BodyFault::Stalled.into()),
    }
}

/// Reads a field to its end, and drops what it holds: a browser that is still sending would see a broken
/// connection instead of the answer. A field that may have been read to its end must be fused: it panics when it is
/// asked again.
pub async fn drain<T, E>(
    patience: Duration,
    field: &mut (impl Stream<Item = std::result::Result<T, E>> + Unpin),
) {
    let reading = async { while let Some(Ok(_)) = field.next().await {} };
    // A browser that stops sending gets no answer that it could read.
    let _ = tokio::time::timeout(patience, reading).await;
}

/// The error of a form that cannot be read.
pub fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Malformed,
        "not_a_form",
        "The form could not be read to its end. Files before the break may have been stored.",
    )
    .remedy("Look at the folder, then upload again.")
    .internal(cause)
}
