//! Files in buckets.

pub mod bucket;
pub mod content;
pub mod convert;
pub mod copy;
pub mod head;
pub mod multipart;
pub mod parts;
pub mod query;
pub mod read;
pub mod sign;
pub mod signing_life;
pub mod upload;
pub mod upload_memory;
pub mod url_signer;
pub mod write;
