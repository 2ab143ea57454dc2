//! AWS behind the traits of `application`: sessions of customers' roles, files in buckets, and the
//! questions of the connection check. Beside them, what a customer's AWS administrator does with their
//! own credentials.
//!
//! Architecture invariant: only this module knows the AWS SDK; only [`files`] and [`checks`] turn an
//! object key into text for a call, and `signer` for a URL.

mod answers;
pub mod checks;
pub mod client;
mod denial;
pub mod doctor;
pub mod etag;
pub mod failure;
pub mod files;
mod gates;
pub mod provision;
pub mod sessions;
pub mod signer;
