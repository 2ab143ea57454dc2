//! What is independent is asked at the same time: read from the log, not from a clock.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::aws::wire::rounds;
use crate::it::support::scene::Scene;
use std::time::Duration;

async fn rounds_of(access: &str, empty: bool) -> usize {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Scene::on(&stub).access(access).open(&app).await;
    if empty {
        stub.world().objects.clear();
    }
    // The first makes the connections, and learns who the service is.
    dialog.check().await;
    stub.clear();
    stub.world().delay = Duration::from_millis(150);
    let report = dialog.check().await;
    match empty {
        true => drop(report.warned(&["get_object"])),
        false => drop(report.passed()),
    }
    rounds(&stub.log())
}

#[tokio::test]
async fn reading_takes_three_rounds() {
    assert_eq!(rounds_of("read", false).await, 3);
    assert_eq!(rounds_of("read", true).await, 3);
}

#[tokio::test]
async fn reading_and_writing_takes_five_rounds() {
    // What was written is read back before it is deleted: that is the fifth.
    assert_eq!(rounds_of("read_write", false).await, 5);
}
