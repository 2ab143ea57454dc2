//! What the questions of the check are asked with: the bucket, a Region, and the credentials that are checked.

use crate::application::bucket::probe::{Answer, Answered, ExpectedOwner};
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::classify;
use crate::aws::files::convert::expected_owner;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::region::Region;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::operation::RequestId;
use std::sync::Arc;

/// What the probes of one check share, whichever Region they ask.
pub(super) struct Common {
    pub clients: Arc<AwsClients>,
    pub http: reqwest::Client,
    pub credentials: SharedCredentialsProvider,
    pub bucket: ConnectedBucket,
}

/// The questions in one Region.
pub(super) struct S3Probe {
    pub common: Arc<Common>,
    pub region: Region,
    pub s3: aws_sdk_s3::Client,
}

impl S3Probe {
    pub async fn new(common: Arc<Common>, region: Region) -> Result<Self, AwsFailure> {
        let ConnectedBucket {
            owner, connection, ..
        } = &common.bucket;
        let credentials = common.credentials.clone();
        let s3 = common
            .clients
            .s3(owner, connection, region, credentials)
            .await?
            .calls;
        Ok(Self { common, region, s3 })
    }

    pub fn bucket(&self) -> &str {
        self.common.bucket.connection.bucket.as_str()
    }

    pub fn owner(&self, owner: ExpectedOwner) -> Option<String> {
        match owner {
            ExpectedOwner::Omit => None,
            ExpectedOwner::Require => expected_owner(&self.common.bucket.connection),
        }
    }

    pub fn prefix(&self) -> &str {
        self.common.bucket.connection.settings.prefix.as_str()
    }

    /// Reads one byte: what a permission is proved by, without a transfer.
    pub async fn read(&self, key: &str) -> Answer<()> {
        const OPERATION: &str = "GetObject";
        let answer = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key)
            .range("bytes=0-0")
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }
}

/// An answer that S3 gave by a success.
pub(super) fn answered<T>(
    operation: &'static str,
    request_id: Option<&str>,
    value: T,
) -> Answered<T> {
    Answered {
        value,
        operation,
        http_status: Some(200),
        request_id: request_id.map(str::to_owned),
        bucket_region: None,
    }
}
