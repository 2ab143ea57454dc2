//! The port to a bucket, as use cases hold it: `Arc<dyn Bucket>`.

use crate::application::bucket::multipart::BucketMultipart;
use crate::application::bucket::query::BucketQuery;
use crate::application::bucket::read::BucketRead;
use crate::application::bucket::sign::BucketSign;
use crate::application::bucket::write::BucketWrite;

/// Everything that is done with a bucket. Each supertrait has the operations of one file here; whatever
/// implements them all is a `Bucket`.
///
/// Every method takes the connection as a whole and typed keys: an implementation cannot be asked for
/// anything outside of the bucket prefix. Sessions of the customer's role are the implementation's own
/// matter.
pub trait Bucket: BucketRead + BucketQuery + BucketWrite + BucketSign + BucketMultipart {}

impl<T: BucketRead + BucketQuery + BucketWrite + BucketSign + BucketMultipart> Bucket for T {}
