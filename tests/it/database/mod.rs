//! The database: what the port promises, and a server that goes away.

mod away;
pub mod contract;
mod full;
