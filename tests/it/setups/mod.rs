//! Setups: from an external ID to a storage.

mod administrator_links;
pub mod api;
mod by_key;
mod choose;
mod completion;
mod fields;
mod opened_link;
mod pace;
pub mod pages;
mod places;
mod waiting;
