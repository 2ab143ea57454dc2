//! What the use cases need from a bucket: the ports that `aws` implements.

pub mod body;
pub mod encoded_words;
pub mod keys;
pub mod multipart;
pub mod port;
pub mod probe;
pub mod query;
pub mod read;
pub mod sign;
pub mod write;
