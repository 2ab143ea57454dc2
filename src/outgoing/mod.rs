//! Requests to addresses that a product has registered, and to issuers of tokens.

pub mod issuer;
pub mod webhooks;
