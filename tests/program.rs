//! The program itself: its arguments, what it prints, and how it ends.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

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

/// Reads the program's standard error until `wanted` comes.
fn read_until(from: &mut impl Read, wanted: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !text(&said).contains(wanted) {
        assert_eq!(from.read(&mut byte).unwrap(), 1, "{}", text(&said));
        said.push(byte[0]);
    }
    text(&said)
}

/// Starts the service with this data folder. Returns the process, its standard error, and what it said
/// until it listened.
fn start(data: &str) -> (Child, ChildStderr, String) {
    let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut said = read_until(&mut stderr, "listening");
    said += &read_until(&mut stderr, "\n");
    (child, stderr, said)
}

/// Stops the service by a signal, and waits for its orderly end.
fn stop(mut child: Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_first_start_makes_the_key_and_the_operator_s_token_and_a_signal_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (child, _stderr, said) = start(data);
    let token = said.split_whitespace().find(|w| w.starts_with("spt_"));
    assert_eq!(token.map(str::len), Some(47), "{said}");
    let key = std::fs::metadata(folder.path().join("master.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    stop(child);

    let (child, _stderr, said) = start(data);
    assert!(!said.contains("spt_"), "{said}");
    stop(child);
}

#[test]
fn a_running_service_is_healthy_for_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (child, _stderr, said) = start(folder.path().to_str().unwrap());
    let (_, address) = said.rsplit_once("address=").unwrap();
    let address = address.split_whitespace().next().unwrap();
    assert!(run(&["healthcheck", "--listen", address]).status.success());
    stop(child);
    let output = run(&["healthcheck", "--listen", "127.0.0.1:9"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no answer"));
}

#[test]
fn the_database_s_commands_work_beside_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (child, _stderr, said) = start(data);
    let token = said.split_whitespace().find(|w| w.starts_with("spt_"));

    let replaced = run(&["operator-token", "--replace", "--data-dir", data]);
    assert!(replaced.status.success(), "{}", text(&replaced.stderr));
    let new = text(&replaced.stdout).trim().to_owned();
    assert_eq!((new.len(), Some(new.as_str()) != token), (47, true));
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
    stop(child);
}
