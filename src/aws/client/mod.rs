//! SDK clients, and what holds for each of their calls.

pub mod clients;
pub mod endpoint_guard;
pub mod observed;
pub mod payer;
