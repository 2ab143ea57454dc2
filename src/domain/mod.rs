//! The rules of connecting a bucket: pure values and decisions.
//!
//! Architecture invariant: nothing here is asynchronous, does I/O, or knows an AWS SDK, HTTP or SQL
//! type. Every type has one fallible constructor; what exists is valid.

pub mod aws_code;
pub mod aws_failure;
pub mod brand;
pub mod cause;
pub mod check;
pub mod connection;
pub mod day_or_time;
pub mod doctor;
pub mod event;
pub mod files;
pub mod identity_fault;
pub mod ids;
pub mod invalid;
mod invisible;
pub mod names;
pub mod origin;
pub mod overlap;
pub mod people;
pub mod policy_document;
pub mod project;
pub mod rfc3339;
pub mod role_wait;
pub mod setup;
pub mod storage;
pub mod webhook;
pub mod working_folders;

pub use invalid::Invalid;
