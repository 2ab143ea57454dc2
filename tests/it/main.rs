//! The integration tests: one binary, one module for each subject.

mod database_away;
mod store_contract;
mod support_db;
