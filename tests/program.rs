//! The program itself: its arguments, what it prints, and how it ends.

#![allow(
    clippy::disallowed_methods,
    reason = "these tests wait for processes, in threads without a runtime"
)]

#[path = "program/command_line.rs"]
mod command_line;
#[path = "program/dev.rs"]
mod dev;
#[path = "program/identity.rs"]
mod identity;
#[path = "program/operator.rs"]
mod operator;
#[path = "program/secrets.rs"]
mod secrets;
#[path = "program/starts.rs"]
mod starts;
#[allow(dead_code, reason = "these tests need a part of it only")]
#[path = "it/support/aws/tls.rs"]
mod tls;
#[path = "program/upkeep.rs"]
mod upkeep;
#[allow(dead_code, reason = "these tests need a part of it only")]
#[path = "it/support/aws/wire.rs"]
mod wire;

use sqlx::{ConnectOptions, Connection};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport"));
    command.args(arguments).env_clear();
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_wrong_setting_stops_the_start_with_its_name_and_an_example() {
    let output = program(&["--listen", "nowhere"])
        .env("SALLYPORT_OPERATOR_TOKEN", "hunter2")
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert!(!output.status.success());
    for part in [
        "SALLYPORT_LISTEN (--listen)",
        "`nowhere`",
        "127.0.0.1:8080",
        "SALLYPORT_OPERATOR_TOKEN",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn help_names_every_variable_and_no_value_of_a_secret() {
    let output = program(&["--help"])
        .env("SALLYPORT_OPERATOR_TOKEN", "hunter2")
        .env(
            "SALLYPORT_DATABASE_URL",
            "postgres://me:hunter2@localhost/x",
        )
        .output()
        .unwrap();
    let said = text(&output.stdout);
    for name in [
        "SALLYPORT_LISTEN",
        "SALLYPORT_MASTER_KEY",
        "SALLYPORT_SIGNED_URL_MAX",
        "--log-format",
    ] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_document_is_printed() {
    let output = run(&["openapi"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["paths"]["/v1/workspaces"]["post"].is_object());
}

/// Reads what the program writes until `wanted` comes.
fn read_until(from: &mut impl Read, wanted: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !text(&said).contains(wanted) {
        assert_eq!(from.read(&mut byte).unwrap(), 1, "{}", text(&said));
        said.push(byte[0]);
    }
    text(&said)
}

const OPERATOR: &str = "operator-token-of-the-tests-0123456789";

/// The service as a process.
struct Service {
    child: Child,
    address: String,
    /// Its log until it listened.
    begun: String,
    /// Its log from here on.
    log: ChildStdout,
    stderr: ChildStderr,
}

impl Service {
    fn start(data: &str) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts the service with this data folder, and waits until it listens.
    fn start_with(data: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
            .env("SALLYPORT_DRAIN", "0s")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = child.stdout.take().unwrap();
        let mut said = read_until(&mut log, "listening");
        said += &read_until(&mut log, "\n");
        let address = said
            .rsplit_once("127.0.0.1:")
            .map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap())
            .unwrap();
        Self {
            address: format!("127.0.0.1:{address}"),
            begun: said,
            log,
            stderr: child.stderr.take().unwrap(),
            child,
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Stops the service by a signal, and waits for its orderly end. Gives what it wrote to standard
    /// error.
    fn stop(self) -> String {
        self.stop_after().1
    }

    /// The same, and gives all that it wrote, its log included.
    fn stop_and_tell(self) -> String {
        let (log, said) = self.stop_after();
        log + &said
    }

    fn stop_after(mut self) -> (String, String) {
        self.signal("-TERM");
        // Somebody has to take the rest of the log.
        let mut rest = Vec::new();
        self.log.read_to_end(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut said = Vec::new();
        self.stderr.read_to_end(&mut said).unwrap();
        (self.begun + &text(&rest), text(&said))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// One request by the operator.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        self.ask_as(OPERATOR, method, path, body)
    }

    /// One request with this token.
    fn ask_as(&self, token: &str, method: &str, path: &str, body: &str) -> String {
        let mut stream = self.connect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        text(&answer)
    }
}

/// The operator's token that a first start has put into a file.
fn made_token(data: &Path) -> String {
    let token = std::fs::read_to_string(data.join("operator.token")).unwrap();
    token.trim().to_owned()
}

#[test]
fn the_first_start_makes_the_key_and_the_operator_s_token_and_a_signal_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Service::start(data);
    // Nobody looks at a terminal here, so it is in a file, and in no log.
    let token = made_token(folder.path());
    assert_eq!(
        (token.len(), token.starts_with("spt_")),
        (47, true),
        "{token}"
    );
    let answer = service.ask_as(&token, "GET", "/v1/workspaces", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let said = service.stop_and_tell();
    assert!(said.contains("operator.token"), "{said}");
    assert!(!said.contains("spt_"), "{said}");
    for file in ["master.key", "operator.token"] {
        let file = std::fs::metadata(folder.path().join(file)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    std::fs::remove_file(folder.path().join("operator.token")).unwrap();
    Service::start(data).stop();
    assert!(!folder.path().join("operator.token").exists());
}

#[test]
fn a_running_service_is_healthy_for_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path().to_str().unwrap());
    let check = run(&["healthcheck", "--listen", &service.address]);
    assert!(check.status.success());
    service.stop();
    let output = run(&["healthcheck", "--listen", "127.0.0.1:9"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no answer"));
}

/// The log goes to standard output, each line of JSON with the request's span once; nothing of it goes to
/// standard error.
#[test]
fn the_log_is_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let json = [
        ("SALLYPORT_LOG_FORMAT", "json"),
        ("SALLYPORT_OPERATOR_TOKEN", OPERATOR),
    ];
    let mut service = Service::start_with(folder.path().to_str().unwrap(), &json);
    service.ask("GET", "/v1/workspaces", "");
    let mut line = read_until(&mut service.log, "\"answered\"");
    line += &read_until(&mut service.log, "\n");
    let line = line.lines().last().unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["fields"]["remote_addr"], "127.0.0.1", "{line}");
    assert!(line["span"]["request_id"].is_string(), "{line}");
    assert!(line.get("spans").is_none(), "{line}");
    assert_eq!(service.stop(), "");
}

#[test]
fn a_log_that_nobody_reads_stops_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(folder.path().to_str().unwrap());
    let mut stream = service.connect();
    stream.set_nodelay(true).unwrap();
    // More lines than the pipe and the queue hold.
    let ask = b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let began = Instant::now();
    for _ in 0..6_000 {
        stream.write_all(ask).unwrap();
        // Each answer has the same length, and comes in one piece as a rule.
        let mut answer = [0; 4_096];
        let mut length = stream.read(&mut answer).unwrap();
        while !answer[..length].ends_with(b"}") {
            length += stream.read(&mut answer[length..]).unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 404"), "{}", text(&answer));
    }
    assert!(began.elapsed() < Duration::from_secs(60));
    let metrics = service.ask("GET", "/metrics", "");
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sallyport_log_lines_dropped_total "))
        .unwrap();
    assert!(dropped.parse::<f64>().unwrap() > 0.0, "{dropped}");
    // It stops all the same.
    service.signal("-TERM");
    let began = Instant::now();
    assert!(service.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_stop_with_open_connections_takes_the_drain_and_little_more() {
    let folder = tempfile::tempdir().unwrap();
    let drain = [("SALLYPORT_DRAIN", "2s")];
    let mut service = Service::start_with(folder.path().to_str().unwrap(), &drain);
    let mut idle = service.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    read_until(&mut idle, "alive");
    let began = Instant::now();
    service.signal("-TERM");
    std::thread::sleep(Duration::from_millis(500));
    let ready = service.ask("GET", "/readyz", "");
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("being stopped"),
        "{ready}"
    );
    assert!(service.child.wait().unwrap().success());
    let took = began.elapsed();
    let expected = Duration::from_secs(2)..Duration::from_secs(6);
    assert!(expected.contains(&took), "{took:?}");
}

#[test]
fn from_a_terminal_a_stop_does_not_wait_for_load_balancers() {
    let folder = tempfile::tempdir().unwrap();
    let drain = [("SALLYPORT_DRAIN", "20s")];
    let mut service = Service::start_with(folder.path().to_str().unwrap(), &drain);
    let began = Instant::now();
    service.signal("-INT");
    assert!(service.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn plain_http_to_other_machines_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(&["serve", "--listen", "0.0.0.0:0"])
        .env("SALLYPORT_DATA_DIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = read_until(&mut child.stdout.take().unwrap(), "listening");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        said.contains("WARN") && said.contains("SALLYPORT_PUBLIC_URL is not https"),
        "{said}"
    );
}

/// A process that is killed in the middle of a change leaves what it was about to do; the next one makes an
/// entry of it.
#[test]
fn a_change_that_was_cut_off_by_a_kill_is_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let token = [("SALLYPORT_OPERATOR_TOKEN", OPERATOR)];
    let mut service = Service::start_with(data, &token);
    let mut stream = service.connect();
    // Its body never ends, so it is under way when the process is killed.
    let head = format!(
        "POST /v1/workspaces HTTP/1.1\r\nHost: x\r\nX-Request-Id: cut-off-5d1f\r\nAuthorization: Bearer {OPERATOR}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let began = Instant::now();
    let is_begun = || {
        let metrics = service.ask("GET", "/metrics", "");
        metrics.contains("sallyport_http_requests_in_flight 2")
    };
    while !is_begun() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    // Long enough to be written down.
    std::thread::sleep(Duration::from_millis(500));
    service.signal("-KILL");
    service.child.wait().unwrap();
    // As if minutes had passed, after which a process counts as gone.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let left = runtime.block_on(async {
        let file = folder.path().join("sallyport.db");
        let mut raw = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(file)
            .connect()
            .await
            .unwrap();
        let aged = sqlx::query("UPDATE audit_intents SET seen_at = 0")
            .execute(&mut raw)
            .await
            .unwrap();
        raw.close().await.unwrap();
        aged.rows_affected()
    });
    assert_eq!(left, 1);

    let service = Service::start_with(data, &token);
    let began = Instant::now();
    let event = loop {
        let answer = service.ask("GET", "/v1/audit-events", "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let log: serde_json::Value = serde_json::from_str(body).unwrap();
        if let Some(event) = log["audit_events"].get(0) {
            break event.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(event["request_id"], "cut-off-5d1f", "{event}");
    assert_eq!(event["action"], "create_workspace");
    assert_eq!(event["actor"], "operator");
    assert_eq!(event["result"], "failed");
    assert_eq!(event["code"], "outcome_unknown");
    service.stop();
}

#[test]
fn the_database_s_commands_work_beside_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Service::start(data);
    let token = made_token(folder.path());

    let replaced = run(&["operator-token", "--replace", "--data-dir", data]);
    assert!(replaced.status.success(), "{}", text(&replaced.stderr));
    let new = text(&replaced.stdout).trim().to_owned();
    assert_eq!((new.len(), new != token), (47, true));
    // Nothing takes the token in the file any more, so the file goes.
    assert!(!folder.path().join("operator.token").exists());
    assert!(text(&replaced.stderr).contains("operator.token` was removed"));
    let given = program(&["operator-token", "--replace", "--data-dir", data])
        .env(
            "SALLYPORT_OPERATOR_TOKEN",
            "0123456789abcdef0123456789abcdef",
        )
        .output()
        .unwrap();
    assert!(!given.status.success());
    assert!(text(&given.stderr).contains("SALLYPORT_OPERATOR_TOKEN"));

    let rekeyed = run(&["rekey", "--data-dir", data]);
    assert!(rekeyed.status.success(), "{}", text(&rekeyed.stderr));
    assert!(text(&rekeyed.stdout).contains("secrets of storages: 0 sealed"));

    let file = folder.path().join("audit.jsonl");
    let export = |more: &[&str]| {
        let mut all = vec![
            "audit",
            "export",
            "--before",
            "2020-01-01",
            "--data-dir",
            data,
        ];
        all.extend(more);
        run(&all)
    };
    let unsafe_one = export(&["--delete"]);
    assert!(!unsafe_one.status.success());
    let exported = export(&["--delete", "--output", file.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(text(&exported.stderr).contains("0 entries exported"));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // An export of before is never overwritten.
    assert!(
        !export(&["--output", file.to_str().unwrap()])
            .status
            .success()
    );
    service.stop();
}
