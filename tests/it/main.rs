//! The integration tests: one binary, one module for each subject.

mod acls;
mod api_support;
mod bad_input;
#[path = "../../benches/support/stub.rs"]
mod bench_stub;
mod browsing;
mod buckets;
mod copies;
mod database_away;
mod deletes;
mod documents;
mod emulator;
mod error_codes;
mod every_route;
mod file_content;
mod file_keys;
mod files_support;
mod hostile_writes;
mod http_foundation;
mod idempotency;
mod layers;
mod multipart;
mod permissions;
mod policy_lint;
mod projects;
mod provision;
mod signed_urls;
mod start;
mod store_contract;
mod support;
mod support_db;
mod uploads;
mod versions;
mod workspaces;
mod writes_support;
