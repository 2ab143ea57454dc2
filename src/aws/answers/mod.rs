//! Answers of stores, before the SDK reads them.

mod repair;
pub mod store;
