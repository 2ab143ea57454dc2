//! What failures mean: from the answers of AWS to causes of the catalogue, and to what is said of them.

mod answer;
mod cause_of_answer;
mod cause_of_cors;
mod cause_of_denial;
mod cause_of_fault;
mod cause_of_role;
pub(crate) mod diagnose;
pub(crate) mod evidence;
pub mod explainer;
pub(crate) mod fault;
pub(crate) mod finding;
mod patch;
mod patterns;
mod problem;
pub(crate) mod subject;
