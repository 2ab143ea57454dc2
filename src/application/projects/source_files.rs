//! The files of a storage, as projects read them.

use crate::application::bucket::port::Bucket;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Result};
use crate::domain::aws_failure::AwsFailure;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_operation::FileOperation;

/// How a storage is read, and how its failures are told.
#[derive(Clone, Copy)]
pub struct SourceFiles<'a> {
    pub files: &'a dyn Bucket,
    pub explainer: &'a Explainer,
}

impl SourceFiles<'_> {
    pub(super) async fn error(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        failure: AwsFailure,
    ) -> Error {
        self.explainer.error(bucket, operation, failure).await
    }

    pub(super) async fn explain<T>(
        &self,
        bucket: &ConnectedBucket,
        operation: FileOperation,
        answered: std::result::Result<T, AwsFailure>,
    ) -> Result<T> {
        self.explainer.explain(bucket, operation, answered).await
    }
}
