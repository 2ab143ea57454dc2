//! Connections: access keys, other endpoints, other payers, and what the administrator applies.

pub mod custom_endpoints;
mod payer;
mod provision;
