//! A workspace that leaves the service in a file, and comes back from it: here, or at another service that shares a
//! transfer key.
//!
//! The file is sealed as a whole. Nobody without the key reads it, and nobody makes one: so only external IDs that one of
//! these services has issued come in.

pub mod exports;
pub mod file;
pub mod imports;
pub mod moves;
mod refused;
mod values;
