//! The use cases, one file each, and the traits that they need from the outside.
//!
//! Architecture invariant: nothing here knows an AWS SDK, SQL or HTTP type. Adapters implement the
//! traits of [`store`], [`bucket_files`] and [`probe`]; `startup` puts them together.

pub mod error;
pub mod provision;
pub mod store;
