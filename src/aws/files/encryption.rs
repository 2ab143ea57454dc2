//! The encryption that a connection names.

use crate::domain::connection::Connection;
use aws_sdk_s3::types::ServerSideEncryption;

/// What every call that makes an object asks for: PutObject, CopyObject and CreateMultipartUpload, made here
/// or by a signed URL. The parts of an upload follow its beginning (S3 user guide, "Specifying server-side
/// encryption with AWS KMS").
///
/// A bucket policy may refuse objects that do not name the key in their request, whatever the bucket's
/// default encryption is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encryption {
    /// `None`: the bucket's default encryption applies.
    pub algorithm: Option<ServerSideEncryption>,
    pub key_id: Option<String>,
}

impl Encryption {
    pub fn of(connection: &Connection) -> Self {
        let key = connection.settings.kms_key.as_ref();
        Self {
            algorithm: key.map(|_| ServerSideEncryption::AwsKms),
            key_id: key.map(ToString::to_string),
        }
    }
}
