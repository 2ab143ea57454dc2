//! Setups: from an external ID to a storage.

mod administrator_links;
pub mod api;
mod choose;
mod completion;
pub mod pages;
mod pace;
mod places;
mod waiting;
