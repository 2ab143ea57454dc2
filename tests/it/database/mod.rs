//! The database: what the port promises, and a server that goes away, and who the server is.

mod away;
pub mod contract;
mod full;
mod job_lines;
mod known;
mod poolers;
mod restarts;
mod roles;
mod tls;
mod watched;
mod whole;
