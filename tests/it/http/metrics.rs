//! What `/metrics` says, and in which form.

use crate::it::support::app::{Answer, TestApp};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use reqwest::Method;
use reqwest::header::ACCEPT;
use std::collections::BTreeSet;

async fn metrics(app: &TestApp, accept: &str) -> Answer {
    let request = app.request(Method::GET, "/metrics", "");
    let answer = Answer::of(request.header(ACCEPT, accept)).await;
    assert_eq!(answer.status, 200);
    answer
}

const CLASSIC: &str = "text/plain;version=0.0.4";
const OPEN: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

#[tokio::test]
async fn the_format_is_what_the_client_asks_for() {
    let app = TestApp::spawn().await;
    let classic = metrics(&app, CLASSIC).await;
    let content_type = classic.header("content-type").unwrap();
    assert!(content_type.starts_with("text/plain; version=0.0.4"));
    assert!(!classic.text.contains("# EOF"));
    let line = "# TYPE sallyport_connection_checks_total counter\n";
    assert!(classic.text.contains(line), "{}", classic.text);
    let open = metrics(&app, OPEN).await;
    let content_type = open.header("content-type").unwrap();
    assert!(content_type.starts_with("application/openmetrics-text"));
    assert!(open.text.ends_with("# EOF\n"));
}

/// As `promtool check metrics` wants it: each sample belongs to a family with help and type.
#[tokio::test]
async fn every_metric_has_help_and_a_type() {
    let app = TestApp::spawn().await;
    let text = metrics(&app, CLASSIC).await.text;
    let named = |marker: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix(marker)?.split(' ').next())
            .map(str::to_owned)
            .collect()
    };
    let (helped, typed) = (named("# HELP "), named("# TYPE "));
    assert_eq!(helped, typed);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end).filter(|name| typed.contains(*name)));
        assert!(typed.contains(family.unwrap_or(name)), "{line}");
    }
}

#[tokio::test]
async fn values_exist_before_their_first_event() {
    let app = TestApp::spawn().await;
    let text = metrics(&app, CLASSIC).await.text;
    for line in [
        "sallyport_assumed_roles_total{result=\"failed\"} 0",
        "sallyport_connection_checks_total{outcome=\"failed\"} 0",
        "sallyport_http_problems_total{code=\"database_unavailable\"} 0",
        "sallyport_aws_requests_total{service=\"S3\",operation=\"GetObject\",result=\"failed\"} 0",
        "sallyport_aws_request_duration_seconds_count{service=\"STS\",operation=\"AssumeRole\",result=\"failed\"} 0",
        "sallyport_storages{health=\"broken\"} 0",
        "sallyport_imports{state=\"failed\"} 0",
        "sallyport_scheduled_checks_lag_seconds 0",
        "sallyport_transfers_in_flight 0",
        "sallyport_transfer_bytes_total{direction=\"upload\"} 0",
        "sallyport_transfer_bytes_total{direction=\"download\"} 0",
        "sallyport_downloads_broken_off_total{by=\"bucket\"} 0",
        "sallyport_http_responses_total{class=\"5xx\"} 0",
        "sallyport_http_problems_total{code=\"unauthenticated\"} 0",
        "sallyport_database_pool{state=\"used\"} ",
        "process_start_time_seconds ",
        "sallyport_role_sessions_needed_total{found=\"no\"} 0",
        "sallyport_jobs_waiting{kind=\"import\"} 0",
        "sallyport_jobs_running{kind=\"check\"} 0",
        "sallyport_job_claim_duration_seconds_count{kind=\"check\"} ",
        "sallyport_job_turns_total{kind=\"check\",result=\"failed\"} 0",
        "sallyport_log_lines_dropped_total 0",
        "sallyport_database_connections_limit 8",
        "sallyport_database_connections_taken_total ",
        "sallyport_rows_needed_total{found=\"yes\"} ",
        "sallyport_rows_needed_total{found=\"no\"} ",
        "sallyport_changes_age_seconds ",
        "sallyport_build_info{version=\"",
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_max_fds ",
        "sallyport_database_connections{state=\"idle\"} ",
    ] {
        assert!(text.contains(&format!("\n{line}")), "{line}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_aws_are_counted_by_operation_and_result() {
    let place = Scene::on(Emulator).connect().await;
    place.storage.put("/a.txt", "x").await;
    let value = async |name: &str| -> u64 {
        let text = metrics(&place.app, CLASSIC).await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("{name}: {text}"));
        value.trim().parse().unwrap()
    };
    let got =
        "sallyport_aws_requests_total{service=\"S3\",operation=\"GetObject\",result=\"done\"}";
    let refused =
        "sallyport_aws_requests_total{service=\"S3\",operation=\"GetObject\",result=\"refused\"}";
    let (done_before, refused_before) = (value(got).await, value(refused).await);
    assert_eq!(place.content("/a.txt", &[]).await.status, 200);
    assert_eq!(place.content("/absent.txt", &[]).await.status, 404);
    // A check of the storage may read as well.
    assert!(value(got).await > done_before);
    assert!(value(refused).await > refused_before);
    let timed = "sallyport_aws_request_duration_seconds_count{service=\"S3\",operation=\"GetObject\",result=\"done\"}";
    assert!(value(timed).await > 0);
    assert_eq!(value(timed).await, value(got).await);
    let assumed =
        "sallyport_aws_requests_total{service=\"STS\",operation=\"AssumeRole\",result=\"done\"}";
    assert!(value(assumed).await >= 1);
    // A signed URL is no call: it would be one without an answer.
    let body = serde_json::json!({"key": "/a.txt", "method": "GET"});
    place.sign(&body).await.expect(200);
    let failed =
        "sallyport_aws_requests_total{service=\"S3\",operation=\"GetObject\",result=\"failed\"}";
    assert_eq!(value(failed).await, 0);
    let found = "sallyport_role_sessions_needed_total{found=\"yes\"}";
    assert!(value(found).await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_files_is_counted_by_its_direction() {
    let place = Scene::on(Emulator).connect().await;
    let value = async |name: &str| -> u64 {
        let text = metrics(&place.app, CLASSIC).await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("{name}: {text}"));
        value.trim().parse().unwrap()
    };
    let up = "sallyport_transfer_bytes_total{direction=\"upload\"}";
    let down = "sallyport_transfer_bytes_total{direction=\"download\"}";
    assert_eq!((value(up).await, value(down).await), (0, 0));
    place.storage.put("/a.bin", vec![7; 100_000]).await;
    // What the test puts into the bucket itself did not go through the service.
    assert_eq!(value(up).await, 0);
    let path = place.content_path("/b.bin");
    let upload = place
        .app
        .request(Method::PUT, &path, &place.workspace.admin)
        .body(vec![7; 70_000]);
    Answer::of(upload).await.expect(200);
    assert_eq!(value(up).await, 70_000);
    assert_eq!(place.content("/a.bin", &[]).await.status, 200);
    assert_eq!(value(down).await, 100_000);
    // The client may have the last byte before the server is done.
    while value("sallyport_transfers_in_flight").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let broken = "sallyport_downloads_broken_off_total{by=\"connection\"}";
    assert_eq!(value(broken).await, 0);
}
