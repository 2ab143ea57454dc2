//! The versions of an object.

/// The version of an object in a bucket that keeps none, or that was written before the bucket kept them (S3 user
/// guide, "Using versioning in S3 buckets").
pub const NULL_VERSION: &str = "null";
