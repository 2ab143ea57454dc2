//! The operator's bucket for CloudFormation templates.

use crate::application::connections::quick_create::TemplateShelf;
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::classify;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::policy_document::object_url;
use async_trait::async_trait;
use std::sync::Arc;

/// A bucket that is written with the service's own credentials, in whatever Region it is.
pub struct S3TemplateShelf {
    clients: Arc<AwsClients>,
    bucket: BucketName,
}

impl S3TemplateShelf {
    pub fn new(clients: Arc<AwsClients>, bucket: BucketName) -> Self {
        Self { clients, bucket }
    }
}

#[async_trait]
impl TemplateShelf for S3TemplateShelf {
    async fn put(&self, key: &str, text: &str) -> Result<String, AwsFailure> {
        let own = self.clients.region().to_string();
        let bucket = self.bucket.as_str();
        let found = self.clients.own_s3(&own)?.head_bucket().bucket(bucket);
        // A refusal names the Region, too.
        let region = match found.send().await {
            Ok(answer) => answer.bucket_region,
            Err(error) => error
                .raw_response()
                .and_then(|response| response.headers().get("x-amz-bucket-region"))
                .map(str::to_owned),
        };
        let region = region.unwrap_or(own);
        self.clients
            .own_s3(&region)?
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("application/json")
            .body(text.as_bytes().to_vec().into())
            .send()
            .await
            .map_err(|error| classify("PutObject", &error))?;
        Ok(match self.clients.s3_endpoint() {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => {
                let partition = self.clients.identity().await?.partition;
                object_url(partition, &region, bucket, key)
            }
        })
    }
}
