//! The documents that a customer applies.

mod evaluation;
mod hostile;
mod lint;
pub mod rendering;
mod script;
mod snapshots;
