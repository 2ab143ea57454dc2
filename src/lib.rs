//! Sallyport lets the customers of a product connect their own Amazon S3 bucket by cross-account role
//! assumption, and lets the product use the files in it by file key.
//!
//! The layers: `domain` nothing of ours; `application` → `domain`; `aws`, `database`, `http`
//! and `cli` → `application` and `domain`, never each other; `startup` → everything. A test fails on a
//! forbidden import (`tests/it/layers.rs`).

mod application;
mod aws;
pub mod cli;
mod database;
mod domain;
mod http;
mod logging;
pub mod settings;
pub mod startup;

#[cfg(test)]
#[path = "../tests/it/main.rs"]
mod it;
