//! Connections: access keys, other endpoints, other payers, and what the administrator applies.

mod browser_access;
pub mod custom_endpoints;
mod grants;
mod own_identity;
mod payer;
mod provision;
mod provision_patience;
mod provision_places;
mod provision_user;
mod quick_create;
pub mod scripts;
mod scripts_with_others;
