//! Files in buckets.

pub mod body_source;
pub mod bucket;
pub mod conditions;
pub mod content;
pub mod convert;
pub mod copy;
pub mod encryption;
pub mod head;
pub mod listing;
pub mod lock;
pub mod multipart;
pub mod parts;
pub mod pass_on;
pub mod proof;
pub mod query;
pub mod read;
pub mod sign;
pub mod signing_life;
pub mod spool;
pub mod upload;
pub mod upload_call;
pub mod upload_limits;
pub mod upload_parts;
pub mod write;
