//! Many requests at once on a storage without a session: one AssumeRole serves them all.
//!
//! BENCH_REQUESTS (1000).

mod support;

use futures_util::future::join_all;
use reqwest::Method;
use std::time::{Duration, Instant};
use support::stub::Stub;
use support::{Outcome, Service, amount, connect, ms, report, row, table};

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let requests = amount("BENCH_REQUESTS", 1_000)?;
    let stub = Stub::start().await?;
    let service = Service::start(&stub.url()).await?;
    let (storage, token) = connect(&service, &stub).await?;
    // Slow enough that every request comes while the session is being made.
    let sts = Duration::from_millis(500);
    stub.slow_down_sts(sts);
    let path = format!("{storage}/files/metadata?key=%2F1024.bin");
    let mut rows = vec![row![
        "storage",
        "requests",
        "AssumeRole calls",
        "time",
        "all answered 200"
    ]];
    for state in ["cold", "warm"] {
        let before = stub.calls("AssumeRole");
        let began = Instant::now();
        let answers = join_all((0..requests).map(|_| async {
            let answer = service.request(Method::GET, &path, &token).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        }))
        .await;
        let took = began.elapsed();
        let calls = stub.calls("AssumeRole") - before;
        report::figure(&format!("{state}_assume_role_calls"), calls as f64);
        let good = answers.iter().filter(|good| **good).count();
        rows.push(row![
            state,
            requests,
            calls,
            format!("{:.0} ms", ms(took)),
            if good == answers.len() {
                "yes".to_owned()
            } else {
                format!("{good}")
            },
        ]);
    }
    table(
        &format!(
            "concurrent requests; AssumeRole takes {} ms",
            sts.as_millis()
        ),
        &rows,
    );
    Ok(())
}
