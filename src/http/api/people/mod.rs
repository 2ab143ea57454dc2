//! Workspaces, tokens, sign-in and the audit log.

pub mod audit_events;
pub mod browser_tokens;
mod erased;
pub mod keys;
pub mod moving;
pub mod sessions;
pub mod sign_in_links;
pub mod tokens;
pub mod usage;
pub mod workspace;
pub mod workspace_storages;
pub mod workspaces;
