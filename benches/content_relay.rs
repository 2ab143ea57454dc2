//! Content through the service and directly, down and up: throughput, processor time, and the service's
//! memory.
//!
//! BENCH_SMALL (4000) objects of 1 KiB and BENCH_MEDIUM (256) of 1 MiB in a run, BENCH_LARGE_MIB (1024)
//! of one object, BENCH_PACED_MIB (256) of one from a store that gives each transfer
//! BENCH_PACE_MIB (90) a second, BENCH_AT_ONCE (50) objects of BENCH_AT_ONCE_MIB (20) at once, and
//! BENCH_CROWD (1000) downloads of which as many go on as the memory budget has room for;
//! BENCH_ONE_CONNECTION (400) reads of 1 MiB on one connection, for their slowest hundredth;
//! BENCH_RUNS (3). An amount of 0 leaves that part out.

mod support;

use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::Stub;
use support::transfer::{Carrier, Way};
use support::{Outcome, amount, cpu, median, ms, row, table};
use tokio::task::JoinSet;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const SMALL_AT_ONCE: u64 = 16;
/// So slowly does the store take each of many uploads at once: every buffer on the way is full.
const CROWD_PACE: u64 = 10 * MIB;

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let runs = amount("BENCH_RUNS", 3)?.max(1);
    let small = amount("BENCH_SMALL", 4_000)?;
    let medium = amount("BENCH_MEDIUM", 256)?;
    let large = amount("BENCH_LARGE_MIB", 1_024)?;
    let paced = amount("BENCH_PACED_MIB", 256)?;
    let pace = amount("BENCH_PACE_MIB", 90)?;
    let (crowd, each) = (
        amount("BENCH_AT_ONCE", 50)?,
        amount("BENCH_AT_ONCE_MIB", 20)?,
    );
    let (many, reads) = (
        amount("BENCH_CROWD", 1_000)?,
        amount("BENCH_ONE_CONNECTION", 400)?,
    );
    let stub = Stub::start_apart()?;

    if reads > 0 {
        one_connection(&stub, reads).await?;
    }
    if small > 0 {
        requests(&stub, small, runs).await?;
    }
    let mut rows = vec![throughput_head()];
    for (what, length, count) in [("1 MiB", MIB, medium), ("one large", large * MIB, 1)] {
        if length * count > 0 {
            throughput(&mut rows, &stub, what, length, count, runs).await?;
        }
    }
    if rows.len() > 1 {
        table("content relay, one after the other", &rows);
    }
    if paced > 0 {
        stub.pace(pace * MIB);
        let mut rows = vec![throughput_head()];
        throughput(&mut rows, &stub, "held by the store", paced * MIB, 1, runs).await?;
        stub.pace(0);
        table(
            &format!("content relay, {pace} MiB/s at the store's side"),
            &rows,
        );
    }
    if crowd > 0 {
        at_once(&stub, crowd, each * MIB).await?;
    }
    if many > 0 {
        beyond_the_budget(&stub, many, each.max(1) * MIB).await?;
    }
    Ok(())
}

/// The slowest hundredth shows what an average hides, such as acknowledgements that wait.
async fn one_connection(stub: &Stub, count: u64) -> Outcome<()> {
    let mut rows = vec![row!["object", "carrier", "median", "p99"]];
    for length in [KIB, MIB] {
        let (ours, _through) = Carrier::service(stub).await?;
        for (name, carrier) in [
            ("through the service", ours),
            ("plain SDK", Carrier::sdk(stub)),
        ] {
            // Opens the connection, and the session.
            carrier.carry(Way::Down, length, None).await?;
            let mut times = Vec::new();
            for _ in 0..count {
                let began = Instant::now();
                carrier.carry(Way::Down, length, None).await?;
                times.push(began.elapsed());
            }
            times.sort_unstable();
            let at = |hundredth: usize| times[(times.len() - 1) * hundredth / 100];
            rows.push(row![
                format!("{} KiB", length / KIB),
                name,
                format!("{:.2} ms", ms(at(50))),
                format!("{:.2} ms", ms(at(99))),
            ]);
        }
    }
    table("content relay, one keep-alive connection", &rows);
    Ok(())
}

/// More downloads than the memory budget has room for: what goes on, what is refused, and the memory of it.
async fn beyond_the_budget(stub: &Stub, count: u64, length: u64) -> Outcome<()> {
    let (ours, through) = Carrier::service(stub).await?;
    let before = through.service.memory("VmHWM:")?;
    let began = Instant::now();
    let mut crowd = JoinSet::new();
    for _ in 0..count {
        let ours = ours.clone();
        crowd.spawn(async move { ours.carry(Way::Down, length, None).await.is_ok() });
    }
    let mut served = 0;
    while let Some(one) = crowd.join_next().await {
        served += u64::from(one?);
    }
    let rows = vec![
        row![
            "asked for",
            "served",
            "refused",
            "took",
            "service's memory before",
            "at most"
        ],
        row![
            count,
            served,
            count - served,
            format!("{:.1} s", began.elapsed().as_secs_f64()),
            format!("{before:.1} MiB"),
            format!("{:.1} MiB", through.service.memory("VmHWM:")?),
        ],
    ];
    table("content relay, more than the memory budget holds", &rows);
    Ok(())
}

/// The two beside each other, in turns.
struct Measured {
    ours: Duration,
    plain: Duration,
    /// Of all runs together.
    our_cpu: Duration,
    plain_cpu: Duration,
    memory: (f64, f64),
}

async fn measure(
    stub: &Stub,
    way: Way,
    length: u64,
    count: u64,
    at_once: u64,
    runs: u64,
) -> Outcome<Measured> {
    // A process of its own for each figure of memory: it is the most that the process ever had.
    let (ours, through) = Carrier::service(stub).await?;
    let plain = Carrier::sdk(stub);
    let before = through.service.memory("VmHWM:")?;
    for carrier in [&ours, &plain] {
        carrier.carry_many(way, KIB, at_once, at_once).await?;
    }
    let (mut our_times, mut plain_times) = (Vec::new(), Vec::new());
    let (mut our_cpu, mut plain_cpu) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..runs {
        let began = through.service.cpu()?;
        our_times.push(ours.carry_many(way, length, count, at_once).await?);
        our_cpu += through.service.cpu()?.saturating_sub(began);

        let began = cpu::here()?;
        let received = stub.received();
        plain_times.push(plain.carry_many(way, length, count, at_once).await?);
        plain_cpu += cpu::here()?.saturating_sub(began);
        let came = stub.received() - received;
        // More can come: the service checks its storages now and then.
        if way == Way::Up && came < length * count {
            return Err(format!("{came} bytes came of {count} times {length}").into());
        }
    }
    Ok(Measured {
        ours: median(our_times),
        plain: median(plain_times),
        our_cpu,
        plain_cpu,
        memory: (before, through.service.memory("VmHWM:")?),
    })
}

async fn requests(stub: &Stub, count: u64, runs: u64) -> Outcome<()> {
    let mut rows = vec![row![
        "1 KiB",
        "at once",
        "through the service",
        "plain SDK",
        "ratio",
        "service's CPU, each",
        "SDK's CPU, each",
        "service's memory before",
        "at most",
    ]];
    for way in [Way::Down, Way::Up] {
        for at_once in [1, SMALL_AT_ONCE] {
            let found = measure(stub, way, KIB, count, at_once, runs).await?;
            compare(&format!("1 KiB {}, {at_once} at once", way.name()), &found);
            let each_second = |time: Duration| count as f64 / time.as_secs_f64();
            let each = |cpu: Duration| format!("{:.2} ms", ms(cpu) / (count * runs) as f64);
            rows.push(row![
                way.name(),
                at_once,
                format!("{:.0}/s", each_second(found.ours)),
                format!("{:.0}/s", each_second(found.plain)),
                ratio(&found),
                each(found.our_cpu),
                each(found.plain_cpu),
                format!("{:.1} MiB", found.memory.0),
                format!("{:.1} MiB", found.memory.1),
            ]);
        }
    }
    table("content relay, small objects", &rows);
    Ok(())
}

fn throughput_head() -> Vec<String> {
    row![
        "object",
        "way",
        "through the service",
        "plain SDK",
        "ratio",
        "service's CPU",
        "SDK's CPU",
        "service's memory before",
        "at most",
    ]
}

async fn throughput(
    rows: &mut Vec<Vec<String>>,
    stub: &Stub,
    what: &str,
    length: u64,
    count: u64,
    runs: u64,
) -> Outcome<()> {
    let mib = (length * count) as f64 / MIB as f64;
    for way in [Way::Down, Way::Up] {
        let found = measure(stub, way, length, count, 1, runs).await?;
        compare(&format!("{what} {}", way.name()), &found);
        let each_second = |time: Duration| format!("{:.0} MiB/s", mib / time.as_secs_f64());
        let gib = mib * runs as f64 / 1_024.0;
        let each_gib = |cpu: Duration| format!("{:.2} s/GiB", cpu.as_secs_f64() / gib);
        rows.push(row![
            format!("{} MiB", length / MIB),
            way.name(),
            each_second(found.ours),
            each_second(found.plain),
            ratio(&found),
            each_gib(found.our_cpu),
            each_gib(found.plain_cpu),
            format!("{:.1} MiB", found.memory.0),
            format!("{:.1} MiB", found.memory.1),
        ]);
    }
    Ok(())
}

/// Reports how the service is to the plain SDK: in throughput and, where the figure is large enough, in CPU.
fn compare(what: &str, found: &Measured) {
    let name = |of: &str| format!("content, {what}, {of}");
    let to = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    let throughput = to(found.plain, found.ours);
    let guard = Guard::Guarded;
    report::ratio(&name("throughput"), throughput, Better::Higher, guard);
    // Linux counts in hundredths of a second.
    if found.plain_cpu >= Duration::from_millis(100) {
        let cpu = to(found.our_cpu, found.plain_cpu);
        report::ratio(&name("CPU"), cpu, Better::Lower, guard);
    }
}

fn ratio(found: &Measured) -> String {
    format!(
        "{:.2}",
        found.plain.as_secs_f64() / found.ours.as_secs_f64()
    )
}

async fn at_once(stub: &Stub, count: u64, length: u64) -> Outcome<()> {
    let mut rows = vec![row![
        "way",
        "through the service, together",
        "service's memory before",
        "at most",
    ]];
    for way in [Way::Down, Way::Up, Way::UpUntold] {
        let (ours, through) = Carrier::service(stub).await?;
        let before = through.service.memory("VmHWM:")?;
        // Downloads wait for each other instead, with all of them begun.
        stub.pace(if way == Way::Down { 0 } else { CROWD_PACE });
        let took = ours.carry_crowd(way, length, count).await?;
        let mib = (length * count) as f64 / MIB as f64;
        rows.push(row![
            way.name(),
            format!("{:.0} MiB/s", mib / took.as_secs_f64()),
            format!("{before:.1} MiB"),
            format!("{:.1} MiB", through.service.memory("VmHWM:")?),
        ]);
    }
    stub.pace(0);
    let mib = length / MIB;
    table(
        &format!("content relay, {count} objects of {mib} MiB at once"),
        &rows,
    );
    Ok(())
}
