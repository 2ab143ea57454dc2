//! Signed URLs for each second: in one batch, as single requests, and by the plain SDK.
//!
//! The goal is 10,000 in one call in less than 250 ms. BENCH_URLS (10000) in a batch, BENCH_SINGLE
//! (2000) requests.

mod support;

use aws_sdk_s3::presigning::PresigningConfig;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::stub::{BUCKET, Stub};
use support::{Outcome, Service, amount, connect, median, ms, row, s3_client, sdk_config, table};

const RUNS: usize = 5;
const AT_ONCE: usize = 16;
/// For a call with 10,000 keys.
const GOAL: Duration = Duration::from_millis(250);

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let urls = amount("BENCH_URLS", 10_000)?;
    let single = amount("BENCH_SINGLE", 2_000)?;
    let stub = Stub::start().await?;
    let service = Service::start(&stub.url()).await?;
    let (storage, token) = connect(&service, &stub).await?;
    let path = format!("{storage}/files/sign");

    let keys: Vec<String> = (0..urls)
        .map(|n| format!("/some-folder/image {n}.png"))
        .collect();
    let body = json!({"keys": keys, "method": "GET"});
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let answer = service.send(Method::POST, &path, &token, &body).await?;
        times.push(began.elapsed());
        if answer["urls"].as_array().map(Vec::len) != Some(keys.len()) {
            return Err("not every URL came".into());
        }
    }
    let batch = median(times);

    let began = Instant::now();
    let one = |n: u64| {
        let body: Value = json!({"key": format!("/some-folder/image {n}.png"), "method": "GET"});
        let (service, path, token) = (&service, &path, &token);
        async move { service.send(Method::POST, path, token, &body).await.is_ok() }
    };
    let good = stream::iter(0..single)
        .map(one)
        .buffer_unordered(AT_ONCE)
        .filter(|good| std::future::ready(*good))
        .count()
        .await;
    let singles = began.elapsed();
    if good as u64 != single {
        return Err("not every request was answered".into());
    }

    let sdk = by_the_sdk(&stub, &keys).await?;
    let each = |count: u64, time: Duration| count as f64 / time.as_secs_f64();
    let plain = each(urls, sdk);
    let mut rows = vec![row![
        "how",
        "URLs",
        "time",
        "URLs a second",
        "to the plain SDK"
    ]];
    for (how, count, time) in [
        ("one batch, over HTTP", urls, batch),
        ("single requests, 16 at once", single, singles),
        ("plain SDK, in a loop", urls, sdk),
    ] {
        rows.push(row![
            how,
            count,
            format!("{:.0} ms", ms(time)),
            format!("{:.0}", each(count, time)),
            format!("{:.2}", each(count, time) / plain),
        ]);
    }
    let what = "URLs, to the plain SDK";
    support::report::ratios(what, &rows, support::report::Guard::Guarded);
    table("signed URLs", &rows);
    println!(
        "  one call with {urls} keys: {:.0} ms, median of {RUNS}; the goal for 10000 is under {:.0} ms",
        ms(batch),
        ms(GOAL)
    );
    Ok(())
}

async fn by_the_sdk(stub: &Stub, keys: &[String]) -> Outcome<Duration> {
    let s3 = s3_client(&sdk_config(&stub.url()));
    let config = PresigningConfig::expires_in(Duration::from_secs(900))?;
    let began = Instant::now();
    for key in keys {
        s3.get_object()
            .bucket(BUCKET)
            .key(&key[1..])
            .response_content_type("image/png")
            .response_content_disposition("inline")
            .presigned(config.clone())
            .await?;
    }
    Ok(began.elapsed())
}
