//! From nothing to ready, the memory of an idle service, and the size of its program.
//!
//! BENCH_STARTS (9). BENCH_BINARY names another program to measure, like that of a release build.

mod support;

use std::time::Duration;
use support::stub::Stub;
use support::{Outcome, Service, amount, median, ms, report, row, table};

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let stub = Stub::start().await?;
    let mut times = Vec::new();
    for _ in 0..amount("BENCH_STARTS", 9)? {
        times.push(Service::start(&stub.url()).await?.ready_after);
    }
    let service = Service::start(&stub.url()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = service.memory("VmRSS:")?;
    let size = std::fs::metadata(support::binary())?.len() as f64 / f64::from(1 << 20);
    report::figure("idle_memory_mib", idle);
    report::figure("program_mib", size);
    let slowest = times.iter().max().copied().unwrap_or_default();
    table(
        "start",
        &[
            row![
                "start to ready, median",
                format!("{:.0} ms", ms(median(times)))
            ],
            row!["start to ready, slowest", format!("{:.0} ms", ms(slowest))],
            row!["idle resident memory", format!("{idle:.1} MiB")],
            row!["size of the program", format!("{size:.1} MiB")],
        ],
    );
    Ok(())
}
