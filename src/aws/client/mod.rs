//! SDK clients, and what holds for each of their calls.

pub mod clients;
mod connections;
pub mod egress_proxy;
pub mod endpoint_guard;
pub mod observed;
mod own_credentials;
pub mod payer;
mod retries;
