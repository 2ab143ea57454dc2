//! Signing in and out; and for admins the workspace's tokens, sessions, webhooks and audit log.

pub mod audit_log;
mod audit_words;
pub mod openid;
pub mod product_token;
pub mod sessions;
pub mod sign_in;
pub mod tokens;
mod webhook_words;
pub mod webhooks;

#[cfg(test)]
mod tests;
