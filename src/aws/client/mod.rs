//! SDK clients, and what holds for each of their calls.

pub mod clients;
pub mod configured_endpoints;
mod connections;
mod credential_files;
pub mod egress;
pub mod egress_proxy;
pub mod endpoint_guard;
pub mod observed;
mod own_credentials;
pub mod payer;
mod rebuilt_chain;
mod retries;
pub mod template_shelf;
pub mod trust;
