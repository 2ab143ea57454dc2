//! The command line: the same use cases without a server.

pub mod provision;
