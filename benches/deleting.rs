//! Many keys deleted: through the service, and by the plain SDK in batches of 1,000.
//!
//! BENCH_KEYS (100000), BENCH_RUNS (3).

mod support;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::{BUCKET, Stub};
use support::{
    Outcome, Service, amount, connect_for, cpu, median, row, s3_client, sdk_config, table,
};

/// How many keys one call of the service takes.
const CALL: usize = 10_000;
/// How many one call of S3 takes.
const BATCH: usize = 1_000;
/// How many such calls the service has under way.
const AT_ONCE: usize = 4;

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let count = usize::try_from(amount("BENCH_KEYS", 100_000)?)?;
    let runs = amount("BENCH_RUNS", 3)?.max(1);
    let stub = Stub::start_apart()?;
    let service = Service::start(&stub.url()).await?;
    let (storage, token) = connect_for(&service, &stub, "read_write").await?;
    let s3 = s3_client(&sdk_config(&stub.url()));
    let keys: Vec<String> = (0..count)
        .map(|n| format!("/folder-{:06}/image {:03}.png", n / 1_000, n % 1_000))
        .collect();

    let path = format!("{storage}/files/delete");
    let few = &keys[..count.min(BATCH)];
    through(&service, &stub, &path, &token, few).await?;
    by_the_sdk(&s3, &stub, few, AT_ONCE).await?;
    let memory = service.memory("VmHWM:")?;

    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut used = [Duration::ZERO; 3];
    for _ in 0..runs {
        let began = service.cpu()?;
        times[0].push(through(&service, &stub, &path, &token, &keys).await?);
        used[0] += service.cpu()?.saturating_sub(began);
        for (at, at_once) in [(1, AT_ONCE), (2, 1)] {
            let began = cpu::here()?;
            times[at].push(by_the_sdk(&s3, &stub, &keys, at_once).await?);
            used[at] += cpu::here()?.saturating_sub(began);
        }
    }
    let times = times.map(median);

    let each_second = |time: Duration| count as f64 / time.as_secs_f64();
    let mut rows = vec![row![
        "how",
        "keys",
        "time",
        "keys a second",
        "service to it",
        "CPU for each 1,000 keys",
    ]];
    let names = [
        "through the service (its own CPU; the client's is not in it)",
        "plain SDK, 4 batches at once as the service does",
        "plain SDK, one batch after the other",
    ];
    for ((how, time), cpu) in names.iter().zip(times).zip(used) {
        rows.push(row![
            how,
            count,
            format!("{:.2} s", time.as_secs_f64()),
            format!("{:.0}", each_second(time)),
            format!("{:.2}", each_second(times[0]) / each_second(time)),
            format!(
                "{:.2} ms",
                cpu.as_secs_f64() * 1e6 / (count as u64 * runs) as f64
            ),
        ]);
    }
    table("deleting", &rows);
    report::ratio(
        "deleting, keys a second to the plain SDK with 4 batches at once",
        times[1].as_secs_f64() / times[0].as_secs_f64(),
        Better::Higher,
        Guard::Guarded,
    );
    table(
        "the service's memory at most",
        &[
            row![
                format!("after {} keys", few.len()),
                format!("{memory:.1} MiB")
            ],
            row![
                format!("after {runs} times {count} keys"),
                format!("{:.1} MiB", service.memory("VmHWM:")?)
            ],
        ],
    );
    Ok(())
}

async fn through(
    service: &Service,
    stub: &Stub,
    path: &str,
    token: &str,
    keys: &[String],
) -> Outcome<Duration> {
    let before = stub.deleted();
    let began = Instant::now();
    for some in keys.chunks(CALL) {
        let body = json!({"keys": some});
        let answer = service.send(Method::POST, path, token, &body).await?;
        if answer["deleted"].as_array().map(Vec::len) != Some(some.len()) {
            return Err(format!("not all were deleted: {}", answer["errors"]).into());
        }
    }
    let took = began.elapsed();
    all(stub, before, keys)?;
    Ok(took)
}

async fn by_the_sdk(
    s3: &aws_sdk_s3::Client,
    stub: &Stub,
    keys: &[String],
    at_once: usize,
) -> Outcome<Duration> {
    let before = stub.deleted();
    let began = Instant::now();
    stream::iter(keys.chunks(BATCH))
        .map(|batch| async move {
            let objects = batch
                .iter()
                .map(|key| {
                    ObjectIdentifier::builder()
                        .key(format!("team{key}"))
                        .build()
                })
                .collect::<Result<Vec<_>, _>>()?;
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true);
            let answer = s3.delete_objects().bucket(BUCKET).delete(delete.build()?);
            match answer.send().await?.errors().first() {
                None => Outcome::Ok(()),
                Some(error) => Err(format!("not deleted: {error:?}").into()),
            }
        })
        .buffer_unordered(at_once)
        .try_collect::<()>()
        .await?;
    let took = began.elapsed();
    all(stub, before, keys)?;
    Ok(took)
}

/// Fails unless the stub was asked to delete that many.
fn all(stub: &Stub, before: usize, keys: &[String]) -> Outcome<()> {
    match stub.deleted() - before == keys.len() {
        true => Ok(()),
        false => Err("the store was not asked for every key".into()),
    }
}
