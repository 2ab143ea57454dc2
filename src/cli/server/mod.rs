//! Commands that ask a running server, over its API.

pub mod client;
pub mod files;
pub mod moving;
pub mod projects;
pub mod setup_link;
mod upload;
