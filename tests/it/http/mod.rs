//! What holds for every route and every page.

mod acknowledged;
mod bad_input;
mod error_codes;
mod every_route;
mod foundation;
mod idempotency;
mod page_budget;
