//! Workspaces, tokens, and the audit log.

mod arrivals;
mod audit_of_files;
mod audit_of_pages;
mod keys;
mod narrowed;
mod pages;
mod routes;
mod tabs;
mod workspaces;
