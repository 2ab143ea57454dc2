//! All keys below a folder, page by page: through the service and by the plain SDK.
//!
//! BENCH_KEYS (1000000), BENCH_FIRST_KEYS (10000) for the first figure of memory.

mod support;

use reqwest::Method;
use serde::Deserialize;
use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::{BUCKET, Stub};
use support::{Outcome, Service, amount, connect, cpu, row, s3_client, sdk_config, table};

const PAGE: usize = 1_000;
/// The curves of the plot.
const OURS: &str = "listing through the service";
const PLAIN: &str = "listing by the plain SDK";

fn main() -> Outcome<()> {
    support::run(bench())
}

/// What a client keeps of a page.
#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct File {
    key: String,
    size: u64,
    #[serde(rename = "last_modified")]
    _last_modified: String,
    #[serde(rename = "etag")]
    _etag: String,
}

async fn bench() -> Outcome<()> {
    let keys = usize::try_from(amount("BENCH_KEYS", 1_000_000)?)?;
    let first = usize::try_from(amount("BENCH_FIRST_KEYS", 10_000)?)?;
    let stub = Stub::start_apart()?;
    let service = Service::start(&stub.url()).await?;
    let (storage, token) = connect(&service, &stub).await?;
    let s3 = s3_client(&sdk_config(&stub.url()));

    // Opens the connections, and tells the memory of a short listing.
    through(&service, &stub, &storage, &token, first).await?;
    by_the_sdk(&s3, &stub, first).await?;
    let after_first = service.memory("VmHWM:")?;

    curves(&service, &stub, &storage, &token, &s3, keys).await?;
    let before = service.cpu()?;
    let ours = through(&service, &stub, &storage, &token, keys).await?;
    let our_cpu = service.cpu()?.saturating_sub(before);
    let after_all = service.memory("VmHWM:")?;
    let before = cpu::here()?;
    let plain = by_the_sdk(&s3, &stub, keys).await?;
    let plain_cpu = cpu::here()?.saturating_sub(before);

    report::point(OURS, keys as f64, ours.as_secs_f64());
    report::point(PLAIN, keys as f64, plain.as_secs_f64());

    let each_second = |time: Duration| keys as f64 / time.as_secs_f64();
    let mut rows = vec![row![
        "how",
        "keys",
        "time",
        "keys a second",
        "to the plain SDK",
        "CPU for each 1,000 keys",
    ]];
    for (how, time, cpu) in [
        (
            "through the service (its own CPU; the client's is not in it)",
            ours,
            our_cpu,
        ),
        ("plain SDK", plain, plain_cpu),
    ] {
        rows.push(row![
            how,
            keys,
            format!("{:.1} s", time.as_secs_f64()),
            format!("{:.0}", each_second(time)),
            format!("{:.2}", each_second(time) / each_second(plain)),
            format!("{:.2} ms", cpu.as_secs_f64() * 1e6 / keys as f64),
        ]);
    }
    table("listing all keys, pages of 1,000", &rows);
    let to = |ours: Duration, plain: Duration| ours.as_secs_f64() / plain.as_secs_f64();
    report::ratio(
        "listing, keys a second to the plain SDK",
        to(plain, ours),
        Better::Higher,
        Guard::Guarded,
    );
    report::ratio(
        "listing, CPU for each key to the plain SDK's",
        to(our_cpu, plain_cpu),
        Better::Lower,
        Guard::Guarded,
    );
    report::ratio(
        "listing, memory after all keys to that after the first",
        after_all / after_first,
        Better::Lower,
        Guard::Guarded,
    );
    table(
        "the service's memory at most",
        &[
            row![
                format!("after {first} keys"),
                format!("{after_first:.1} MiB")
            ],
            row![format!("after {keys} keys"), format!("{after_all:.1} MiB")],
        ],
    );
    Ok(())
}

/// What fewer keys take, for the plot: a thousand, ten thousand and so on.
async fn curves(
    service: &Service,
    stub: &Stub,
    storage: &str,
    token: &str,
    s3: &aws_sdk_s3::Client,
    keys: usize,
) -> Outcome<()> {
    let mut some = PAGE;
    while some < keys {
        let ours = through(service, stub, storage, token, some).await?;
        let plain = by_the_sdk(s3, stub, some).await?;
        report::point(OURS, some as f64, ours.as_secs_f64());
        report::point(PLAIN, some as f64, plain.as_secs_f64());
        some *= 10;
    }
    Ok(())
}

/// Counts keys, and fails unless they come in order.
struct Count {
    keys: usize,
    bytes: u64,
    last: String,
}

impl Count {
    fn new() -> Self {
        Self {
            keys: 0,
            bytes: 0,
            last: String::new(),
        }
    }

    fn add(&mut self, key: &str, size: u64) -> Outcome<()> {
        if key <= self.last.as_str() {
            return Err(format!("`{key}` comes after `{}`", self.last).into());
        }
        self.keys += 1;
        self.bytes += size;
        key.clone_into(&mut self.last);
        Ok(())
    }

    /// The sizes are 0, 1, 2 and so on.
    fn check(&self, keys: usize) -> Outcome<()> {
        let bytes = keys as u64 * (keys as u64).saturating_sub(1) / 2;
        match self.keys == keys && self.bytes == bytes {
            true => Ok(()),
            false => Err(format!("{} keys of {keys} came", self.keys).into()),
        }
    }
}

async fn through(
    service: &Service,
    stub: &Stub,
    storage: &str,
    token: &str,
    keys: usize,
) -> Outcome<Duration> {
    stub.fill(keys);
    let began = Instant::now();
    let mut count = Count::new();
    let mut next: Option<String> = None;
    loop {
        let mut path = format!("{storage}/files?recursive=true&page_size={PAGE}");
        if let Some(next) = &next {
            path += "&page_token=";
            path.extend(percent_encoding::utf8_percent_encode(
                next,
                percent_encoding::NON_ALPHANUMERIC,
            ));
        }
        let answer = service.request(Method::GET, &path, token).send().await?;
        if answer.status() != 200 {
            return Err(answer.text().await?.into());
        }
        let page: Page = serde_json::from_slice(&answer.bytes().await?)?;
        for file in &page.files {
            count.add(&file.key, file.size)?;
        }
        next = page.next_page_token;
        if next.is_none() {
            break;
        }
    }
    count.check(keys)?;
    Ok(began.elapsed())
}

async fn by_the_sdk(s3: &aws_sdk_s3::Client, stub: &Stub, keys: usize) -> Outcome<Duration> {
    stub.fill(keys);
    let began = Instant::now();
    let mut count = Count::new();
    let list = s3.list_objects_v2().bucket(BUCKET).prefix("team/");
    let mut pages = list.max_keys(i32::try_from(PAGE)?).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page?.contents() {
            let size = object.size().unwrap_or_default();
            count.add(object.key().unwrap_or_default(), u64::try_from(size)?)?;
        }
    }
    count.check(keys)?;
    Ok(began.elapsed())
}
