//! Workspaces, tokens, and the audit log.

mod workspaces;
