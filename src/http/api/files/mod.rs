//! Files of a storage.

pub mod content;
pub mod copy;
pub mod keys;
pub mod multipart;
pub mod query;
pub mod read;
pub mod sign;
pub mod signed_answer;
pub mod write;
