//! What counts as a proof that the role refuses others.

use crate::it::storages::api::damage;
use crate::it::support::app::{TestApp, app_on};
use crate::it::support::aws::stub::{AwsStub, html, role_denied, session, sts_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::support::emulator::{Emulator, trust_policy};
use crate::it::support::pages::Visitor;
use crate::it::support::scene::{Dialog, Report, Scene};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const REFUSALS: [&str; 2] = ["refuses_missing_external_id", "refuses_wrong_external_id"];

async fn stage() -> (AwsStub, TestApp) {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    (stub, app)
}

/// AWS's own words for a denied AssumeRole.
fn refusal(reason: &str) -> Reply {
    sts_error(
        403,
        "AccessDenied",
        &format!(
            "User: SECRETARN is not authorized to perform: sts:AssumeRole on resource: SECRETARN {reason}"
        ),
    )
}

/// Answers the AssumeRole calls whose external ID is not this one.
fn to_others(own: &str, reply: Reply) -> impl Fn(&Request) -> Option<Reply> + use<> {
    let own = own.to_owned();
    move |request| {
        let is_other = request.form("ExternalId").as_deref() != Some(&own);
        (request.operation() == "AssumeRole" && is_other).then(|| reply.clone())
    }
}

/// A refusal by the service's own side says nothing about the role, which may let everybody in.
#[tokio::test]
async fn only_a_refusal_by_the_role_counts() {
    let (stub, app) = stage().await;
    for (reason, proven) in [
        ("", true),
        (
            "because no role trust policy allows the sts:AssumeRole action",
            true,
        ),
        (
            "because no resource-based policy allows the sts:AssumeRole action",
            true,
        ),
        ("with an explicit deny in a resource-based policy", true),
        ("with an explicit deny in the role trust policy", true),
        ("with an explicit deny in a resource control policy", true),
        ("with an explicit deny in a service control policy", false),
        (
            "because no service control policy allows the sts:AssumeRole action",
            false,
        ),
        ("with an explicit deny in a permissions boundary", false),
        (
            "because no permissions boundary allows the sts:AssumeRole action",
            false,
        ),
        ("with an explicit deny in a session policy", false),
        (
            "because no session policy allows the sts:AssumeRole action",
            false,
        ),
        ("with an explicit deny in a VPC endpoint policy", false),
        (
            "because no VPC endpoint policy allows the sts:AssumeRole action",
            false,
        ),
        ("with an explicit deny in an identity-based policy", false),
        (
            "because no identity-based policy allows the sts:AssumeRole action",
            false,
        ),
        ("with an explicit deny in a policy of a later day", false),
    ] {
        stub.forget_rules();
        stub.clear();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.when(to_others(&dialog.external_id, refusal(reason)));
        let report = dialog.check().await;
        if proven {
            report.passed();
            continue;
        }
        let report = report.failed(&REFUSALS);
        for step in REFUSALS {
            assert_eq!(report.code(step), Some("refusal_not_proven"), "{reason}");
            let problem = &report.step(step)["problem"];
            let remedy = problem["remedy"].as_str().unwrap();
            assert!(remedy.contains("operator"), "{reason}: {remedy}");
            // There is nothing to change at the customer's.
            assert_eq!(problem["patch"], Value::Null);
        }
        assert!(!report.0.to_string().contains("SECRETARN"));
        assert_eq!(stub.s3_count(), 0, "{reason}");
        dialog.refused().await;
    }
}

/// A pattern that begins like the own ID refuses a stranger's, and not one that differs in a digit.
#[tokio::test]
async fn a_near_miss_must_be_refused_as_well() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let own = dialog.external_id.clone();
    stub.when(move |request| {
        let sent = request.form("ExternalId")?;
        let fits = request.operation() == "AssumeRole" && sent.starts_with(&own[..8]);
        fits.then(|| session(1, Duration::from_secs(3_600)))
    });
    let report = dialog.check().await.failed(&REFUSALS[1..]);
    let problem = &report.step(REFUSALS[1])["problem"];
    assert_eq!(problem["code"], "role_accepts_wrong_external_id");
    let explanation = problem["explanation"].as_str().unwrap();
    assert!(explanation.contains("last digit"), "{explanation}");
    assert_eq!(stub.s3_count(), 0);
    dialog.refused().await;
}

/// Refuses the own ID from its second call on, until so many calls of it were refused.
fn forgets_us(
    own: &str,
    refused: usize,
    reply: Reply,
) -> impl Fn(&Request) -> Option<Reply> + use<> {
    let (own, calls) = (own.to_owned(), Arc::new(AtomicUsize::new(0)));
    move |request| {
        let is_own = request.form("ExternalId").as_deref() == Some(&own);
        if request.operation() != "AssumeRole" || !is_own {
            return None;
        }
        let call = calls.fetch_add(1, Ordering::SeqCst);
        // Every second call of a check confirms the first.
        (call % 2 == 1 && call / 2 < refused).then(|| reply.clone())
    }
}

#[tokio::test]
async fn refusals_count_once_the_role_has_let_us_in_again() {
    let (stub, app) = stage().await;
    for (reply, words) in [
        (role_denied(), "not known everywhere"),
        (html(403), "no usable answer"),
        (
            refusal("with an explicit deny in a service control policy"),
            "service control policy",
        ),
    ] {
        stub.forget_rules();
        stub.clear();
        let dialog = Scene::on(&stub).open(&app).await;
        stub.when(forgets_us(&dialog.external_id, usize::MAX, reply));
        let report = dialog.check().await.failed(&REFUSALS);
        assert_eq!(report.status("assume_role"), "passed");
        for step in REFUSALS {
            assert_eq!(report.code(step), Some("refusal_not_proven"));
            let explanation = report.step(step)["problem"]["explanation"]
                .as_str()
                .unwrap();
            assert!(explanation.contains(words), "{explanation}");
        }
        // Nothing is read on such a ground, and the probe object is taken back.
        assert_eq!(report.with_status("skipped").len(), 7);
        assert_eq!(stub.count("GetObject"), 0);
        let puts = stub.of("PutObject");
        assert_eq!(puts.len(), 1);
        let put = &puts[0];
        let deletions = stub.of("DeleteObject");
        let is_taken_back = deletions
            .iter()
            .any(|one| one.request.bucket_and_key() == put.request.bucket_and_key());
        assert!(is_taken_back && put.to <= deletions[0].from);
        dialog.refused().await;
    }
}

async fn checked_with_patience(dialog: &Dialog<'_>, seconds: u64) -> (Report, Duration) {
    let path = dialog.path(&format!("/check?wait={seconds}"));
    let start = Instant::now();
    let answer = dialog
        .app
        .post(&path, &dialog.workspace.admin, &Value::Null)
        .await;
    (Report::of(&answer), start.elapsed())
}

/// What passes by itself is tried again for as long as the client waits.
#[tokio::test]
async fn a_waiting_check_outlives_faults_that_pass() {
    let (stub, app) = stage().await;
    let throttled = || sts_error(400, "Throttling", "Rate exceeded");
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    // The SDK tries three times in each check.
    let calls = AtomicUsize::new(0);
    let other = to_others(&dialog.external_id, throttled());
    stub.when(move |request| other(request).filter(|_| calls.fetch_add(1, Ordering::SeqCst) < 9));
    let (report, _) = checked_with_patience(&dialog, 20).await;
    assert!(report.passed().0["attempts"].as_u64().unwrap() > 1);

    stub.forget_rules();
    stub.when(forgets_us(&dialog.external_id, 1, role_denied()));
    let (report, _) = checked_with_patience(&dialog, 20).await;
    assert_eq!(report.passed().0["attempts"], 2);

    // What does not pass by itself is reported at once.
    stub.forget_rules();
    let ours = refusal("with an explicit deny in a service control policy");
    stub.when(to_others(&dialog.external_id, ours));
    let (report, took) = checked_with_patience(&dialog, 20).await;
    assert_eq!(report.failed(&REFUSALS).0["attempts"], 1);
    assert!(took < Duration::from_secs(10));
}

#[tokio::test]
async fn a_waiting_check_uses_the_time_that_it_was_given() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    stub.world().external_id = None;
    let (report, took) = checked_with_patience(&dialog, 6).await;
    report.role_refused();
    let seconds = took.as_secs_f64();
    assert!((5.0..10.0).contains(&seconds), "{seconds}");
}

/// A trust policy that was tightened a moment ago may not be known everywhere.
#[tokio::test]
async fn a_waiting_check_passes_once_the_role_refuses_others() {
    let vendor = Emulator::vendor().await;
    let app = app_on(&vendor.sdk_config).await;
    let applied = Scene::on(Emulator).access("read").apply(&app).await;
    applied.trust(&trust_policy(&vendor.account, None)).await;
    applied.dialog.check().await.failed(&REFUSALS);
    let repair = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        applied.trust(&applied.trust).await;
    };
    let ((report, _), ()) = tokio::join!(checked_with_patience(&applied.dialog, 20), repair);
    assert!(report.passed().0["attempts"].as_u64().unwrap() > 1);
}

/// Makes the last check older than it is.
async fn age_of_the_last_check(app: &TestApp, age: Duration) {
    let micros = age.as_micros();
    let last = "SELECT MAX(id) FROM checks";
    let statement =
        format!("UPDATE checks SET started_at = started_at - {micros} WHERE id = ({last})");
    damage(app, &statement).await;
}

/// A role can be changed at any time, so a storage is made of a fresh proof only.
#[tokio::test]
async fn a_pass_counts_for_ten_minutes() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    dialog.check().await.passed();
    age_of_the_last_check(&app, Duration::from_secs(10 * 60 + 5)).await;
    let problem = dialog.complete().await.problem(409, "check_required");
    assert!(problem["detail"].as_str().unwrap().contains("ten minutes"));
    dialog.refused().await;

    // The dialog offers another check, also to whoever still has the page with the button.
    let visitor = Visitor::sign_in(&app, &dialog.workspace.admin, "admin").await;
    let setup = format!("/settings/setups/{}", dialog.id);
    let page = visitor.get(&format!("{setup}?step=check")).await.text;
    assert!(page.contains("passed more than ten minutes ago") && page.contains("data-check"));
    assert!(page.contains("disabled aria-describedby=\"why-not\""));
    let late = visitor.post(&format!("{setup}/complete"), &[]).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("was not added") && late.text.contains("data-check"));

    dialog.check().await.passed();
    age_of_the_last_check(&app, Duration::from_secs(9 * 60)).await;
    dialog.complete().await.expect(201);
}

/// The probe object keeps its name, so that versions of it do not pile up under new ones.
#[tokio::test]
async fn a_storage_s_checks_share_one_probe_object() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).open(&app).await;
    let id = dialog.finish().await["id"].as_str().unwrap().to_owned();
    let (path, admin) = (format!("/v1/storages/{id}/check"), &dialog.workspace.admin);
    stub.clear();
    // Also at the same time.
    stub.world().delay = Duration::from_millis(50);
    let check = async || Report::of(&app.post(&path, admin, &json!({})).await).passed();
    let _ = tokio::join!(check(), check());
    check().await;
    let expected = format!("temp/sallyport-check-{}", &id[id.len() - 8..]);
    for operation in ["PutObject", "DeleteObject"] {
        let calls = stub.of(operation);
        assert!(calls.len() >= 3);
        for call in calls {
            assert_eq!(call.request.bucket_and_key().1, expected);
        }
    }
}
