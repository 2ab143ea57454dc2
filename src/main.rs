//! The program `sallyport`.

use clap::Parser;
use sallyport::cli::Cli;
use sallyport::startup::program;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match program::run(Cli::parse()).await {
        Ok(status) => ExitCode::from(status),
        Err(failed) => {
            if !failed.why.is_empty() {
                eprintln!("sallyport: {}", failed.why);
            }
            ExitCode::from(failed.status)
        }
    }
}
