//! The adapter to customers' buckets, and how it makes a call with a session.

use crate::application::bucket::read::BucketResult;
use crate::application::budget::ByteBudget;
use crate::aws::files::ahead::{Ahead, AheadSizes};
use crate::aws::files::spool::Spools;
use crate::aws::files::upload_limits::Uploads;
use crate::aws::gates::Gates;
use crate::aws::sessions::{AwsSession, RoleSessions, SessionScope};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::part_plan::Sizes;
use std::path::PathBuf;
use std::sync::Arc;

/// [`Bucket`](crate::application::bucket::port::Bucket) on S3.
pub struct S3Bucket {
    pub(crate) sessions: Arc<RoleSessions>,
    pub(crate) uploads: Uploads,
    pub(crate) sizes: Sizes,
    pub(crate) gates: Gates,
    /// `None`: nothing of an object goes on at the same time.
    pub(crate) ahead: Option<Ahead>,
}

impl S3Bucket {
    pub fn new(sessions: Arc<RoleSessions>) -> Self {
        Self::with_sizes(sessions, Sizes::default())
    }

    pub fn with_sizes(sessions: Arc<RoleSessions>, sizes: Sizes) -> Self {
        Self {
            sessions,
            uploads: Uploads::default(),
            sizes,
            gates: Gates::default(),
            ahead: None,
        }
    }

    /// Spools the parts of uploads in this folder, which is made when it is needed.
    pub fn spooling_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.uploads.spools = Spools::in_folder(folder);
        self
    }

    /// Reads large objects ahead, and sends parts of uploads at the same time, in what room this memory has.
    pub fn going_ahead_in(self, memory: Arc<ByteBudget>) -> Self {
        self.going_ahead(memory, AheadSizes::default())
    }

    pub(crate) fn going_ahead(mut self, memory: Arc<ByteBudget>, sizes: AheadSizes) -> Self {
        self.ahead = Some(Ahead { memory, sizes });
        self
    }

    /// Makes a call with the bucket's session. When AWS may no longer accept the session (the customer
    /// revoked it, or made the role again), it is made once more with a fresh one.
    pub(crate) async fn with_session<T, F>(
        &self,
        bucket: &ConnectedBucket,
        call: impl Fn(Arc<AwsSession>) -> F,
    ) -> BucketResult<T>
    where
        F: Future<Output = BucketResult<T>>,
    {
        self.in_scope(bucket, SessionScope::Files, call).await
    }

    /// The same with a session for something beyond the documents' actions.
    pub(crate) async fn in_scope<T, F>(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
        call: impl Fn(Arc<AwsSession>) -> F,
    ) -> BucketResult<T>
    where
        F: Future<Output = BucketResult<T>>,
    {
        let session = self.sessions.session_in(bucket, scope).await?;
        let _turn = self.gates.call(&bucket.owner).await?;
        self.sessions.call(bucket, scope, session, call).await
    }
}

/// Reading a version is an action of its own, which is not among the documents'.
pub(crate) fn scope_of(version_id: Option<&str>) -> SessionScope {
    match version_id {
        Some(_) => SessionScope::Objects,
        None => SessionScope::Files,
    }
}
