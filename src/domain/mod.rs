//! The rules of connecting a bucket: pure values and decisions.
//!
//! Architecture invariant: nothing here is asynchronous, does I/O, or knows an AWS SDK, HTTP or SQL
//! type. Every type has one fallible constructor; what exists is valid.

pub mod access;
pub mod access_key;
pub mod account;
pub mod audit;
pub mod aws_failure;
pub mod bucket_name;
pub mod bucket_prefix;
pub mod canned_acl;
pub mod connection;
pub mod connection_check;
pub mod endpoint;
pub mod external_id;
pub mod file_key;
pub mod file_operation;
pub mod ids;
pub mod invalid;
pub mod kms_key_arn;
pub mod names;
pub mod object_key;
pub mod origin;
pub mod part_plan;
pub mod policy_document;
pub mod project;
pub mod region;
pub mod role_arn;
pub mod service_identity;
pub mod setup;
pub mod sign_in;
pub mod storage;
pub mod workspace;

pub use invalid::Invalid;
