//! Workspaces, tokens, and the audit log.

mod arrivals;
mod audit_of_files;
mod audit_of_pages;
mod browser_tokens;
mod day_two;
mod hostile_issuers;
mod issuer_keys;
mod key_set;
mod keys;
mod narrowed;
mod openid;
mod pages;
mod product_tokens;
mod routes;
mod tabs;
mod workspaces;
