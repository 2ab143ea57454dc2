//! Who calls, and what is written down of it.

pub mod audit;
pub mod metadata;
mod product_id;
pub mod product_key;
pub mod reach;
pub mod scope;
pub mod sign_in;
pub mod standing;
pub mod subject;
pub mod usage;
pub mod workspace;
