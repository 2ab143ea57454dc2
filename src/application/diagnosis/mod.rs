//! What a failure means: its cause, whose side it is on, and what to change.

pub mod denials;
pub mod explain;
pub(crate) mod finding;
