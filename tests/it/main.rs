//! The integration tests: one binary, one module for each subject.

mod api_support;
mod aws_faults;
mod bad_input;
#[path = "../../benches/support/stub.rs"]
mod bench_stub;
mod browser;
mod browsing;
mod check_connection;
mod completion;
mod confused_deputy;
mod custom_endpoints;
mod database_away;
mod dialog;
mod documents;
mod emulator;
mod error_codes;
mod every_route;
mod file_content;
mod file_keys;
mod files_support;
mod http_foundation;
mod idempotency;
mod layers;
mod page_budget;
mod policy_lint;
mod projects;
mod provision;
mod role_sessions;
mod setups;
mod signed_urls;
mod start;
mod storages_api;
mod store_contract;
mod support;
mod support_db;
mod workspaces;
