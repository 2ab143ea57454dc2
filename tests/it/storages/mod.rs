//! Storages.

pub mod api;
mod lists;
mod lost_key;
mod pages;
mod pending;
