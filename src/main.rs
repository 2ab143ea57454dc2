//! The program `sallyport`.

use clap::Parser;
use sallyport::cli::Cli;
use sallyport::startup::program;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// Takes less time for each request than the C library's allocator, and less memory when idle (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

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
