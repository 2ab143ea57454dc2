//! Workspaces, tokens, and the audit log.

mod arrivals;
mod audit_of_files;
mod audit_of_pages;
mod day_two;
mod keys;
mod narrowed;
mod pages;
mod routes;
mod workspaces;
