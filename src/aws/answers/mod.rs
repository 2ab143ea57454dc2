//! Answers of stores, before the SDK reads them.

pub mod repair;
pub mod store;
