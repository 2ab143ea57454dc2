//! Connections: what a request changes in one, and the service's side of it.

pub mod change;
pub mod input;
pub mod principal;
pub mod provision;
