//! The use cases, one file each, and the traits that they need from the outside.
//!
//! Architecture invariant: nothing here knows an AWS SDK, SQL or HTTP type. Adapters implement the
//! traits of [`store`], [`bucket_files`] and [`probe`]; `startup` puts them together.

pub mod audit;
pub mod authenticate;
pub mod browser_probe;
pub mod bucket_files;
pub mod bucket_queries;
pub mod bucket_uploads;
pub mod bucket_writes;
pub mod built_in;
pub mod caller;
pub mod change;
pub mod check_connection;
pub mod check_limits;
pub mod checks;
pub mod clock;
pub mod denials;
pub mod draft_changes;
pub mod error;
pub mod file_copies;
pub mod file_queries;
pub mod file_writes;
pub mod files;
pub mod idempotency;
pub mod instructions;
pub mod master_key;
pub mod monitor;
pub mod name_filter;
pub mod observe;
pub mod page;
pub mod probe;
pub mod projects;
pub mod provision;
pub mod readiness;
pub mod safe_content;
pub mod service_principal;
pub mod setups;
pub mod sign_in;
pub mod signed_uploads;
pub mod storages;
pub mod store;
pub mod tokens;
pub mod upload_body;
pub mod vault;
pub mod workspaces;
