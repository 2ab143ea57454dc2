//! Sallyport lets the customers of a product connect their own Amazon S3 bucket by cross-account role
//! assumption, and lets the product use the files in it by file key.
//!
//! `domain` imports nothing of ours. `application` imports `domain`. `aws`, `database`, `http` and `cli`
//! import `application` and `domain`, never each other. `outgoing` imports `aws` too. `startup` imports everything. A test fails on a
//! forbidden import (`tests/it/layers/`).

mod application;
mod aws;
pub mod cli;
mod database;
mod domain;
mod http;
mod log_writer;
mod logging;
mod outgoing;
pub mod settings;
pub mod startup;

#[cfg(test)]
#[path = "../tests/it/main.rs"]
mod it;
