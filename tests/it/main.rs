//! The integration tests: one binary, one module for each subject.

mod api_support;
mod bad_input;
mod documents;
mod emulator;
mod every_route;
mod http_foundation;
mod idempotency;
mod layers;
mod policy_lint;
mod provision;
mod start;
mod support;
mod workspaces;
