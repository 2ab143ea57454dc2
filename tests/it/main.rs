//! The integration tests: one binary, one module for each subject.

mod documents;
mod emulator;
mod layers;
mod policy_lint;
mod provision;
mod support;
