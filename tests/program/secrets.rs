//! Secrets in files, and what SIGHUP does with them.

use crate::{Service, program, read_until, text};
use sqlx::{ConnectOptions, Connection, Row};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FIRST: &str = "the-first-token-of-these-tests-0123456789";
const SECOND: &str = "the-second-token-of-these-tests-0123456789";

/// A folder with the files of secrets.
struct Secrets(tempfile::TempDir);

impl Secrets {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn status(service: &Service, token: &str) -> String {
    let answer = service.ask_as(token, "GET", "/v1/workspaces", "");
    answer.split_whitespace().nth(1).unwrap().to_owned()
}

/// Sends SIGHUP, and waits until a token is answered like this.
fn after_hang_up(service: &Service, token: &str, expected: &str) {
    service.signal("-HUP");
    let began = Instant::now();
    while status(service, token) != expected {
        assert!(began.elapsed() < Duration::from_secs(10), "{expected}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_operator_s_token_is_replaced_without_an_outage() {
    let secrets = Secrets::new();
    let data = secrets.path("data");
    let token = secrets.write("token", FIRST);
    let previous = secrets.write("previous", "");
    let settings = [
        ("SALLYPORT_OPERATOR_TOKEN_FILE", token.as_str()),
        ("SALLYPORT_OPERATOR_TOKEN_PREVIOUS_FILE", previous.as_str()),
    ];
    let mut service = Service::start_with(data.to_str().unwrap(), &settings);
    assert!(!data.join("operator.token").exists());
    assert_eq!(status(&service, FIRST), "200");
    assert_eq!(status(&service, SECOND), "401");
    // A connection that is open stays open.
    let mut open = service.connect();
    let mut ask = || {
        open.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        read_until(&mut open, "alive");
        read_until(&mut open, "}");
    };
    ask();

    secrets.write("token", SECOND);
    secrets.write("previous", FIRST);
    after_hang_up(&service, SECOND, "200");
    assert_eq!(status(&service, FIRST), "200", "both are taken");
    ask();
    secrets.write("previous", "");
    after_hang_up(&service, FIRST, "401");
    assert_eq!(status(&service, SECOND), "200");

    // What cannot be used changes nothing.
    secrets.write("token", "short");
    service.signal("-HUP");
    let said = read_until(&mut service.log, "those of before stay");
    assert!(!said.contains(FIRST) && !said.contains(SECOND), "{said}");
    assert_eq!(status(&service, SECOND), "200");
    ask();
    service.stop();
}

/// How many master keys the database knows.
fn known_keys(data: &Path) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut raw = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(data.join("sallyport.db"))
            .connect()
            .await
            .unwrap();
        let row = sqlx::query(
            "SELECT count(*) AS number FROM remembered WHERE name LIKE 'master_key_check/%'",
        )
        .fetch_one(&mut raw)
        .await
        .unwrap();
        raw.close().await.unwrap();
        row.get("number")
    })
}

#[test]
fn the_master_key_in_a_file_is_read_again_and_nothing_becomes_unreadable() {
    let old = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let new = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let secrets = Secrets::new();
    let data = secrets.path("data");
    let folder = data.to_str().unwrap();
    let key = secrets.write("key", old);
    let settings = [
        ("SALLYPORT_MASTER_KEY_FILE", key.as_str()),
        ("SALLYPORT_OPERATOR_TOKEN", FIRST),
    ];
    let mut service = Service::start_with(folder, &settings);
    assert_eq!(known_keys(&data), 1);
    secrets.write("key", new);
    service.signal("-HUP");
    let said = read_until(&mut service.log, "read again");
    assert!(said.contains("the master keys were replaced"), "{said}");
    assert_eq!(known_keys(&data), 2);
    assert_eq!(status(&service, FIRST), "200");
    // The same again changes nothing.
    service.signal("-HUP");
    let said = read_until(&mut service.log, "read again");
    assert!(!said.contains("were replaced"), "{said}");
    service.stop();

    // Until everything is sealed with it, the new key alone is not enough.
    let start = || {
        program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", folder])
            .env("SALLYPORT_MASTER_KEY_FILE", &key)
            .output()
            .unwrap()
    };
    let refused = text(&start().stderr);
    assert!(refused.contains("another master key"), "{refused}");
    let previous = secrets.write("previous-keys", old);
    let rekeyed = program(&["rekey", "--data-dir", folder])
        .env("SALLYPORT_MASTER_KEY_FILE", &key)
        .env("SALLYPORT_MASTER_KEY_PREVIOUS_FILE", &previous)
        .output()
        .unwrap();
    assert!(rekeyed.status.success(), "{}", text(&rekeyed.stderr));
    Service::start_with(folder, &settings).stop();
}

#[test]
fn a_file_that_is_not_there_stops_the_start() {
    for (name, file) in [
        ("SALLYPORT_OPERATOR_TOKEN_FILE", "/nowhere/token"),
        ("SALLYPORT_DATABASE_URL_FILE", "/nowhere/url"),
        ("SALLYPORT_MASTER_KEY_FILE", "/nowhere/key"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let output = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
            .env(name, file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}");
        let said = text(&output.stderr);
        assert!(said.contains(file), "{name}: {said}");
    }
}
