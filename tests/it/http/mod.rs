//! What holds for every route and every page.

mod acknowledged;
mod bad_input;
mod brand;
mod client_address;
mod dev_routes;
mod encoded_paths;
mod error_codes;
mod every_route;
mod foundation;
mod idempotency;
mod listeners;
mod metrics;
mod page_budget;
mod query_parameters;
mod slow_forms;
mod stopping;
mod token_floods;
