//! A storage that passed its check, and the customer behind it.

use crate::it::support::emulator::Customer;
use serde_json::Value;

/// A storage of a workspace, and the customer behind it.
pub struct ConnectedStorage {
    pub id: String,
    /// The storage as `complete` answered it.
    pub body: Value,
    pub customer: Customer,
    pub bucket: String,
    /// With its slash, or empty.
    pub prefix: String,
    pub role_arn: String,
}

impl ConnectedStorage {
    /// The address of something of this storage: `path("/files")`.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/storages/{}{below}", self.id)
    }

    /// Puts an object by its file key.
    pub async fn put(&self, file_key: &str, body: impl Into<Vec<u8>>) {
        let key = self.object_key(file_key);
        self.customer.put_object(&self.bucket, &key, body).await;
    }

    /// The key in the bucket.
    pub fn object_key(&self, file_key: &str) -> String {
        let path = file_key.strip_prefix('/').unwrap_or(file_key);
        format!("{}{path}", self.prefix)
    }
}
