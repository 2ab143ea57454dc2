//! What the integration tests share: the servers that they run against.

pub mod app;
pub mod aws;
pub mod browser;
pub mod client;
pub mod database;
pub mod database_line;
pub mod emulator;
pub mod oidc;
pub mod pages;
pub mod postgres;
pub mod provision;
pub mod raw;
pub mod scene;
pub mod signer;
pub mod webdriver;

/// The address of a server that the tests need, from the environment.
pub fn server_url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set. Run `make test`, or `tools/with-services cargo test NAME`, which start what the tests need."
        )
    })
}
