//! Requests, pages and scheduled checks on databases of more and more storages, on SQLite, and on PostgreSQL where
//! `SALLYPORT_TEST_POSTGRES_URL` names a server, as `tools/with-services` does.
//!
//! BENCH_STORAGES (1000,10000,100000,1000000), each a multiple of 1,000 and larger than the one before; 100 in each
//! workspace. BENCH_ROUNDS (2000) requests of each kind, BENCH_LANES (4) at once, BENCH_CHECKS (200),
//! BENCH_IDLE_SECONDS (20), BENCH_DUE_SECONDS (20); 0 skips the checks, or one of the last two.

mod support;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::database::{self, FAR_AWAY, IN_WORKSPACE, Place, Template};
use support::load::{self, Call, Times, Who};
use support::report::{self, Better, Guard};
use support::stub::Stub;
use support::ticks::{Tick, Ticks};
use support::{Outcome, Service, amount, connect_for, metric, ms, row, table, text};
use time::OffsetDateTime;

/// Requests are made as members of so many workspaces at most.
const CALLERS: u64 = 200;
/// Storages whose sessions are warm.
const WARM: u64 = 200;
/// Storages whose first use is measured, and where they begin in each workspace: nothing else uses those.
const COLD: u64 = 300;
const COLD_FROM: u64 = 70;
/// From one storage of a workspace to the next.
const STEP: u64 = 11;
/// What a release promises: the 99th percentile with the most storages, to that with the fewest.
const GOAL: f64 = 1.3;

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let sizes = sizes()?;
    let stub = Stub::start_apart()?;
    stub.trust_all_that(database::is_external_id);
    measure(Place::sqlite()?, &stub, &sizes).await?;
    match std::env::var("SALLYPORT_TEST_POSTGRES_URL") {
        Ok(server) => measure(Place::postgres(&server).await?, &stub, &sizes).await,
        Err(_) => {
            println!("  PostgreSQL: not measured, SALLYPORT_TEST_POSTGRES_URL is not set");
            Ok(())
        }
    }
}

fn sizes() -> Outcome<Vec<u64>> {
    let given = std::env::var("BENCH_STORAGES");
    let given = given.unwrap_or_else(|_| "1000,10000,100000,1000000".to_owned());
    let mut sizes = Vec::new();
    for size in given.split(',') {
        let size: u64 = size.trim().parse()?;
        if size == 0
            || !size.is_multiple_of(1_000)
            || sizes.last().is_some_and(|last| *last >= size)
        {
            return Err(
                "BENCH_STORAGES: multiples of 1000, each larger than the one before".into(),
            );
        }
        sizes.push(size);
    }
    Ok(sizes)
}

/// What was measured with so many storages.
struct Found {
    storages: u64,
    times: Vec<(&'static str, Times)>,
    ready_after: Duration,
    /// Of the service, in MiB, when it has just started and after all requests.
    memory: (f64, f64),
    size: u64,
    /// Processor time of the service for each second in which it has nothing to do.
    idle: Option<Duration>,
    due: Option<Due>,
}

/// What came of scheduled checks that were all due.
struct Due {
    a_second: f64,
    cpu: Duration,
    calls: f64,
    lag: f64,
    /// Of the scheduler's tick: until the database has answered a worker that asks for a check.
    tick: Tick,
}

async fn measure(place: Place, stub: &Stub, sizes: &[u64]) -> Outcome<()> {
    let engine = place.engine();
    let template = template(&place, stub).await?;
    let mut filled = 0;
    let mut all = Vec::new();
    for size in sizes {
        let began = Instant::now();
        place.fill(&template, filled, *size).await?;
        eprintln!("{engine}: {size} storages after {:.0?}", began.elapsed());
        filled = *size;
        all.push(with_storages(&place, stub, *size).await?);
    }
    let report_size = report_size(&place).await?;
    place.remove().await?;
    print_times(engine, &all);
    print_rest(engine, &all);
    report::figure("check_report_bytes", report_size);
    println!("  one report of a check takes {report_size:.0} bytes");
    Ok(())
}

/// Connects one storage by the API, and checks it once more, so that it has a report of its own.
async fn template(place: &Place, stub: &Stub) -> Outcome<Template> {
    let service = start(place, stub, &[]).await?;
    let (path, admin) = connect_for(&service, stub, "read_write").await?;
    let check = format!("{path}/check");
    service
        .send(Method::POST, &check, &admin, &json!({}))
        .await?;
    drop(service);
    let storage = path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut raw = place.open().await?;
    let mut column = async |name: &str| {
        raw.text(format!(
            "SELECT {name} FROM storages WHERE id = '{storage}'"
        ))
        .await
    };
    let (workspace, setup, check) = (
        column("workspace_id").await?,
        column("setup_id").await?,
        column("last_check_id").await?,
    );
    raw.close().await?;
    Ok(Template {
        workspace,
        setup,
        storage,
        check,
    })
}

async fn start(place: &Place, stub: &Stub, settings: &[(&str, &str)]) -> Outcome<Service> {
    let own = place.settings()?;
    let mut all: Vec<(&str, &str)> = own
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    all.extend(settings);
    Service::start_in(place.folder(), &stub.url(), &all).await
}

async fn with_storages(place: &Place, stub: &Stub, storages: u64) -> Outcome<Found> {
    let service = Arc::new(start(place, stub, &[]).await?);
    let ready_after = service.ready_after;
    let before = service.memory("VmRSS:")?;
    let idle = idle(&service).await?;
    let times = requests(&service, storages).await?;
    let after = service.memory("VmRSS:")?;
    drop(service);
    let size = place.size().await?;
    let due = match amount("BENCH_DUE_SECONDS", 20)? {
        0 => None,
        seconds => Some(all_due(place, stub, Duration::from_secs(seconds)).await?),
    };
    Ok(Found {
        storages,
        times,
        ready_after,
        memory: (before, after),
        size,
        idle,
        due,
    })
}

/// The work that is done now and then: queues are measured every 15 seconds, and workers ask as often.
async fn idle(service: &Service) -> Outcome<Option<Duration>> {
    let seconds = amount("BENCH_IDLE_SECONDS", 20)?;
    if seconds == 0 {
        return Ok(None);
    }
    let before = service.cpu()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let used = service.cpu()?.saturating_sub(before);
    Ok(Some(used.div_f64(seconds as f64)))
}

/// Whom requests are made as: the callers, each in a workspace of its own, and people on the pages.
struct Callers {
    admins: Vec<Who>,
    people: Vec<Who>,
    /// For each caller the token of the second page of its list, as it goes into a query.
    next_pages: Vec<String>,
}

impl Callers {
    async fn new(service: &Service, storages: u64) -> Outcome<Self> {
        let mut callers = Self {
            admins: Vec::new(),
            people: Vec::new(),
            next_pages: Vec::new(),
        };
        for number in 0..(storages / IN_WORKSPACE).min(CALLERS) {
            let workspace = database::workspace_id(number);
            let admin = load::admin(service, &workspace).await?;
            if number < 10 {
                callers
                    .people
                    .push(load::sign_in(service, &workspace).await?);
            }
            let Who::Token(token) = &admin else {
                return Err("no token".into());
            };
            let first = service.request(Method::GET, &first_page(), token);
            let answer = first.send().await?.error_for_status()?;
            let page: Value = serde_json::from_slice(&answer.bytes().await?)?;
            let token = text(&page["next_page_token"])?;
            let token = utf8_percent_encode(&token, NON_ALPHANUMERIC).to_string();
            callers.next_pages.push(token);
            callers.admins.push(admin);
        }
        Ok(callers)
    }

    fn count(&self) -> u64 {
        self.admins.len() as u64
    }

    /// Of requests that go round the callers, the `number`th: who, and the number of a storage of theirs.
    fn turn(&self, number: u64, storages_of_each: u64) -> (&Who, u64) {
        let caller = number % self.count();
        let storage = (number / self.count()) * STEP % storages_of_each;
        let who = &self.admins[usize::try_from(caller).unwrap_or_default()];
        (who, caller * IN_WORKSPACE + storage)
    }
}

fn first_page() -> String {
    format!("/v1/storages?page_size={}", IN_WORKSPACE / 2)
}

fn path(storage: u64) -> String {
    format!("/v1/storages/{}", database::storage_id(storage))
}

fn sign(storage: u64, who: &Who, number: u64) -> Call {
    let body = json!({"key": format!("/some-folder/image {number}.png"), "method": "GET"});
    Call::post(format!("{}/files/sign", path(storage)), who, &body)
}

async fn requests(service: &Arc<Service>, storages: u64) -> Outcome<Vec<(&'static str, Times)>> {
    let rounds = amount("BENCH_ROUNDS", 2_000)?;
    let lanes = usize::try_from(amount("BENCH_LANES", 4)?)?;
    let checks = amount("BENCH_CHECKS", 200)?;
    let callers = Callers::new(service, storages).await?;
    // The same number of sessions whatever the number of workspaces.
    let warm = (WARM / callers.count()).max(1);
    let cold = (COLD / callers.count()).max(1);
    let metadata = |(who, storage): (&Who, u64)| {
        Call::get(
            format!("{}/files/metadata?key=%2F1024.bin", path(storage)),
            who,
        )
    };
    let opened = (0..callers.count() * warm).map(|number| metadata(callers.turn(number, warm)));
    load::send_all(service, opened.collect(), lanes).await?;

    let all = |make: &dyn Fn(u64) -> Call| (0..rounds).map(make).collect::<Vec<Call>>();
    let person = |number: u64| {
        let at = number % callers.people.len() as u64;
        (
            &callers.people[usize::try_from(at).unwrap_or_default()],
            at * IN_WORKSPACE,
        )
    };
    let next = |number: u64| {
        let at = usize::try_from(number % callers.count()).unwrap_or_default();
        let path = format!("{}&page_token={}", first_page(), callers.next_pages[at]);
        Call::get(path, &callers.admins[at])
    };
    let first_use = |number: u64| {
        let (who, storage) = callers.turn(number, cold);
        // `STEP` and their number have no divisor in common, so each is used once.
        sign(storage + COLD_FROM, who, number)
    };
    let mut kinds: Vec<(&'static str, Vec<Call>)> = vec![
        (
            "get a storage",
            all(&|number| {
                let (who, storage) = callers.turn(number, COLD_FROM);
                Call::get(path(storage), who)
            }),
        ),
        (
            "list storages, first page of 50",
            all(&|number| Call::get(first_page(), callers.turn(number, 1).0)),
        ),
        ("list storages, the page after it", all(&next)),
        (
            "sign a URL, first use of the storage",
            (0..callers.count() * cold).map(first_use).collect(),
        ),
        (
            "sign a URL",
            all(&|number| {
                let (who, storage) = callers.turn(number, warm);
                sign(storage, who, number)
            }),
        ),
        (
            "a file's metadata",
            all(&|number| metadata(callers.turn(number, warm))),
        ),
        (
            "list files",
            all(&|number| {
                let (who, storage) = callers.turn(number, warm);
                Call::get(format!("{}/files", path(storage)), who)
            }),
        ),
        (
            "page of all storages",
            all(&|number| Call::get("/settings/storages".to_owned(), person(number).0)),
        ),
        (
            "page of a storage",
            all(&|number| {
                let (who, storage) = person(number);
                let id = database::storage_id(storage);
                Call::get(format!("/settings/storages/{id}"), who)
            }),
        ),
        (
            "page of files",
            all(&|number| {
                let (who, storage) = person(number);
                let id = database::storage_id(storage);
                Call::get(format!("/storages/{id}/files"), who)
            }),
        ),
    ];
    let check = |number: u64| {
        let (who, storage) = callers.turn(number, warm);
        Call::post(format!("{}/check", path(storage)), who, &json!({}))
    };
    if checks > 0 {
        kinds.push(("check a storage", (0..checks).map(check).collect()));
    }
    let mut times = Vec::new();
    for (name, calls) in kinds {
        times.push((name, load::send_all(service, calls, lanes).await?));
    }
    Ok(times)
}

/// Scheduled checks when those of all storages are due, and are due again as soon as they are made.
async fn all_due(place: &Place, stub: &Stub, time: Duration) -> Outcome<Due> {
    let now = OffsetDateTime::now_utc().unix_timestamp() * 1_000_000;
    place.move_checks(now).await?;
    let service = start(place, stub, &[("SALLYPORT_RECHECK_INTERVAL", "1s")]).await?;
    // Workers begin, and the queues have been measured once more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let made = metric(&service, "sallyport_connection_checks_total").await?;
    let ticks = Ticks::so_far(&service).await?;
    let (cpu, calls) = (service.cpu()?, stub.all_calls().values().sum::<usize>());
    tokio::time::sleep(time).await;
    let made = metric(&service, "sallyport_connection_checks_total").await? - made;
    let cpu = service.cpu()?.saturating_sub(cpu);
    let calls = stub.all_calls().values().sum::<usize>() - calls;
    let lag = metric(&service, "sallyport_checks_lag_seconds").await?;
    let tick = Ticks::so_far(&service).await?.since(&ticks);
    drop(service);
    place.move_checks(FAR_AWAY).await?;
    let each = made.max(1.0);
    Ok(Due {
        a_second: made / time.as_secs_f64(),
        cpu: cpu.div_f64(each),
        calls: calls as f64 / each,
        lag,
        tick,
    })
}

/// How long the report of a check is, as it is stored.
async fn report_size(place: &Place) -> Outcome<f64> {
    let mut raw = place.open().await?;
    let size = raw
        .text("SELECT CAST(LENGTH(steps) AS TEXT) FROM checks LIMIT 1".to_owned())
        .await?;
    raw.close().await?;
    Ok(size.parse()?)
}

fn print_times(engine: &str, all: &[Found]) {
    let (Some(fewest), Some(most)) = (all.first(), all.last()) else {
        return;
    };
    let mut head = row![format!("on {engine}: median / p99")];
    head.extend(
        all.iter()
            .map(|found| format!("{} storages", found.storages)),
    );
    head.extend(row!["ratio of medians", "ratio of p99"]);
    let mut rows = vec![head];
    for (at, (name, few)) in fewest.times.iter().enumerate() {
        let mut cells = row![name];
        for found in all {
            let Some((_, times)) = found.times.get(at) else {
                continue;
            };
            cells.push(format!("{:.2} / {:.2} ms", ms(times.median), ms(times.p99)));
            let curve = format!("{engine}, {name}");
            report::point(&curve, found.storages as f64, ms(times.p99));
        }
        let Some((_, many)) = most.times.get(at) else {
            continue;
        };
        let of = |many: Duration, few: Duration| many.as_secs_f64() / few.as_secs_f64();
        let (medians, slow) = (of(many.median, few.median), of(many.p99, few.p99));
        cells.extend(row![format!("{medians:.2}"), format!("{slow:.2}")]);
        rows.push(cells);
        let title = format!("{engine}, {name}");
        report::ratio(
            &format!("{title}, median"),
            medians,
            Better::Lower,
            Guard::Guarded,
        );
        report::ratio(&format!("{title}, p99"), slow, Better::Lower, Guard::Shown);
    }
    table(
        &format!("scale on {engine}; the goal for the ratio of p99 is {GOAL} at most"),
        &rows,
    );
}

fn print_rest(engine: &str, all: &[Found]) {
    let mut rows = vec![row![
        format!("storages, on {engine}"),
        "start to ready",
        "memory at first",
        "memory after all",
        "database",
        "for each storage",
        "idle CPU for each second",
        "scheduled checks a second, all due",
        "CPU for each check",
        "calls for each check",
        "lag that the metric shows",
        "tick, mean / p99",
    ]];
    let none = || "–".to_owned();
    for found in all {
        let mib = found.size as f64 / f64::from(1 << 20);
        let idle = found.idle.map(|time| format!("{:.1} ms", ms(time)));
        let due = found.due.as_ref();
        rows.push(row![
            found.storages,
            format!("{:.0} ms", ms(found.ready_after)),
            format!("{:.0} MiB", found.memory.0),
            format!("{:.0} MiB", found.memory.1),
            format!("{mib:.0} MiB"),
            format!("{:.1} KiB", mib * 1_024.0 / found.storages as f64),
            idle.unwrap_or_else(none),
            due.map_or_else(none, |due| format!("{:.0}", due.a_second)),
            due.map_or_else(none, |due| format!("{:.1} ms", ms(due.cpu))),
            due.map_or_else(none, |due| format!("{:.1}", due.calls)),
            due.map_or_else(none, |due| format!("{:.0} s", due.lag)),
            due.map_or_else(none, |due| {
                format!("{:.2} / {:.2} ms", ms(due.tick.mean), ms(due.tick.p99))
            }),
        ]);
    }
    table(&format!("what many storages take, on {engine}"), &rows);
    figures(engine, all);
}

/// What `docs/scale.md` works with.
fn figures(engine: &str, all: &[Found]) {
    let (Some(fewest), Some(most)) = (all.first(), all.last()) else {
        return;
    };
    let of = |what: &str| format!("{}_{what}", engine.to_lowercase());
    report::figure(&of("storages"), most.storages as f64);
    report::figure(
        &of("bytes_for_each_storage"),
        most.size as f64 / most.storages as f64,
    );
    report::figure(&of("memory_mib"), most.memory.1);
    report::figure(&of("start_ms"), ms(most.ready_after));
    if let Some(idle) = most.idle {
        report::figure(&of("idle_cpu_ms_a_second"), ms(idle));
    }
    if let (Some(few), Some(many)) = (&fewest.due, &most.due) {
        report::figure(&of("checks_a_second"), many.a_second);
        report::figure(&of("check_cpu_ms"), ms(many.cpu));
        report::figure(&of("calls_for_each_check"), many.calls);
        report::figure(&of("tick_mean_ms"), ms(many.tick.mean));
        report::figure(&of("tick_p99_ms"), ms(many.tick.p99));
        let of_ticks = |many: Duration, few: Duration| many.as_secs_f64() / few.as_secs_f64();
        report::ratio(
            &format!("{engine}, the scheduler's tick, mean"),
            of_ticks(many.tick.mean, few.tick.mean),
            Better::Lower,
            Guard::Guarded,
        );
        report::ratio(
            &format!("{engine}, the scheduler's tick, p99"),
            of_ticks(many.tick.p99, few.tick.p99),
            Better::Lower,
            Guard::Shown,
        );
        report::ratio(
            &format!("{engine}, scheduled checks a second, all due"),
            many.a_second / few.a_second,
            Better::Higher,
            Guard::Guarded,
        );
    }
}
