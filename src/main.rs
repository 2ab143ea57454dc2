//! The program `sallyport`.

use clap::Parser;
use sallyport::cli::Cli;
use sallyport::startup::program;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match program::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sallyport: {why}");
            ExitCode::FAILURE
        }
    }
}
