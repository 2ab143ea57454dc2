//! Who calls, and what is written down of it.

pub mod audit;
pub mod audit_action;
pub mod claims;
pub mod export_key;
pub mod import_warning;
pub mod issuer_url;
pub mod metadata;
mod product_id;
pub mod product_key;
pub mod reach;
pub mod return_path;
pub mod scope;
pub mod sign_in;
pub mod standing;
pub mod subject;
pub mod usage;
pub mod workspace;
