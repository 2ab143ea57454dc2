//! Storages.

pub mod api;
mod pages;
mod pending;
