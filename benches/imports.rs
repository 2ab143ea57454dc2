//! Imports of large folders: calls, time and CPU for each key, beside the plain SDK's listing of the same folder;
//! and two imports of different workspaces at the same time.
//!
//! BENCH_KEYS (20000,100000): 1,000 to 1,000,000 each. BENCH_SIDE_KEYS (50000) for each of the two; 0 skips them.

mod support;

use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::{BUCKET, Stub};
use support::{Outcome, Service, amount, connect, cpu, row, s3_client, sdk_config, table, text};

/// How often a project is looked at. Each look is a request, whose CPU counts as the import's.
const LOOKS: Duration = Duration::from_millis(50);

fn main() -> Outcome<()> {
    support::run(bench())
}

/// Where projects are made.
struct Place {
    storage: String,
    token: String,
}

async fn bench() -> Outcome<()> {
    let stub = Stub::start_apart()?;
    let s3 = s3_client(&sdk_config(&stub.url()));
    let mut rows = vec![row![
        "keys",
        "how",
        "calls to S3",
        "calls to STS",
        "time",
        "keys a second",
        "CPU for each key",
    ]];
    let given = std::env::var("BENCH_KEYS").unwrap_or_else(|_| "20000,100000".to_owned());
    for keys in given.split(',') {
        let keys: usize = keys.trim().parse()?;
        let service = Service::start(&stub.url()).await?;
        let place = place(&service, &stub).await?;
        stub.fill(keys);
        let (s3_calls, sts_calls) = calls(&stub);
        let (before, began) = (service.cpu()?, Instant::now());
        import(&service, &place, keys).await?;
        let (time, used) = (began.elapsed(), service.cpu()?.saturating_sub(before));
        let (ours, our_cpu) = (time, used);
        let (s3_now, sts_now) = calls(&stub);
        rows.push(figures(
            keys,
            "import",
            (s3_now - s3_calls, sts_now - sts_calls),
            time,
            used,
        ));
        drop(service);

        let (s3_calls, _) = calls(&stub);
        let (before, began) = (cpu::here()?, Instant::now());
        listing(&s3, keys).await?;
        let (time, used) = (began.elapsed(), cpu::here()?.saturating_sub(before));
        let made = calls(&stub).0 - s3_calls;
        ratios(keys, (ours, time), (our_cpu, used));
        rows.push(figures(keys, "plain SDK, listing", (made, 0), time, used));
    }
    table("import of a folder, pages of 1,000", &rows);
    side_by_side(&stub).await
}

/// One import alone, and two of different workspaces at the same time.
async fn side_by_side(stub: &Stub) -> Outcome<()> {
    let keys = usize::try_from(amount("BENCH_SIDE_KEYS", 50_000)?)?;
    if keys == 0 {
        return Ok(());
    }
    let service = Service::start(&stub.url()).await?;
    let (one, other) = (place(&service, stub).await?, place(&service, stub).await?);
    stub.fill(keys);
    let began = Instant::now();
    import(&service, &one, keys).await?;
    let alone = began.elapsed();
    let both = async |place: &Place| -> Outcome<Duration> {
        let began = Instant::now();
        import(&service, place, keys).await?;
        Ok(began.elapsed())
    };
    let (first, second) = tokio::try_join!(both(&one), both(&other))?;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    table(
        &format!("imports of {keys} keys, and the service's memory at most"),
        &[
            row!["one alone", seconds(alone), ""],
            row!["of two at once, the first", seconds(first), ""],
            row![
                "of two at once, the second",
                seconds(second),
                format!("{:.1} MiB", service.memory("VmHWM:")?)
            ],
        ],
    );
    Ok(())
}

async fn place(service: &Service, stub: &Stub) -> Outcome<Place> {
    // A check lists too, and needs few keys.
    stub.fill(0);
    let (path, token) = connect(service, stub).await?;
    let storage = path.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Place { storage, token })
}

/// Calls to S3, and AssumeRole.
fn calls(stub: &Stub) -> (usize, usize) {
    let all = stub.all_calls();
    let sts = |name: &str| {
        matches!(
            name,
            "AssumeRole" | "RefusedAssumeRole" | "GetCallerIdentity"
        )
    };
    let sum = |of_sts: bool| {
        all.iter()
            .filter(|(name, _)| sts(name) == of_sts)
            .map(|(_, count)| count)
            .sum::<usize>()
    };
    (sum(false), sum(true))
}

/// Makes a project of all keys, and waits until it is ready.
async fn import(service: &Service, place: &Place, keys: usize) -> Outcome<()> {
    let body = json!({"name": "Bench", "storage_id": place.storage, "folder": "/"});
    let token = &place.token;
    let mut project = service
        .send(Method::POST, "/v1/projects", token, &body)
        .await?;
    let path = format!("/v1/projects/{}", text(&project["id"])?);
    while project["status"] == "importing" {
        tokio::time::sleep(LOOKS).await;
        let answer = service.request(Method::GET, &path, token).send().await?;
        project = serde_json::from_slice(&answer.bytes().await?)?;
    }
    if project["status"] != "ready" || project["file_count"] != json!(keys) {
        return Err(format!("the import did not bring all files: {project:#}").into());
    }
    Ok(())
}

async fn listing(s3: &aws_sdk_s3::Client, keys: usize) -> Outcome<()> {
    let list = s3.list_objects_v2().bucket(BUCKET).prefix("team/");
    let mut pages = list.max_keys(1_000).into_paginator().send();
    let mut came = 0;
    while let Some(page) = pages.next().await {
        came += page?.contents().len();
    }
    match came == keys {
        true => Ok(()),
        false => Err(format!("{came} keys of {keys} came").into()),
    }
}

/// Of an import to the plain listing of the same folder: the times, and the processor times.
fn ratios(keys: usize, times: (Duration, Duration), cpu: (Duration, Duration)) {
    let to = |(ours, plain): (Duration, Duration)| ours.as_secs_f64() / plain.as_secs_f64();
    let name = |what: &str| format!("import of {keys} keys, {what} to the plain listing's");
    let guard = Guard::Guarded;
    report::ratio(&name("time"), to(times), Better::Lower, guard);
    report::ratio(&name("CPU"), to(cpu), Better::Lower, guard);
    report::point("import", keys as f64, times.0.as_secs_f64());
}

fn figures(
    keys: usize,
    how: &str,
    (s3, sts): (usize, usize),
    time: Duration,
    used: Duration,
) -> Vec<String> {
    row![
        keys,
        how,
        s3,
        sts,
        format!("{:.2} s", time.as_secs_f64()),
        format!("{:.0}", keys as f64 / time.as_secs_f64()),
        format!("{:.1} µs", used.as_secs_f64() * 1e6 / keys as f64),
    ]
}
