//! Many workspaces at once: what one whose store never answers does to the others, and what slow clients do.
//!
//! BENCH_WORKSPACES (200) with one storage each, BENCH_AT_ONCE (1000) requests at once, BENCH_SECONDS (10) of
//! measuring in each of BENCH_RUNS (3). BENCH_SLOW (200) clients that are slow, half of them downloading and half of
//! them uploading; 0 skips that part.

mod support;

use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use support::load::{Call, Times, Who};
use support::report::{self, Better, Guard};
use support::stub::Stub;
use support::{Dialog, Outcome, Service, amount, ms, row, table};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The prefix of the storage whose store stops to answer.
const SILENT: &str = "silent";
/// The 99th percentile of the others, to that of a quiet run.
const GOAL: f64 = 1.2;
/// How many quick requests go on beside slow clients.
const QUICK: usize = 16;
/// A slow client takes or gives so many bytes, and then waits.
const SIP: usize = 4 * 1024;
const PAUSE: Duration = Duration::from_millis(250);
/// What a slow client transfers: more than it ever will.
const SLOW_LENGTH: u64 = 64 << 20;

fn main() -> Outcome<()> {
    support::run(bench())
}

/// A workspace with its storage.
#[derive(Clone)]
struct Tenant {
    storage: String,
    admin: Who,
    token: String,
}

impl Tenant {
    async fn new(service: &Service, stub: &Stub, prefix: &str) -> Outcome<Self> {
        let dialog = Dialog::open_in(service, stub, "read_write", prefix).await?;
        dialog.check(service).await?;
        Ok(Self {
            storage: dialog.complete(service).await?,
            admin: Who::Token(dialog.admin.clone()),
            token: dialog.admin,
        })
    }

    /// The `turn`th request of a round.
    fn call(&self, turn: usize) -> Call {
        let storage = &self.storage;
        let file = |what: &str| format!("{storage}/files{what}");
        match turn % 6 {
            0 => Call::get(storage.clone(), &self.admin),
            1 => Call::get(file("/metadata?key=%2F1024.bin"), &self.admin),
            2 => {
                let body =
                    json!({"key": format!("/some-folder/image {turn}.png"), "method": "GET"});
                Call::post(file("/sign"), &self.admin, &body)
            }
            3 => Call::get(file("/content?key=%2F1024.bin"), &self.admin),
            4 => Call::get(file(""), &self.admin),
            _ => Call::get("/v1/storages".to_owned(), &self.admin),
        }
    }
}

async fn bench() -> Outcome<()> {
    let workspaces = usize::try_from(amount("BENCH_WORKSPACES", 200)?)?.max(2);
    let stub = Stub::start_apart()?;
    let service = Arc::new(Service::start(&stub.url()).await?);
    let mut tenants = vec![Tenant::new(&service, &stub, SILENT).await?];
    for _ in 1..workspaces {
        tenants.push(Tenant::new(&service, &stub, "team").await?);
    }
    crowd(&service, &stub, &tenants).await?;
    slow_clients(&service, &tenants).await
}

/// What the others' requests took in some time.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    /// Answers that were no success.
    refused: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.refused += other.refused;
    }
}

/// Many requests at once of all workspaces, with the first one's store quiet or answering, in turns.
async fn crowd(service: &Arc<Service>, stub: &Stub, tenants: &[Tenant]) -> Outcome<()> {
    let at_once = usize::try_from(amount("BENCH_AT_ONCE", 1_000)?)?;
    let time = Duration::from_secs(amount("BENCH_SECONDS", 10)?);
    let runs = amount("BENCH_RUNS", 3)?.max(1);
    let (_, warm_up) = in_crowd(service, tenants, at_once, Duration::from_secs(2)).await?;
    if warm_up.times.is_empty() {
        return Err("no request was answered".into());
    }
    let (mut quiet, mut silent) = (Seen::default(), Seen::default());
    let mut of_silent = Seen::default();
    for _ in 0..runs {
        quiet.add(in_crowd(service, tenants, at_once, time).await?.1);
        stub.silence(Some(SILENT));
        let (first, others) = in_crowd(service, tenants, at_once, time).await?;
        of_silent.add(first);
        silent.add(others);
        stub.silence(None);
        // What still waits for the silent store ends.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let seconds = time.as_secs_f64() * runs as f64;
    let mut rows = vec![row![
        "the others, while one store",
        "requests a second",
        "median",
        "p99",
        "refused",
        "p99 to the quiet run",
    ]];
    let (quiet_refused, silent_refused) = (quiet.refused, silent.refused);
    let (quiet, silent) = (Times::of(quiet.times), Times::of(silent.times));
    let ratio = silent.p99.as_secs_f64() / quiet.p99.as_secs_f64();
    let median = silent.median.as_secs_f64() / quiet.median.as_secs_f64();
    for (what, times, refused, ratio) in [
        ("answers as all do", quiet, quiet_refused, 1.0),
        ("never answers", silent, silent_refused, ratio),
    ] {
        rows.push(row![
            what,
            format!("{:.0}", times.count as f64 / seconds),
            format!("{:.1} ms", ms(times.median)),
            format!("{:.1} ms", ms(times.p99)),
            refused,
            format!("{ratio:.2}"),
        ]);
    }
    table(
        &format!(
            "{at_once} requests at once of {} workspaces; the goal for the ratio is {GOAL}",
            tenants.len()
        ),
        &rows,
    );
    println!(
        "  of the silent one: {} answered, {} refused",
        of_silent.times.len(),
        of_silent.refused
    );
    let (name, shown) = ("others beside a silent store", Guard::Shown);
    report::ratio(&format!("{name}, p99"), ratio, Better::Lower, shown);
    report::ratio(
        &format!("{name}, median"),
        median,
        Better::Lower,
        Guard::Guarded,
    );
    Ok(())
}

/// Requests of all workspaces for some time. Gives what those of the first one saw, and the others.
async fn in_crowd(
    service: &Arc<Service>,
    tenants: &[Tenant],
    at_once: usize,
    time: Duration,
) -> Outcome<(Seen, Seen)> {
    let end = Instant::now() + time;
    let mut lanes = JoinSet::new();
    for lane in 0..at_once {
        let at = lane % tenants.len();
        let (service, tenant) = (service.clone(), tenants[at].clone());
        lanes.spawn(async move {
            let mut seen = Seen::default();
            for turn in lane.. {
                if Instant::now() >= end {
                    break;
                }
                let call = tenant.call(turn);
                let sent = call.send(&service);
                // The others' requests are waited for: the slowest ones are those that go on at the end.
                let sent = match at {
                    0 => match tokio::time::timeout_at(end, sent).await {
                        Ok(sent) => sent,
                        Err(_) => break,
                    },
                    _ => sent.await,
                };
                match sent {
                    Ok((time, 200..300)) => seen.times.push(time),
                    Ok(_) => seen.refused += 1,
                    Err(error) => return Err(error),
                }
            }
            Outcome::Ok((at, seen))
        });
    }
    let (mut first, mut others) = (Seen::default(), Seen::default());
    while let Some(lane) = lanes.join_next().await {
        match lane?? {
            (0, seen) => first.add(seen),
            (_, seen) => others.add(seen),
        }
    }
    Ok((first, others))
}

/// Quick requests alone, and beside clients that read and write slowly.
async fn slow_clients(service: &Arc<Service>, tenants: &[Tenant]) -> Outcome<()> {
    let slow = usize::try_from(amount("BENCH_SLOW", 200)?)?;
    let time = Duration::from_secs(amount("BENCH_SECONDS", 10)?);
    if slow == 0 {
        return Ok(());
    }
    let (behind, quick) = tenants.split_at(tenants.len() / 2);
    let (first, others) = in_crowd(service, quick, QUICK, time).await?;
    let alone = of_all(first, others);
    let before = service.memory("VmRSS:")?;

    let begun = (0..slow).map(|number| {
        // None of them has the storage that was silent.
        let tenant = &behind[(number % (behind.len() - 1).max(1) + 1) % behind.len()];
        begin_slow(service, tenant, number.is_multiple_of(2))
    });
    let mut begun = Tended::new(try_join_all(begun).await?);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (first, others) = in_crowd(service, quick, QUICK, time).await?;
    let beside = of_all(first, others);
    let during = service.memory("VmRSS:")?;
    let cut_off = begun.cut_off();
    begun.end().await;

    let mut rows = vec![row![
        "quick requests",
        "requests a second",
        "median",
        "p99",
        "refused",
        "the service's memory",
    ]];
    let alone_times = Times::of(alone.times);
    let beside_times = Times::of(beside.times);
    for (what, times, refused, memory) in [
        ("alone".to_owned(), alone_times, alone.refused, before),
        (
            format!("beside {slow} slow clients"),
            beside_times,
            beside.refused,
            during,
        ),
    ] {
        rows.push(row![
            what,
            format!("{:.0}", times.count as f64 / time.as_secs_f64()),
            format!("{:.1} ms", ms(times.median)),
            format!("{:.1} ms", ms(times.p99)),
            refused,
            format!("{memory:.0} MiB"),
        ]);
    }
    let kib = SIP as f64 / 1_024.0 / PAUSE.as_secs_f64();
    table(
        &format!("{QUICK} quick requests at once beside slow clients of {kib:.0} KiB a second"),
        &rows,
    );
    println!("  {cut_off} of the {slow} slow clients were cut off");
    let ratio = |of: fn(&Times) -> Duration| {
        of(&beside_times).as_secs_f64() / of(&alone_times).as_secs_f64()
    };
    let name = "quick requests beside slow clients";
    let (p99, median) = (ratio(|times| times.p99), ratio(|times| times.median));
    report::ratio(&format!("{name}, p99"), p99, Better::Lower, Guard::Shown);
    report::ratio(
        &format!("{name}, median"),
        median,
        Better::Lower,
        Guard::Guarded,
    );
    let each = (during - before) * 1_024.0 / slow as f64;
    report::figure("slow_client_kib", each);
    Ok(())
}

fn of_all(first: Seen, others: Seen) -> Seen {
    let mut all = first;
    all.add(others);
    all
}

/// Connects, and sends the head of a request: a download, or an upload.
async fn begin_slow(service: &Service, tenant: &Tenant, down: bool) -> Outcome<(TcpStream, bool)> {
    let address: SocketAddr = service.url.trim_start_matches("http://").parse()?;
    let socket = TcpSocket::new_v4()?;
    // Otherwise the kernel takes megabytes for the client, who then is not slow at all.
    socket.set_recv_buffer_size(16 * 1024)?;
    let mut stream = socket.connect(address).await?;
    let (method, file) = match down {
        true => (Method::GET, format!("{SLOW_LENGTH}.bin")),
        false => (Method::PUT, "upload.bin".to_owned()),
    };
    let mut head = format!(
        "{method} {}/files/content?key=%2F{file} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n",
        tenant.storage, tenant.token
    );
    if !down {
        head +=
            &format!("content-type: application/octet-stream\r\ncontent-length: {SLOW_LENGTH}\r\n");
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).await?;
    Ok((stream, down))
}

/// Slow clients at work.
struct Tended {
    running: JoinSet<()>,
    all: usize,
}

impl Tended {
    fn new(streams: Vec<(TcpStream, bool)>) -> Self {
        let all = streams.len();
        let mut running = JoinSet::new();
        for (stream, down) in streams {
            running.spawn(sip(stream, down));
        }
        Self { running, all }
    }

    /// How many have ended: the service has closed their connection.
    fn cut_off(&mut self) -> usize {
        while self.running.try_join_next().is_some() {}
        self.all - self.running.len()
    }

    async fn end(mut self) {
        self.running.shutdown().await;
    }
}

/// Goes on until the service closes the connection.
async fn sip(mut stream: TcpStream, down: bool) {
    let mut bytes = vec![b'x'; SIP];
    loop {
        let moved = match down {
            true => stream.read(&mut bytes).await,
            false => stream.write(&bytes).await,
        };
        match moved {
            Ok(0) | Err(_) => return,
            Ok(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
