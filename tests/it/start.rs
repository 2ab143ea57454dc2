//! Starting the program: settings, keys, and what it prints.

use crate::api_support::{OPERATOR, TestApp, no_aws};
use reqwest::Method;
use sallyport::settings::{Options, Settings};
use sallyport::startup;
use sallyport::startup::StartError;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

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

fn options(folder: &Path) -> Options {
    Options {
        listen: Some("127.0.0.1:0".into()),
        data_dir: folder.to_str().map(str::to_owned),
        operator_token: Some(OPERATOR.into()),
        ..Options::default()
    }
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

#[test]
fn the_first_start_makes_the_key_and_the_operator_s_token_and_a_signal_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || {
        let mut child = program(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let mut said = read_until(&mut stderr, "listening");
        said += &read_until(&mut stderr, "\n");
        (child, stderr, said)
    };
    let stop = |mut child: std::process::Child| {
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(child.wait().unwrap().success());
    };
    let (child, _stderr, said) = start();
    let token = said.split_whitespace().find(|w| w.starts_with("spt_"));
    assert_eq!(token.map(str::len), Some(47), "{said}");
    let key = std::fs::metadata(folder.path().join("master.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    stop(child);

    let (child, _stderr, said) = start();
    assert!(!said.contains("spt_"), "{said}");
    stop(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_is_healthy_for_the_program() {
    let app = TestApp::spawn().await;
    let address = app.address.to_string();
    let check = move |address: String| {
        tokio::task::spawn_blocking(move || run(&["healthcheck", "--listen", &address]))
    };
    assert!(check(address).await.unwrap().status.success());
    let output = check("127.0.0.1:9".into()).await.unwrap();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no answer"));
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |key: Option<&str>| {
        let mut options = options(folder.path());
        options.master_key = key.map(str::to_owned);
        startup::build_with(Settings::parse(options).unwrap(), &no_aws())
            .await
            .map(|_| ())
    };
    start(None).await.unwrap();
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let refused = start(Some(other)).await.unwrap_err();
    assert!(matches!(refused, StartError::WrongMasterKey), "{refused}");
    assert!(!refused.to_string().contains(other));
    let kept = std::fs::read_to_string(folder.path().join("master.key")).unwrap();
    start(Some(kept.trim())).await.unwrap();

    std::fs::write(folder.path().join("master.key"), "damaged").unwrap();
    let refused = start(None).await.unwrap_err();
    assert!(
        matches!(refused, StartError::MasterKeyFile { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let app = TestApp::spawn().await;
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.listen = Some(app.address.to_string());
    let refused = startup::build_with(Settings::parse(options).unwrap(), &no_aws())
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains(&app.address.to_string()),
        "{refused}"
    );
}

#[tokio::test]
async fn data_stays_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let first = TestApp::spawn_with(|o| o.data_dir = Some(path.clone())).await;
    let workspace = first.workspace().await;
    first.stop().await.unwrap();
    let second = TestApp::spawn_with(|o| o.data_dir = Some(path)).await;
    second
        .send_text(Method::GET, "/v1/audit-events", &workspace.admin, "")
        .await
        .expect(200);
}
