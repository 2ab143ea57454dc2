//! Signing in and out; and for admins the workspace's tokens, sessions and audit log.

pub mod audit_log;
mod audit_words;
pub mod sessions;
pub mod sign_in;
pub mod tokens;

#[cfg(test)]
mod tests;
