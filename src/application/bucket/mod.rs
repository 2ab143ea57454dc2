//! What the use cases need from a bucket: the ports that `aws` implements.
//!
//! Every method takes the connection as a whole and typed keys: an implementation cannot be asked for
//! anything outside of the bucket prefix.

pub mod body;
pub mod multipart;
pub mod probe;
pub mod query;
pub mod read;
pub mod write;
