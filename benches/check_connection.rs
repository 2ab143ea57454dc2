//! The connection check over a slow way: how many round trips it takes, beside a program that makes the same calls one
//! after the other with the SDK, and a script that makes them with botocore.
//!
//! BENCH_DELAY_MS (50) each way, BENCH_CHECKS (10) of each kind. BENCH_PYTHON (that of the test tools) runs the script;
//! where it is absent, the script is left out.

mod support;

use aws_sdk_s3::primitives::ByteStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::report::{self, Better, Guard};
use support::stub::{ACCOUNT, BUCKET, ROLE, Stub};
use support::{
    Dialog, Outcome, Service, amount, median, ms, proxy, row, s3_client, sdk_config, table,
};

const EXTERNAL_ID: &str = "4fd2fb9c-5bd3-4dfc-a9a2-0b2cbb0a4b1b";
const ORIGIN: &str = "https://app.example.com";

fn main() -> Outcome<()> {
    support::run(bench())
}

async fn bench() -> Outcome<()> {
    let delay = Duration::from_millis(amount("BENCH_DELAY_MS", 50)?);
    let checks = amount("BENCH_CHECKS", 10)?;
    let stub = Stub::start().await?;
    let url = format!("http://{}", proxy::start(stub.address, delay).await?);

    let script = Script::new(&url);
    let round_trip = script.round_trip(checks).await?;
    let mut rows = vec![row![
        "access",
        "wall time",
        "round trips",
        "goal",
        "SDK, one call after the other",
        "botocore, one call after the other",
    ]];
    for (access, goal) in [("read", "3.1"), ("read_write", "3.15")] {
        let service = Service::start(&url).await?;
        let dialog = Dialog::open(&service, &stub, access).await?;
        // The first ones open the connections.
        for _ in 0..2 {
            dialog.check(&service).await?;
        }
        let mut times = Vec::new();
        for _ in 0..checks {
            let began = Instant::now();
            dialog.check(&service).await?;
            times.push(began.elapsed());
        }
        let ours = median(times);
        drop(service);

        stub.trust(EXTERNAL_ID);
        script.run(access).await?;
        let mut times = Vec::new();
        for _ in 0..checks.min(3) {
            let began = Instant::now();
            script.run(access).await?;
            times.push(began.elapsed());
        }
        let theirs = median(times);
        let boto = by_boto(&url, access, checks.min(3)).await?;
        let trips = |time: Duration| time.as_secs_f64() / round_trip.as_secs_f64();
        let beside = |time: Duration| {
            let times = trips(time) / trips(ours);
            format!("{:.2} round trips ({times:.1} times as long)", trips(time))
        };
        let name = |what: &str| format!("check for {access}, {what}");
        report::ratio(
            &name("round trips"),
            trips(ours),
            Better::Lower,
            Guard::Guarded,
        );
        report::ratio(
            &name("the SDK one after the other, to it"),
            trips(theirs) / trips(ours),
            Better::Higher,
            Guard::Guarded,
        );
        if let Some(boto) = boto {
            report::ratio(
                &name("botocore one after the other, to it"),
                trips(boto) / trips(ours),
                Better::Higher,
                Guard::Guarded,
            );
        }
        rows.push(row![
            access,
            format!("{:.0} ms", ms(ours)),
            format!("{:.2}", trips(ours)),
            goal,
            beside(theirs),
            boto.map_or_else(|| "not measured here".to_owned(), beside),
        ]);
    }
    table(
        &format!(
            "check connection, {} ms added each way, round trip of one warm call {:.1} ms",
            delay.as_millis(),
            ms(round_trip)
        ),
        &rows,
    );
    Ok(())
}

/// The same calls by a script. `None` where there is nothing that runs it.
async fn by_boto(url: &str, access: &str, times: u64) -> Outcome<Option<Duration>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("BENCH_PYTHON")
        .map_or_else(|| root.join(".build/emulator/bin/python"), PathBuf::from);
    if !python.exists() {
        eprintln!(
            "no {}: the script with botocore is left out",
            python.display()
        );
        return Ok(None);
    }
    let times = times.to_string();
    let mut command = Command::new(python);
    command
        .arg("-B")
        .arg(root.join("benches/check_by_boto.py"))
        .args([
            url,
            access,
            times.as_str(),
            ROLE,
            EXTERNAL_ID,
            BUCKET,
            ACCOUNT,
        ])
        .env("AWS_EC2_METADATA_DISABLED", "true");
    // Beside the stub and the proxy, which are on this runtime.
    let done = tokio::task::spawn_blocking(move || command.output()).await??;
    if !done.status.success() {
        let why = String::from_utf8_lossy(&done.stderr);
        return Err(format!("the script with botocore: {why}").into());
    }
    let text = String::from_utf8(done.stdout)?;
    let mut times = Vec::new();
    for line in text.lines() {
        times.push(Duration::from_secs_f64(line.trim().parse()?));
    }
    Ok(Some(median(times)))
}

/// The same calls, as a plain program makes them.
struct Script {
    sts: aws_sdk_sts::Client,
    s3: aws_sdk_s3::Client,
    http: reqwest::Client,
    object_url: String,
}

impl Script {
    fn new(url: &str) -> Self {
        let sdk = sdk_config(url);
        Self {
            sts: aws_sdk_sts::Client::new(&sdk),
            s3: s3_client(&sdk),
            http: reqwest::Client::new(),
            object_url: format!("{url}/{BUCKET}/team/temp/probe"),
        }
    }

    async fn round_trip(&self, times: u64) -> Outcome<Duration> {
        self.sts.get_caller_identity().send().await?;
        let mut taken = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            self.sts.get_caller_identity().send().await?;
            taken.push(began.elapsed());
        }
        Ok(median(taken))
    }

    async fn run(&self, access: &str) -> Outcome<()> {
        for external_id in [Some(EXTERNAL_ID), None, Some("wrong")] {
            let call = self
                .sts
                .assume_role()
                .role_arn(ROLE)
                .role_session_name("script");
            let answer = call
                .set_external_id(external_id.map(str::to_owned))
                .send()
                .await;
            if answer.is_ok() != (external_id == Some(EXTERNAL_ID)) {
                return Err("the role answers otherwise than it should".into());
            }
        }
        let s3 = &self.s3;
        s3.get_bucket_location().bucket(BUCKET).send().await?;
        let owned = s3.get_bucket_location().bucket(BUCKET);
        owned.expected_bucket_owner(ACCOUNT).send().await?;
        let list = s3.list_objects_v2().bucket(BUCKET).prefix("team/");
        list.max_keys(10).send().await?;
        let methods: &[&str] = match access {
            "read" => &["GET", "HEAD"],
            _ => &["GET", "HEAD", "PUT", "POST", "DELETE"],
        };
        for method in methods {
            self.http
                .request(reqwest::Method::OPTIONS, &self.object_url)
                .header("origin", ORIGIN)
                .header("access-control-request-method", *method)
                .send()
                .await?;
        }
        let object = s3.get_object().bucket(BUCKET).key("team/1024.bin");
        object
            .range("bytes=0-0")
            .send()
            .await?
            .body
            .collect()
            .await?;
        if access == "read_write" {
            let probe = || (BUCKET, "team/temp/probe");
            let (bucket, key) = probe();
            let put = s3.put_object().bucket(bucket).key(key);
            put.body(ByteStream::from_static(b"x")).send().await?;
            let (bucket, key) = ("customers-bucket", "team/1024.bin");
            s3.get_object().bucket(bucket).key(key).send().await?;
            let (bucket, key) = probe();
            s3.delete_object().bucket(bucket).key(key).send().await?;
        }
        Ok(())
    }
}
