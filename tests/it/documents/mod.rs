//! The documents that a customer applies.

mod apart;
mod apart_scripts;
mod evaluation;
mod hostile;
mod lint;
pub mod rendering;
mod script;
mod snapshots;
