//! The integration tests: one binary, one module for each subject.

mod database_away;
mod documents;
mod emulator;
mod layers;
mod policy_lint;
mod provision;
mod store_contract;
mod support;
mod support_db;
