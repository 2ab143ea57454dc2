//! Files of a storage.

pub mod copy;
pub mod multipart;
pub mod query;
pub mod read;
pub mod write;
