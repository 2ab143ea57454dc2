//! Requests to addresses that a product has registered.

pub mod webhooks;
