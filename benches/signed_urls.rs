//! Signed URLs for each second, and for each second of processor time: by one call, as single requests, and by
//! the plain SDK.
//!
//! The goals are in `docs/benchmarks.md`. BENCH_URLS (10000) in a call, BENCH_SINGLE (20000) requests.

mod support;

use aws_sdk_s3::presigning::PresigningConfig;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::stub::{BUCKET, Stub};
use support::{
    Outcome, Service, amount, connect_for, cpu, median, ms, row, s3_client, sdk_config, table, text,
};

const RUNS: usize = 5;
/// Linux counts processor time in hundredths of a second: a call alone is too short to be measured.
const CALLS: usize = 20;
const AT_ONCE: usize = 16;
/// For a call with 10,000 keys.
const GOAL: Duration = Duration::from_millis(250);

/// What something took.
struct Took {
    how: &'static str,
    urls: u64,
    time: Duration,
    cpu: Duration,
}

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let urls = amount("BENCH_URLS", 10_000)?;
    let single = amount("BENCH_SINGLE", 20_000)?;
    let stub = Stub::start().await?;
    let service = Service::start(&stub.url()).await?;
    let (storage, token) = connect_for(&service, &stub, "read_write").await?;
    let path = format!("{storage}/files/sign");
    let keys: Vec<String> = (0..urls)
        .map(|n| format!("/some-folder/image {n}.png"))
        .collect();

    let upload = json!({"key": "/large.bin"});
    let begin = format!("{storage}/files/multipart");
    let begun = service.send(Method::POST, &begin, &token, &upload).await?;
    let parts = format!("{begin}/parts");
    let numbers: Vec<u64> = (1..=urls.min(10_000)).collect();
    let ask =
        |method: &str, format: &str| json!({"keys": keys, "method": method, "format": format});
    let calls = [
        ("GET, one call", &path, ask("GET", "urls")),
        ("GET, one call, compact", &path, ask("GET", "compact")),
        ("HEAD, one call", &path, ask("HEAD", "urls")),
        ("PUT, one call", &path, ask("PUT", "urls")),
        ("DELETE, one call", &path, ask("DELETE", "urls")),
        (
            "parts, one call",
            &parts,
            json!({"upload_id": text(&begun["upload_id"])?, "part_numbers": numbers}),
        ),
    ];
    let mut all = Vec::new();
    let mut sizes = vec![row!["answer", "bytes"]];
    let mut batch = Duration::ZERO;
    for &(how, path, ref body) in &calls {
        let one = Calls {
            service: &service,
            path,
            token: &token,
        };
        let size = one.check(body, how).await?;
        sizes.push(row![how, size]);
        let body = body.to_string();
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let began = Instant::now();
            one.send(&body).await?;
            times.push(began.elapsed());
        }
        let time = median(times);
        if batch == Duration::ZERO {
            batch = time;
        }
        let before = service.cpu()?;
        for _ in 0..CALLS {
            one.send(&body).await?;
        }
        let cpu = (service.cpu()? - before) / CALLS as u32;
        let count = if how.starts_with("parts") {
            numbers.len() as u64
        } else {
            urls
        };
        all.push(Took {
            how,
            urls: count,
            time,
            cpu,
        });
    }

    let one = Calls {
        service: &service,
        path: &path,
        token: &token,
    };
    let before = service.cpu()?;
    let began = Instant::now();
    let good = stream::iter(0..single)
        .map(|n| {
            let body = json!({"key": format!("/some-folder/image {n}.png"), "method": "GET"});
            let one = &one;
            async move { one.send(&body.to_string()).await.is_ok() }
        })
        .buffer_unordered(AT_ONCE)
        .filter(|good| std::future::ready(*good))
        .count()
        .await;
    if good as u64 != single {
        return Err("not every request was answered".into());
    }
    all.push(Took {
        how: "GET, single requests, 16 at once",
        urls: single,
        time: began.elapsed(),
        cpu: service.cpu()? - before,
    });
    all.push(by_rusty_s3(&stub, &keys)?);
    all.push(by_the_sdk(&stub, &keys).await?);

    let each = |count: u64, time: Duration| count as f64 / time.as_secs_f64().max(0.000_001);
    let sdk = all.last().map_or(1.0, |sdk| each(sdk.urls, sdk.cpu));
    let mut rows = vec![row![
        "how",
        "URLs",
        "time",
        "URLs a second",
        "URLs a CPU second",
        "to the SDK's CPU"
    ]];
    for took in &all {
        rows.push(row![
            took.how,
            took.urls,
            format!("{:.0} ms", ms(took.time)),
            format!("{:.0}", each(took.urls, took.time)),
            format!("{:.0}", each(took.urls, took.cpu)),
            format!("{:.2}", each(took.urls, took.cpu) / sdk),
        ]);
    }
    let what = "URLs, to the plain SDK";
    support::report::ratios(what, &rows, support::report::Guard::Guarded);
    table("signed URLs", &rows);
    table("one answer", &sizes);
    println!(
        "  one call with {urls} keys: {:.0} ms, median of {RUNS}; the goal for 10000 is under {:.0} ms",
        ms(batch),
        ms(GOAL)
    );
    Ok(())
}

/// Calls of one kind.
struct Calls<'a> {
    service: &'a Service,
    path: &'a str,
    token: &'a str,
}

impl Calls<'_> {
    /// Sends a body, and takes the answer without reading it as JSON: that is the client's work.
    async fn send(&self, body: &str) -> Outcome<Vec<u8>> {
        let request = self
            .service
            .request(Method::POST, self.path, self.token)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Sees that a URL comes for each key or part. Gives the answer's size.
    async fn check(&self, body: &Value, how: &str) -> Outcome<usize> {
        let count = |value: &Value| value.as_array().map_or(0, Vec::len);
        let answer = self.send(&body.to_string()).await?;
        let read: Value = serde_json::from_slice(&answer)?;
        let wanted = count(&body["keys"]).max(count(&body["part_numbers"]));
        match count(&read["urls"]).max(count(&read["items"])) == wanted {
            true => Ok(answer.len()),
            false => Err(format!("{how}: not every URL came").into()),
        }
    }
}

fn by_rusty_s3(stub: &Stub, keys: &[String]) -> Outcome<Took> {
    let endpoint = stub.url().parse()?;
    let bucket = Bucket::new(endpoint, UrlStyle::Path, BUCKET, "us-east-1")?;
    let credentials = Credentials::new("AKIAEXAMPLE", "secret");
    let before = cpu::here()?;
    let began = Instant::now();
    for key in keys {
        let mut action = bucket.get_object(Some(&credentials), &key[1..]);
        let query = action.query_mut();
        query.insert("response-content-type", "image/png");
        query.insert("response-content-disposition", "inline");
        std::hint::black_box(action.sign(Duration::from_secs(900)));
    }
    Ok(Took {
        how: "rusty-s3, in a loop",
        urls: keys.len() as u64,
        time: began.elapsed(),
        cpu: cpu::here()?.saturating_sub(before),
    })
}

async fn by_the_sdk(stub: &Stub, keys: &[String]) -> Outcome<Took> {
    let s3 = s3_client(&sdk_config(&stub.url()));
    let config = PresigningConfig::expires_in(Duration::from_secs(900))?;
    let before = cpu::here()?;
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
    Ok(Took {
        how: "the plain SDK, in a loop",
        urls: keys.len() as u64,
        time: began.elapsed(),
        cpu: cpu::here()?.saturating_sub(before),
    })
}
