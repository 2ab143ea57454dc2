//! What holds for every route and every page.

mod acknowledged;
mod bad_input;
mod brand;
mod broken_off;
mod client_address;
mod cors;
mod dev_routes;
mod embed;
mod encoded_paths;
mod error_codes;
mod every_route;
mod foundation;
mod idempotency;
mod limits;
mod listeners;
mod metrics;
mod page_budget;
mod query_parameters;
mod repeated_errors;
mod slow_forms;
mod stopping;
mod sub_path;
mod times;
mod token_floods;
mod warm_requests;
