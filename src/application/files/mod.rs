//! Files of a storage, by file key.

pub mod archive;
mod archive_names;
pub mod copy;
pub mod multipart;
pub mod name_filter;
pub mod query;
pub mod read;
pub mod read_watch;
pub mod safe_content;
pub mod shared;
pub mod sign;
pub mod text;
pub mod write;
pub mod zip;
