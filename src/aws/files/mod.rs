//! Files in buckets.

pub mod bucket;
pub mod content;
pub mod convert;
pub mod copy;
pub mod head;
pub mod multipart;
pub mod parts;
pub mod presign;
pub mod query;
pub mod read;
pub mod sign;
pub mod upload;
pub mod upload_memory;
pub mod write;
