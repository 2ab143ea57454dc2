//! Files in buckets.

pub mod content;
pub mod copy;
pub mod multipart;
pub mod presign;
pub mod query;
pub mod read;
pub mod sign;
pub mod upload;
pub mod write;
