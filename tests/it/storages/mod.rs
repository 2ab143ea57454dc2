//! Storages.

pub mod api;
