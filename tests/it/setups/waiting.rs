//! A role that is known by its account alone: waiting until it lets the service in, and what is told of it.

use crate::application::kept::vault::MasterKey;
use crate::it::support::app::{ORIGIN, TestApp, TestWorkspace, app_on};
use crate::it::support::aws::stub::{AwsStub, CUSTOMER, role_denied, sts_error};
use crate::it::support::aws::wire::eventually;
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::pages::Visitor;
use crate::it::support::postgres::fresh_database;
use crate::it::support::scene::Dialog;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const METHODS: &[&str] = &["GET", "PUT", "POST", "HEAD", "DELETE"];

/// An open stream of events.
struct Stream {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

impl Stream {
    async fn open(app: &TestApp, path: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = app.request(Method::GET, path, token);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The stream that the dialog's page follows.
    async fn of_page(visitor: &Visitor<'_>, setup: &str) -> Self {
        let path = format!("/settings/setups/{setup}/events");
        let response = visitor.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    async fn of(dialog: &Dialog<'_>) -> Self {
        let path = dialog.path("/events");
        Self::open(dialog.app, &path, &dialog.workspace.admin, None).await
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        let work = async {
            loop {
                if let Some((block, rest)) = self.text.split_once("\n\n") {
                    let event = event(block);
                    self.text = rest.to_owned();
                    match event {
                        Some(event) => return Some(event),
                        None => continue,
                    }
                }
                let chunk = self.response.chunk().await.unwrap()?;
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(90), work)
            .await
            .expect("an event, or the end")
    }

    async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect(name);
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

/// `None`: a comment.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let prefix = format!("{name}: ");
        block
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .map(str::to_owned)
    };
    Some(Event {
        name: field("event")?,
        id: field("id").unwrap(),
        data: serde_json::from_str(&field("data").unwrap()).unwrap(),
    })
}

/// A customer with a bucket that has its CORS rules, and a setup that names the customer's account.
struct Place<'a> {
    dialog: Dialog<'a>,
    customer: Customer,
}

impl<'a> Place<'a> {
    async fn open(app: &'a TestApp) -> Self {
        let workspace = app.workspace().await;
        Self::open_in(app, workspace).await
    }

    async fn open_in(app: &'a TestApp, workspace: TestWorkspace) -> Self {
        let customer = Emulator::customer();
        let bucket = customer.create_bucket().await;
        customer.put_object(&bucket, "a.txt", "hello").await;
        customer.put_cors(&bucket, &[ORIGIN], METHODS).await;
        let settings = json!({"bucket": bucket, "customer_account_id": customer.account});
        let dialog = Dialog::open_in(app, workspace, settings).await;
        Self { dialog, customer }
    }

    /// Makes the role that the documents make, with this trust policy or the documents' own.
    async fn make_role(&self, trust: Option<Value>) -> String {
        let documents = self.dialog.documents().await;
        let trust = trust.unwrap_or(documents["trust_policy"].clone());
        let name = documents["role"]["name"].as_str().unwrap();
        let permissions = &documents["permission_policy"];
        let arn = self.customer.put_role(name, &trust, permissions).await;
        assert_eq!(self.dialog.get().await["expected_role_arn"], arn.as_str());
        arn
    }
}

/// On the stub: a setup whose role is waited for, and refuses until `external_id` is known there.
async fn waiting<'a>(stub: &AwsStub, app: &'a TestApp) -> Dialog<'a> {
    let settings =
        json!({"bucket": stub.bucket, "access": "read", "customer_account_id": CUSTOMER});
    Dialog::open(app, settings).await
}

#[tokio::test]
async fn a_role_that_is_made_after_the_setup_is_found_checked_and_added_with_nothing_pasted_back() {
    let app = TestApp::spawn_on_emulator().await;
    let place = Place::open(&app).await;
    let dialog = &place.dialog;
    let setup = dialog.get().await;
    let expected = setup["expected_role_arn"].as_str().unwrap().to_owned();
    assert_eq!(setup["role_arn"], Value::Null);
    assert_eq!(setup["waiting"]["tries"], 0);
    assert_eq!(setup["waiting"]["outcome"], Value::Null);
    let before = dialog.documents().await;
    assert_eq!(before["role"]["arn"], expected.as_str());
    assert_eq!(
        before["accounts"]["role"]["id"],
        place.customer.account.as_str()
    );
    // S3 refuses a policy that names a principal that does not exist.
    assert_eq!(before["bucket_policy"], Value::Null);

    let mut stream = Stream::of(dialog).await;
    eventually("the role was tried", async || {
        dialog.get().await["waiting"]["outcome"] == "not_yet"
    })
    .await;
    assert_eq!(dialog.get().await["role_appeared_at"], Value::Null);
    place.make_role(None).await;
    let appeared = stream.expect("role_appeared").await;
    assert_eq!(appeared.data["role_arn"], expected.as_str());
    let checked = stream.expect("check_finished").await;
    let setup = dialog.get().await;
    assert_eq!(checked.data["check_id"], setup["last_check"]["id"]);
    assert_eq!(checked.data["outcome"], "passed", "{setup:#}");
    assert_eq!(checked.data["is_current"], true);
    assert!(setup["role_appeared_at"].is_string());
    assert_eq!(setup["waiting"]["outcome"], "appeared");

    let after = dialog.documents().await;
    assert_eq!(
        after["bucket_policy"]["Statement"][0]["Principal"]["AWS"],
        expected.as_str()
    );
    let storage = dialog.complete().await.expect(201);
    assert_eq!(storage["role_arn"], expected.as_str());
    let completed = stream.expect("completed").await;
    assert_eq!(completed.data["storage_id"], storage["id"]);
    assert_eq!(stream.next().await, None);

    // Who comes back with the last event's ID misses nothing, and hears nothing twice.
    let (path, admin) = (dialog.path("/events"), &dialog.workspace.admin);
    let mut again = Stream::open(&app, &path, admin, Some(&appeared.id)).await;
    assert_eq!(again.next().await, Some(checked));
    assert_eq!(again.next().await, Some(completed.clone()));
    assert_eq!(again.next().await, None);
    let told = app
        .request(Method::GET, &path, admin)
        .header("Last-Event-ID", &completed.id);
    assert_eq!(told.send().await.unwrap().status(), 204);

    // The storage's documents are those of the setup, but for the Region, which the check has found.
    let path = format!("/v1/storages/{}/documents", storage["id"].as_str().unwrap());
    let of_storage = app.get(&path, admin).await.expect(200);
    for name in [
        "role",
        "permission_policy",
        "trust_policy",
        "bucket_policy",
        "accounts",
    ] {
        assert_eq!(of_storage[name], after[name], "{name}");
    }
}

#[tokio::test]
async fn a_role_that_lets_others_in_has_appeared_and_is_refused_by_its_check() {
    let app = TestApp::spawn_on_emulator().await;
    let place = Place::open(&app).await;
    let mut stream = Stream::of(&place.dialog).await;
    let mut trust = place.dialog.documents().await["trust_policy"].clone();
    trust["Statement"][0]
        .as_object_mut()
        .unwrap()
        .remove("Condition");
    place.make_role(Some(trust)).await;
    stream.expect("role_appeared").await;
    let from = Instant::now();
    let checked = stream.expect("check_finished").await;
    assert_eq!(checked.data["outcome"], "failed");
    // Waiting would not close the role.
    let took = from.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    let check = place.dialog.get().await["last_check"].clone();
    assert_eq!(check["attempts"], 1, "{check:#}");
    place.dialog.refused().await;
}

#[tokio::test]
async fn a_role_that_refuses_is_told_as_one_that_is_absent() {
    let app = TestApp::spawn_on_emulator().await;
    let (absent, refuses) = (Place::open(&app).await, Place::open(&app).await);
    let mut trust = refuses.dialog.documents().await["trust_policy"].clone();
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = json!("another");
    refuses.make_role(Some(trust)).await;
    let mut seen = Vec::new();
    for place in [&absent, &refuses] {
        let _stream = Stream::of(&place.dialog).await;
        eventually("the role was tried", async || {
            place.dialog.get().await["waiting"]["tries"] != 0
                && place.dialog.get().await["waiting"]["outcome"] != Value::Null
        })
        .await;
        let setup = place.dialog.get().await;
        assert_eq!(setup["role_appeared_at"], Value::Null);
        seen.push(setup["waiting"]["outcome"].clone());
    }
    assert_eq!(seen, ["not_yet", "not_yet"]);
}

#[tokio::test]
async fn a_check_before_the_role_exists_says_what_is_not_there() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let expected = dialog.get().await["expected_role_arn"].clone();
    let expected = expected.as_str().unwrap();
    let report = dialog.check().await.role_refused();
    let problem = report.step("assume_role")["problem"].clone();
    assert_eq!(problem["title"], "Not there yet, or it refuses us");
    let explanation = problem["explanation"].as_str().unwrap();
    assert!(
        explanation.contains(&format!("`{expected}`")),
        "{explanation}"
    );
    assert_eq!(problem["causes"][0]["code"], "no_such_role");
    // A role that was entered, and one that was there, are spoken of as such.
    let entered = json!({"role_arn": stub.role_arn()});
    dialog.patch(entered).await.expect(200);
    let title = async || {
        let report = dialog.check().await.role_refused();
        report.step("assume_role")["problem"]["title"].clone()
    };
    assert_eq!(title().await, "Sallyport can't assume this role");
    let again = dialog.patch(json!({"role_arn": null})).await.expect(200);
    assert!(again["waiting"].is_object());
    stub.world().external_id = Some(dialog.external_id.clone());
    dialog.check().await.works();
    stub.world().external_id = None;
    assert_eq!(title().await, "Sallyport can't assume this role");
}

#[tokio::test]
async fn an_entered_role_wins_and_ends_the_waiting_for_another() {
    let app = TestApp::spawn_on_emulator().await;
    let place = Place::open(&app).await;
    let dialog = &place.dialog;
    let other = format!("arn:aws:iam::{}:role/their-own", place.customer.account);
    let setup = dialog.patch(json!({"role_arn": other})).await.expect(200);
    assert_eq!(setup["waiting"], Value::Null);
    assert!(setup["expected_role_arn"].is_string());
    let documents = dialog.documents().await;
    assert_eq!(documents["role"]["arn"], other.as_str());
    assert!(documents["bucket_policy"].is_object());
    let setup = dialog.patch(json!({"role_arn": null})).await.expect(200);
    assert!(setup["waiting"].is_object());
    // Another bucket has a role of another name.
    let before = setup["expected_role_arn"].clone();
    let setup = dialog
        .patch(json!({"bucket": "another-bucket"}))
        .await
        .expect(200);
    assert_ne!(setup["expected_role_arn"], before);
    let setup = dialog
        .patch(json!({"role_path": "/vendors/eu/"}))
        .await
        .expect(200);
    let expected = setup["expected_role_arn"].as_str().unwrap();
    assert!(expected.contains(":role/vendors/eu/sallyport-another-bucket-"));
    // An access key needs no role.
    let setup = dialog
        .patch(json!({"auth": "access_key"}))
        .await
        .expect(200);
    assert_eq!(setup["waiting"], Value::Null);
    assert_eq!(setup["expected_role_arn"], Value::Null);
}

#[tokio::test]
async fn what_is_no_account_path_or_boundary_is_refused_by_name() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    for (field, value, code) in [
        ("customer_account_id", "12345", "invalid_account_id"),
        (
            "customer_account_id",
            "１２３４５６７８９０１２",
            "invalid_account_id",
        ),
        (
            "customer_account_id",
            "111111111111",
            "role_of_this_service",
        ),
        ("role_path", "vendors", "invalid_iam_path"),
        ("role_path", "/a//b/", "invalid_iam_path"),
        ("role_path", "/a*/", "invalid_iam_path"),
        (
            "permissions_boundary_arn",
            "arn:aws:iam::222222222222:role/x",
            "invalid_permissions_boundary",
        ),
        (
            "permissions_boundary_arn",
            "arn:aws-cn:iam::222222222222:policy/x",
            "partition_mismatch",
        ),
        (
            "permissions_boundary_arn",
            "arn:aws:iam::333333333333:policy/x",
            "boundary_of_other_account",
        ),
        (
            "role_arn",
            "arn:aws-us-gov:iam::222222222222:role/x",
            "role_in_other_partition",
        ),
    ] {
        let answer = dialog.patch(json!({field: value})).await;
        let refused = answer.refused_field(field);
        assert_eq!(
            refused["errors"][0]["code"], code,
            "{field} {value}: {refused}"
        );
    }
    let setup = dialog
        .patch(json!({"permissions_boundary_arn": "arn:aws:iam::aws:policy/PowerUserAccess"}))
        .await
        .expect(200);
    assert_eq!(
        setup["permissions_boundary_arn"],
        "arn:aws:iam::aws:policy/PowerUserAccess"
    );
}

#[tokio::test]
async fn a_watched_role_is_tried_every_three_seconds_and_an_unwatched_one_after_half_a_minute() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(stub.count("AssumeRole"), 0);
    let _stream = Stream::of(&dialog).await;
    let from = Instant::now();
    eventually("three tries", async || stub.count("AssumeRole") >= 3).await;
    // Nothing remembers the refusals: each try has asked.
    assert!(
        from.elapsed() >= Duration::from_secs(5),
        "{:?}",
        from.elapsed()
    );
    let setup = dialog.get().await;
    assert!(
        setup["waiting"]["tries"].as_u64().unwrap() >= 3,
        "{setup:#}"
    );
}

#[tokio::test]
async fn one_workspace_tries_one_role_a_second_however_many_it_waits_for() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let workspace = app.workspace().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let settings =
            json!({"bucket": stub.bucket, "access": "read", "customer_account_id": CUSTOMER});
        let dialog = Dialog::open_in(&app, workspace.clone(), settings).await;
        streams.push(Stream::of(&dialog).await);
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    let tries = stub.of("AssumeRole");
    assert!(tries.len() >= 3, "{}", tries.len());
    for pair in tries.windows(2) {
        let apart = pair[1].from - pair[0].from;
        assert!(apart >= Duration::from_millis(800), "{apart:?}");
    }
}

#[tokio::test]
async fn what_says_nothing_about_the_role_is_told_as_undecided() {
    let stub = AwsStub::start().await;
    stub.answer_to("AssumeRole", sts_error(500, "InternalFailure", "sorry"));
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let _stream = Stream::of(&dialog).await;
    eventually("a try", async || {
        dialog.get().await["waiting"]["outcome"] == "undecided"
    })
    .await;
    stub.forget_rules();
    stub.answer_to("AssumeRole", role_denied());
    eventually("another try", async || {
        dialog.get().await["waiting"]["outcome"] == "not_yet"
    })
    .await;
}

#[tokio::test]
async fn another_workspace_and_members_follow_nothing() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let other = app.workspace().await;
    let path = dialog.path("/events");
    app.get(&path, &other.admin).await.problem(404, "not_found");
    app.get(&path, &dialog.workspace.member)
        .await
        .problem(403, "admin_required");
    app.get(&path, "").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_page_has_the_same_stream_for_admins_alone() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let admin = Visitor::sign_in(&app, &dialog.workspace.admin, "admin").await;
    let mut stream = Stream::of_page(&admin, &dialog.id).await;
    eventually("two tries", async || stub.count("AssumeRole") >= 2).await;
    stub.world().external_id = Some(dialog.external_id.clone());
    stream.expect("role_appeared").await;
    let checked = stream.expect("check_finished").await;
    assert_eq!(checked.data["is_current"], true);
    drop(stream);
    let path = format!("/settings/setups/{}/events", dialog.id);
    let member = Visitor::sign_in(&app, &dialog.workspace.admin, "member").await;
    assert_eq!(member.get(&path).await.status, 403);
    let other = app.workspace().await;
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    assert_eq!(stranger.get(&path).await.status, 404);
}

#[tokio::test]
async fn without_scripts_the_page_looks_as_often_as_it_is_loaded() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let admin = Visitor::sign_in(&app, &dialog.workspace.admin, "admin").await;
    let path = format!("/settings/setups/{}?step=check", dialog.id);
    let expected = dialog.get().await["expected_role_arn"].clone();
    let page = admin.get(&path).await;
    for words in [
        "Waiting for the role",
        "Not there yet, or it refuses us",
        expected.as_str().unwrap(),
        "Look again",
        "There is no role",
        "its trust policy does not let us in",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    // Both reasons wait for a minute, and nothing has failed.
    assert!(
        page.text.contains("id=\"not-there\" hidden"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("data-ended"));
    eventually("a try, because the page was loaded", async || {
        stub.count("AssumeRole") >= 1
    })
    .await;
    stub.world().external_id = Some(dialog.external_id.clone());
    eventually("the role has appeared", async || {
        admin.get(&path).await;
        dialog.get().await["role_appeared_at"].is_string()
    })
    .await;
    // Whoever loaded the page a moment ago watches, and so it was checked at once.
    eventually("the connection is checked", async || {
        let page = admin.get(&path).await.text;
        page.contains("data-ended=\"good\"") || page.contains("data-ended=\"warn\"")
    })
    .await;
}

#[tokio::test]
async fn waiting_is_counted() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let value = async |name: &str| -> u64 {
        let text = app.get("/metrics", "").await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("{name}: {text}"));
        value.trim().parse().unwrap()
    };
    let tried = "sallyport_role_tries_total{result=\"not_yet\"}";
    let appeared = "sallyport_role_tries_total{result=\"appeared\"}";
    assert_eq!((value(tried).await, value(appeared).await), (0, 0));
    let _stream = Stream::of(&dialog).await;
    eventually("a try is counted", async || value(tried).await >= 1).await;
    stub.world().external_id = Some(dialog.external_id.clone());
    eventually("its success is counted", async || {
        value(appeared).await == 1
    })
    .await;
    // Another setup waits; the gauge is measured every 15 seconds.
    let _other = waiting(&stub, &app).await;
    let waits = "sallyport_setups_waiting_for_role";
    let from = Instant::now();
    while value(waits).await != 1 {
        assert!(from.elapsed() < Duration::from_secs(40), "it is measured");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_workspace_has_twenty_streams_at_most() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(Stream::of(&dialog).await);
    }
    let path = dialog.path("/events");
    let refused = app.get(&path, &dialog.workspace.admin).await;
    refused.problem(429, "too_many_streams");
    assert!(refused.header("retry-after").is_some());
    // Another workspace's are its own.
    let other = waiting(&stub, &app).await;
    let _other = Stream::of(&other).await;
    drop(streams);
    // The service learns that a client has left when it sends the second line of comment after that.
    let from = Instant::now();
    loop {
        let request = app.request(Method::GET, &path, &dialog.workspace.admin);
        if request.send().await.unwrap().status() == 200 {
            break;
        }
        assert!(from.elapsed() < Duration::from_secs(60), "a place is free");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_closed_setup_is_not_tried_and_its_stream_ends() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = waiting(&stub, &app).await;
    let mut stream = Stream::of(&dialog).await;
    eventually("a try", async || stub.count("AssumeRole") >= 1).await;
    app.delete(&dialog.path(""), &dialog.workspace.admin)
        .await
        .expect(204);
    assert_eq!(stream.next().await, None);
    let tries = stub.count("AssumeRole");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(stub.count("AssumeRole") <= tries + 1);
    let answer = app
        .get(&dialog.path("/events"), &dialog.workspace.admin)
        .await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn an_expired_setup_is_not_tried() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.setup_ttl = Some("8s".into());
    })
    .await;
    let dialog = waiting(&stub, &app).await;
    let mut stream = Stream::of(&dialog).await;
    assert_eq!(stream.next().await, None);
    let tries = stub.count("AssumeRole");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(stub.count("AssumeRole") <= tries + 1);
    assert_eq!(dialog.get().await["status"], "expired");
}

/// The role appears on one replica; a stream of the other tells it. Then the first one is stopped, and a new one
/// goes on where it was.
#[tokio::test]
async fn replicas_share_the_waiting_and_a_restart_goes_on_with_it() {
    let stub = AwsStub::start().await;
    let (url, (_, key)) = (fresh_database().await, MasterKey::generate().unwrap());
    let replica = |options: &mut crate::settings::Options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.database_url = Some(url.clone());
        options.master_key = Some(key.clone());
    };
    let first = TestApp::spawn_on(&stub.sdk_config(), replica).await;
    let second = TestApp::spawn_on(&stub.sdk_config(), replica).await;
    let dialog = waiting(&stub, &first).await;
    let admin = dialog.workspace.admin.clone();
    let (mut here, mut there) = (
        Stream::of(&dialog).await,
        Stream::open(&second, &dialog.path("/events"), &admin, None).await,
    );
    eventually("two tries", async || stub.count("AssumeRole") >= 2).await;
    let tries = stub.of("AssumeRole");
    for pair in tries.windows(2) {
        let apart = pair[1].from - pair[0].from;
        assert!(apart >= Duration::from_millis(800), "{apart:?}");
    }
    second.stop().await.unwrap();
    assert_eq!(there.next().await, None);
    let second = TestApp::spawn_on(&stub.sdk_config(), replica).await;
    let mut there = Stream::open(&second, &dialog.path("/events"), &admin, None).await;
    stub.world().external_id = Some(dialog.external_id.clone());
    let (appeared, too) = (
        here.expect("role_appeared").await,
        there.expect("role_appeared").await,
    );
    assert_eq!(appeared, too);
    let (checked, too) = (
        here.expect("check_finished").await,
        there.expect("check_finished").await,
    );
    assert_eq!(checked, too);
    dialog.complete().await.expect(201);
    here.expect("completed").await;
    there.expect("completed").await;
}

#[tokio::test]
async fn a_storage_has_its_role_and_takes_no_account_for_another() {
    let app = TestApp::spawn_on_emulator().await;
    let place = Place::open(&app).await;
    place.make_role(None).await;
    let storage = place.dialog.finish().await;
    let path = format!("/v1/storages/{}", storage["id"].as_str().unwrap());
    for field in ["customer_account_id", "role_path"] {
        let answer = app
            .patch(&path, &place.dialog.workspace.admin, &json!({field: "/x/"}))
            .await;
        let refused = answer.refused_field(field);
        assert_eq!(refused["errors"][0]["code"], "only_in_setup");
    }
}
