//! The documents that a customer applies.

mod apart;
mod apart_scripts;
mod evaluation;
mod forms;
mod hostile;
mod lint;
pub mod rendering;
mod same;
mod script;
mod snapshots;
