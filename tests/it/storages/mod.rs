//! Storages.

pub mod api;
mod lists;
mod pages;
mod pending;
