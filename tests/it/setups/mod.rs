//! Setups: from an external ID to a storage.

pub mod api;
mod completion;
pub mod pages;
