//! Content through the service and directly: throughput, and the service's memory.
//!
//! BENCH_LARGE_MIB (1024), BENCH_SMALL_MIB (64).

mod support;

use reqwest::Method;
use std::time::{Duration, Instant};
use support::stub::{BUCKET, Stub};
use support::{Outcome, Service, amount, connect, median, row, s3_client, sdk_config, table};

const RUNS: usize = 3;

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let sizes = [
        amount("BENCH_SMALL_MIB", 64)?,
        amount("BENCH_LARGE_MIB", 1_024)?,
    ];
    let stub = Stub::start().await?;
    let mut rows = vec![row![
        "object",
        "through the service",
        "plain SDK from the stub",
        "ratio",
        "service's memory before",
        "at most",
    ]];
    for mib in sizes {
        // A process of its own for each size: the figure is the most it ever had.
        let service = Service::start(&stub.url()).await?;
        let (storage, token) = connect(&service, &stub).await?;
        let before = service.memory("VmRSS:")?;
        let length = mib << 20;
        let mut ours = Vec::new();
        for _ in 0..RUNS {
            ours.push(through(&service, &storage, &token, length).await?);
        }
        let most = service.memory("VmHWM:")?;
        drop(service);
        let mut plain = Vec::new();
        for _ in 0..RUNS {
            plain.push(direct(&stub, length).await?);
        }
        let each_second = |time: Duration| mib as f64 / time.as_secs_f64();
        let (ours, plain) = (each_second(median(ours)), each_second(median(plain)));
        rows.push(row![
            format!("{mib} MiB"),
            format!("{ours:.0} MiB/s"),
            format!("{plain:.0} MiB/s"),
            format!("{:.2}", ours / plain),
            format!("{before:.1} MiB"),
            format!("{most:.1} MiB"),
        ]);
    }
    table("content relay", &rows);
    Ok(())
}

async fn through(service: &Service, storage: &str, token: &str, length: u64) -> Outcome<Duration> {
    let path = format!("{storage}/files/content?key=%2F{length}.bin");
    let began = Instant::now();
    let mut answer = service.request(Method::GET, &path, token).send().await?;
    let mut got = 0;
    while let Some(chunk) = answer.chunk().await? {
        got += chunk.len() as u64;
    }
    whole(got, length)?;
    Ok(began.elapsed())
}

async fn direct(stub: &Stub, length: u64) -> Outcome<Duration> {
    let s3 = s3_client(&sdk_config(&stub.url()));
    let began = Instant::now();
    let object = s3.get_object().bucket(BUCKET).key(format!("{length}.bin"));
    let mut body = object.send().await?.body;
    let mut got = 0;
    while let Some(chunk) = body.next().await {
        got += chunk?.len() as u64;
    }
    whole(got, length)?;
    Ok(began.elapsed())
}

fn whole(got: u64, length: u64) -> Outcome<()> {
    match got == length {
        true => Ok(()),
        false => Err(format!("{got} bytes of {length} came").into()),
    }
}
