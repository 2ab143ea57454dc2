//! Storages.

pub mod api;
mod lists;
pub mod lost_key;
mod pages;
mod pending;
