//! The use cases, one file each, and the traits that they need from the outside.
//!
//! Architecture invariant: nothing here knows an AWS SDK, SQL or HTTP type. Adapters implement the
//! traits of [`store`], [`bucket_files`] and [`probe`]; `startup` puts them together.

pub mod audit;
pub mod authenticate;
pub mod bucket_files;
pub mod caller;
pub mod clock;
pub mod error;
pub mod idempotency;
pub mod master_key;
pub mod probe;
pub mod readiness;
pub mod store;
pub mod tokens;
pub mod vault;
pub mod workspaces;
