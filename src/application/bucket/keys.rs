//! File keys as the keys of a connected bucket.

use crate::application::error::{Error, Result};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::object_key::ObjectKey;

/// Here and not in the domain, because the refusal names a field of the request.
impl ConnectedBucket {
    /// The full key of a file, below the bucket prefix. `field` is named by the refusal of one that is
    /// too long (`file_key_too_long`).
    pub(crate) fn key(&self, field: &str, file: &FileKey) -> Result<ObjectKey> {
        ObjectKey::within(&self.connection.settings.prefix, file)
            .map_err(|invalid| Error::field(field, invalid))
    }
}
