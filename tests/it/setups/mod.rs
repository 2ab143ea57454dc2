//! Setups: from an external ID to a storage.

mod administrator_links;
pub mod api;
mod choose;
mod completion;
mod pace;
pub mod pages;
mod places;
mod waiting;
