//! Scheduled checks: how many storages one replica checks in a minute, and what each check costs.
//!
//! BENCH_STORAGES (600), each of a workspace of its own and due a second after its last check; BENCH_DELAY_MS (25)
//! added each way to AWS; BENCH_SECONDS (45) of measuring. There must be more storages than the workers check in a
//! second, or the workers rest and the rate is that of the storages: then it fails.

mod support;

use futures_util::{StreamExt, TryStreamExt, stream};
use std::time::Duration;
use support::stub::Stub;
use support::{Outcome, Service, amount, connect_for, metric, proxy, report, row, table};

const CHECKS: &str = "sallyport_connection_checks_total";
/// The service counts these every 15 seconds.
const OVERDUE: &str = "sallyport_checks_overdue";
/// How many storages are connected at the same time.
const CONNECTING: usize = 16;
/// After how long the first check of a new storage is due.
const FIRST_CHECK_AFTER: Duration = Duration::from_secs(62);

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let storages = amount("BENCH_STORAGES", 600)?;
    let seconds = amount("BENCH_SECONDS", 45)?;
    let delay = Duration::from_millis(amount("BENCH_DELAY_MS", 25)?);
    let mut rows = vec![row![
        "access",
        "checks a minute",
        "CPU for each check",
        "calls for each check"
    ]];
    let mut details = Vec::new();
    for access in ["read", "read_write"] {
        let stub = Stub::start().await?;
        let url = format!("http://{}", proxy::start(stub.address, delay).await?);
        let service = Service::start_with(&url, &[("SALLYPORT_RECHECK_INTERVAL", "1s")]).await?;
        let one = |_| connect_for(&service, &stub, access);
        let connecting = stream::iter(0..storages).map(one);
        let connected = connecting.buffer_unordered(CONNECTING);
        connected.try_for_each(|_| async { Ok(()) }).await?;
        tokio::time::sleep(FIRST_CHECK_AFTER).await;
        let (checks, cpu, calls) = (
            metric(&service, CHECKS).await?,
            service.cpu()?,
            stub.all_calls(),
        );
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let made = metric(&service, CHECKS).await? - checks;
        let cpu = service.cpu()? - cpu;
        if metric(&service, OVERDUE).await? == 0.0 {
            return Err("the workers rested: more storages are needed".into());
        }
        let made_of: Vec<(&str, f64)> = stub
            .all_calls()
            .into_iter()
            .map(|(name, now)| (name, now - calls.get(name).copied().unwrap_or(0)))
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| (name, number as f64 / made))
            .collect();
        let total: f64 = made_of.iter().map(|(_, number)| number).sum();
        report::figure(&format!("{access}_checks_a_second"), made / seconds as f64);
        report::figure(&format!("{access}_calls_for_each_check"), total);
        for (name, number) in &made_of {
            report::figure(&format!("{access}_{name}_for_each_check"), *number);
        }
        rows.push(row![
            access,
            format!("{:.0}", made * 60.0 / seconds as f64),
            format!("{:.1} ms", cpu.as_secs_f64() * 1_000.0 / made),
            format!("{total:.1}"),
        ]);
        let of_each: Vec<String> = made_of
            .iter()
            .map(|(name, number)| format!("{name} {number:.1}"))
            .collect();
        details.push(format!("{access}: {}", of_each.join(", ")));
    }
    table(
        &format!(
            "scheduled checks of {} storages, {} ms added each way",
            storages,
            delay.as_millis()
        ),
        &rows,
    );
    for line in details {
        println!("  {line}");
    }
    Ok(())
}
