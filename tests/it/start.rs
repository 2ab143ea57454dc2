//! Starting the service: settings, keys, and what it prints.

use crate::it::support::app::{OPERATOR, TestApp, logs, no_aws};
use crate::settings::{Options, Settings};
use crate::startup;
use crate::startup::StartError;
use reqwest::Method;
use std::path::Path;

fn options(folder: &Path) -> Options {
    Options {
        listen: Some("127.0.0.1:0".into()),
        data_dir: folder.to_str().map(str::to_owned),
        operator_token: Some(OPERATOR.into()),
        ..Options::default()
    }
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

/// Whoever forgot it finds out at the start, and not by calls to another Region.
#[tokio::test]
async fn a_region_that_is_not_configured_is_logged() {
    let mut aws = no_aws().into_builder();
    aws.set_region(None::<aws_config::Region>);
    let _app = TestApp::spawn_on(&aws.build(), |_| {}).await;
    let logs = logs();
    let warning = logs
        .lines()
        .find(|line| line.contains("no AWS Region is configured"))
        .unwrap();
    assert!(
        warning.contains("WARN") && warning.contains("us-east-1"),
        "{warning}"
    );
}
