//! Transfers at once, from one to a thousand: throughput together, memory of the service, and how many were refused.
//!
//! BENCH_AT_ONCE (1,10,100,1000), BENCH_EACH_MIB (8), BENCH_PACE_MIB (10) a second that the store gives or takes for
//! each, which is what makes them all go on at once. BENCH_WORKSPACES (20) have them: one workspace may use a part
//! of the memory for bodies only.

mod support;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::Stub;
use support::{Outcome, Service, amount, connect_for, row, table};
use tokio::task::JoinSet;

const MIB: u64 = 1 << 20;

fn main() -> Outcome<()> {
    support::run(bench())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

/// What came of so many.
struct Found {
    way: Way,
    at_once: u64,
    took: Duration,
    done: u64,
    refused: u64,
    cpu: Duration,
    /// Of the service, in MiB: before, and at most.
    memory: (f64, f64),
}

async fn bench() -> Outcome<()> {
    let given = std::env::var("BENCH_AT_ONCE");
    let given = given.unwrap_or_else(|_| "1,10,100,1000".to_owned());
    let each = amount("BENCH_EACH_MIB", 8)? * MIB;
    let pace = amount("BENCH_PACE_MIB", 10)? * MIB;
    let workspaces = amount("BENCH_WORKSPACES", 20)?.max(1);
    let stub = Stub::start_apart()?;
    stub.pace(pace);
    let mut all = Vec::new();
    for way in [Way::Down, Way::Up] {
        for at_once in given.split(',') {
            let at_once: u64 = at_once.trim().parse()?;
            all.push(measure(&stub, way, at_once, each, workspaces).await?);
        }
    }
    print(&all, each, pace);
    Ok(())
}

/// In a process of its own, because the figure for memory is the most that it ever had.
async fn measure(
    stub: &Stub,
    way: Way,
    at_once: u64,
    each: u64,
    workspaces: u64,
) -> Outcome<Found> {
    let service = Arc::new(Service::start(&stub.url()).await?);
    let mut places = Vec::new();
    for _ in 0..workspaces.min(at_once) {
        places.push(connect_for(&service, stub, "read_write").await?);
    }
    // Opens a session for each.
    for place in &places {
        let (service, place) = (service.clone(), place.clone());
        carry(service, place, Way::Down, 1, Bytes::new()).await?;
    }
    let body = match way {
        Way::Down => Bytes::new(),
        Way::Up => Bytes::from(vec![b'x'; usize::try_from(each)?]),
    };
    let before = service.memory("VmHWM:")?;
    let cpu = service.cpu()?;
    let began = Instant::now();
    let mut running = JoinSet::new();
    for place in places.iter().cycle().take(usize::try_from(at_once)?) {
        let (service, place, body) = (service.clone(), place.clone(), body.clone());
        running.spawn(carry(service, place, way, each, body));
    }
    let (mut done, mut refused) = (0, 0);
    while let Some(one) = running.join_next().await {
        match one?? {
            true => done += 1,
            false => refused += 1,
        }
    }
    Ok(Found {
        way,
        at_once,
        took: began.elapsed(),
        done,
        refused,
        cpu: service.cpu()?.saturating_sub(cpu),
        memory: (before, service.memory("VmHWM:")?),
    })
}

/// Carries one file. False when the service has no room for it now, and says so.
async fn carry(
    service: Arc<Service>,
    (storage, token): (String, String),
    way: Way,
    length: u64,
    body: Bytes,
) -> Outcome<bool> {
    let file = |name: &str| format!("{storage}/files/content?key=%2F{name}");
    let request = match way {
        Way::Down => service.request(Method::GET, &file(&format!("{length}.bin")), &token),
        Way::Up => service
            .request(Method::PUT, &file("upload.bin"), &token)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body),
    };
    let mut answer = request.send().await?;
    match answer.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => return Ok(false),
        status if !status.is_success() => {
            return Err(format!("{}: {status}: {}", way.name(), answer.text().await?).into());
        }
        _ => {}
    }
    let mut got = 0;
    while let Some(chunk) = answer.chunk().await? {
        got += chunk.len() as u64;
    }
    match way {
        Way::Down if got != length => Err(format!("{got} bytes of {length} came").into()),
        Way::Down | Way::Up => Ok(true),
    }
}

fn print(all: &[Found], each: u64, pace: u64) {
    let mib = each as f64 / MIB as f64;
    let mut rows = vec![row![
        "way",
        "at once",
        "together",
        "of what the store gives",
        "CPU",
        "the service's memory before",
        "at most",
        "for each transfer",
        "refused",
    ]];
    for found in all {
        let carried = found.done as f64 * mib;
        let together = carried / found.took.as_secs_f64();
        let given = pace as f64 / MIB as f64 * found.at_once as f64;
        let more = (found.memory.1 - found.memory.0) / found.at_once as f64;
        let gib = (carried / 1_024.0).max(f64::EPSILON);
        rows.push(row![
            found.way.name(),
            found.at_once,
            format!("{together:.0} MiB/s"),
            format!("{:.2}", together / given),
            format!("{:.2} s/GiB", found.cpu.as_secs_f64() / gib),
            format!("{:.0} MiB", found.memory.0),
            format!("{:.0} MiB", found.memory.1),
            format!("{:.0} KiB", more * 1_024.0),
            found.refused,
        ]);
        let at = found.at_once as f64;
        let way = found.way.name();
        report::point(&format!("throughput, {way}"), at, together);
        report::point(&format!("memory, {way}"), at, found.memory.1);
        if found.refused == 0 && found.at_once <= 10 {
            let name = format!("{way}, {} at once, of what the store gives", found.at_once);
            report::ratio(&name, together / given, Better::Higher, Guard::Guarded);
        }
    }
    table(
        &format!(
            "transfers of {mib:.0} MiB each at once, the store at {} MiB/s for each",
            pace / MIB
        ),
        &rows,
    );
}
