//! Connections: access keys, other endpoints, other payers, and what the administrator applies.

mod browser_access;
pub mod custom_endpoints;
mod grants;
mod payer;
mod provision;
mod provision_patience;
mod provision_places;
pub mod scripts;
