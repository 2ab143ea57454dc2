//! The dialog and the AWS administrator's link, as browsers without a script use them, and the one stream
//! of events.

use crate::it::support::app::{Answer, OPERATOR, TestApp, TestWorkspace};
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::provision::apply;
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use serde_json::json;

/// Somebody at a browser, with a session or without.
pub struct Browser<'a> {
    app: &'a TestApp,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub fn anonymous(app: &'a TestApp) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            app,
            client,
            cookie: String::new(),
        }
    }

    /// Comes by a sign-in link.
    pub async fn signed_in(app: &'a TestApp, workspace: &TestWorkspace, role: &str) -> Self {
        Self::signed_in_with(app, workspace, json!({"role": role, "purpose": "settings"})).await
    }

    pub async fn signed_in_with(
        app: &'a TestApp,
        workspace: &TestWorkspace,
        link: serde_json::Value,
    ) -> Self {
        let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
        let made = app.post(&path, OPERATOR, &link).await.expect(201);
        let url = url::Url::parse(made["url"].as_str().unwrap()).unwrap();
        let mut browser = Self::anonymous(app);
        let answer = browser.get(url.path()).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    /// The cookie that an answer brings.
    pub fn keep_cookie(&mut self, answer: &Answer) {
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    /// Opens an administrator's link. Returns the page's address, which has no secret.
    pub async fn open_link(&mut self, link: &str) -> String {
        let opened = self.get(link).await;
        self.keep_cookie(&opened);
        location(&opened).to_owned()
    }

    /// What a browser sends for a page that it thinks it will need.
    pub async fn look_ahead(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        Answer::of(request.header("sec-purpose", "prefetch")).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, self.app.url(path));
        match self.cookie.is_empty() {
            true => request,
            false => request.header(COOKIE, &self.cookie),
        }
        .header(ACCEPT, "text/html")
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends a form with the token of the page at `from`.
    pub async fn post_from(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(from).await;
        let token = csrf(&page.text);
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(path, &all).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from("/settings/storages", path, fields).await
    }

    /// Sends a form as it is.
    async fn post_raw(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(form(self.request(Method::POST, path), fields)).await
    }

    /// Opens a setup and gives its address.
    pub async fn open_setup(&self) -> String {
        let answer = self.post("/settings/storages/add", &[]).await;
        let begins = location(&answer).strip_suffix("?step=bucket");
        begins.unwrap().to_owned()
    }
}

fn form(request: reqwest::RequestBuilder, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

/// The token of a page's forms.
#[track_caller]
fn csrf(html: &str) -> String {
    let marker = "name=\"csrf\" value=\"";
    let at = html
        .find(marker)
        .unwrap_or_else(|| panic!("no form: {html}"))
        + marker.len();
    html[at..].split('"').next().unwrap().to_owned()
}

#[track_caller]
pub fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.headers[LOCATION].to_str().unwrap()
}

#[track_caller]
pub fn shows(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(text), "no `{text}` in {}", answer.text);
}

/// A setup whose documents the customer has applied, up to the role's ARN.
pub async fn applied(admin: &Browser<'_>, access: &str) -> (String, Customer, String) {
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    let setup = admin.open_setup().await;
    let fields = [
        ("step", "bucket"),
        ("bucket", bucket.as_str()),
        ("prefix", "team"),
        ("access", access),
    ];
    let answer = admin.post(&setup, &fields).await;
    assert_eq!(location(&answer), format!("{setup}?step=role"));
    let documents = admin.get(&format!("{setup}/documents")).await;
    let role_arn = apply(&customer, &bucket, documents.text.as_bytes()).await;
    let answer = admin
        .post(&setup, &[("step", "role"), ("role_arn", &role_arn)])
        .await;
    assert_eq!(location(&answer), format!("{setup}?step=check"));
    (setup, customer, bucket)
}

#[tokio::test]
async fn without_a_script_a_storage_is_added() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let (setup, customer, bucket) = applied(&admin, "read_write").await;
    // The page waits for the role, whose own check may run beside: its test file is no file of the prefix.
    customer.put_object(&bucket, "team/a.txt", "a").await;

    let question = admin.get(&format!("{setup}?step=role")).await;
    shows(&question, 200, "How do you want to set up AWS?");
    let by_hand = admin.get(&format!("{setup}?step=role&way=console")).await;
    shows(&by_hand, 200, "<mark>https://app.example.com</mark>");
    shows(
        &by_hand,
        200,
        &format!("<mark>{bucket}</mark>/<mark>team/</mark>*"),
    );
    let file = admin.get(&format!("{setup}/documents/trust_policy")).await;
    shows(&file, 200, "sts:ExternalId");

    let before = admin.get(&format!("{setup}?step=check")).await;
    shows(&before, 200, "Waiting");
    assert!(
        before
            .text
            .contains("disabled aria-describedby=\"why-not\"")
    );
    let early = admin.post(&format!("{setup}/complete"), &[]).await;
    shows(&early, 409, "check_required");

    let checked = admin.post(&format!("{setup}/check"), &[]).await;
    let after = admin.get(location(&checked)).await;
    shows(&after, 200, "All 10 checks passed");
    assert!(!after.text.contains("why-not"), "{}", after.text);
    assert_eq!(after.text.matches("<li id=\"step-").count(), 10);

    let added = admin.post(&format!("{setup}/complete"), &[]).await;
    let list = admin.get(location(&added)).await;
    shows(&list, 200, "The storage was added.");
    shows(&list, 200, &bucket);
    shows(&admin.get(&setup).await, 200, "The storage has been added");
}

#[tokio::test]
async fn a_check_shows_each_step_as_it_finishes() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let (setup, customer, bucket) = applied(&admin, "read").await;
    let token = csrf(&admin.get(&setup).await.text);
    let check = async |setup: &str| {
        let request = admin
            .client
            .post(app.url(&format!("{setup}/check")))
            .header(COOKIE, &admin.cookie)
            .header(ACCEPT, "text/event-stream");
        Answer::of(form(request, &[("csrf", &token)])).await
    };
    let passed = check(&setup).await;
    assert_eq!(passed.status, 200, "{passed:?}");
    assert_eq!(passed.header("content-type"), Some("text/event-stream"));
    // Each step as it finishes, and the one that warns once more with its problem.
    assert_eq!(passed.text.matches("event: step\n").count(), 11);
    let (_, outcome) = passed.text.split_once("event: outcome\n").unwrap();
    assert!(outcome.contains("id=\"outcome\"") && !outcome.contains("why-not"));

    customer
        .s3()
        .delete_bucket_cors()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    let failed = check(&setup).await;
    assert!(failed.text.contains("What to change:"), "{}", failed.text);
    let (_, outcome) = failed.text.split_once("event: outcome\n").unwrap();
    assert!(outcome.contains("1 of 10 checks failed"), "{outcome}");
    assert!(outcome.contains("why-not"));

    let unfinished = check(&admin.open_setup().await).await;
    unfinished.problem(409, "setup_incomplete");
}

/// The form beside a better value of a setting is that of the dialog, and leads back to the check.
#[tokio::test]
async fn a_better_value_of_a_setting_is_taken_over_on_the_page_of_the_check() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let better = [("step", "check"), ("requester_pays", "true")];
    let saved = admin.post(&setup, &better).await;
    assert_eq!(location(&saved), format!("{setup}?step=check"));
    let api = format!("/v1/storage-setups/{}", setup.rsplit('/').next().unwrap());
    let stored = app.get(&api, &workspace.admin).await;
    assert!(
        stored.text.contains("\"requester_pays\":true"),
        "{}",
        stored.text
    );
}

#[tokio::test]
async fn a_prefix_is_never_changed_in_silence() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let autosave = format!("{setup}/autosave");
    let api = format!("/v1/storage-setups/{}", setup.rsplit('/').next().unwrap());
    admin
        .post(&autosave, &[("step", "bucket"), ("prefix", "team")])
        .await;
    // A blank is no empty field, and what is meant is named.
    for (typed, remedy) in [
        (" ", "Leave it empty for the whole bucket."),
        ("team \u{200b}/x", "team[U+0020][U+200B]/x"),
        ("team/ x", "team/x"),
    ] {
        let answer = admin
            .post(&autosave, &[("step", "bucket"), ("prefix", typed)])
            .await;
        shows(&answer, 200, "id=\"prefix-error\"");
        shows(&answer, 200, remedy);
        let saved = app.get(&api, &workspace.admin).await.expect(200);
        assert_eq!(saved["prefix"], "team/");
    }
    admin
        .post(&autosave, &[("step", "bucket"), ("prefix", "")])
        .await;
    let saved = app.get(&api, &workspace.admin).await.expect(200);
    assert_eq!(saved["prefix"], "");
}

#[tokio::test]
async fn what_cannot_be_accepted_is_kept_and_shown_and_the_rest_is_saved() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let bad = "<b>Not a bucket\"";
    let fields = [
        ("step", "bucket"),
        ("bucket", bad),
        ("prefix", "team"),
        ("kms_key_arn", "also bad"),
        ("access", "read"),
        ("secret_access_key", "a-secret-that-is-typed"),
    ];
    let answer = admin.post(&setup, &fields).await;
    shows(&answer, 422, "id=\"bucket-error\"");
    shows(&answer, 422, "id=\"kms_key_arn-error\"");
    assert!(!answer.text.contains(bad) && !answer.text.contains("a-secret-that-is-typed"));
    shows(&answer, 422, "value=\"also bad\"");
    shows(&answer, 422, "Not a bucket");
    let id = setup.rsplit('/').next().unwrap();
    let api = format!("/v1/storage-setups/{id}");
    let saved = app.get(&api, &workspace.admin).await.expect(200);
    assert_eq!(saved["prefix"], "team/");
    assert_eq!(saved["access"], "read");
    assert_eq!(saved["has_secret_access_key"], true);
    assert_eq!(saved["bucket"], json!(null));

    // The same while typing: a part of the page comes back.
    let autosave = format!("{setup}/autosave");
    let typed = [("step", "bucket"), ("bucket", "acme-data"), ("region", "?")];
    let answer = admin.post(&autosave, &typed).await;
    shows(&answer, 200, "id=\"region-error\"");
    shows(
        &answer,
        200,
        "In <code>acme-data</code>, below <code><bdi>team/</bdi></code>",
    );
    let saved = app.get(&api, &workspace.admin).await.expect(200);
    assert_eq!(saved["bucket"], "acme-data");

    // Typing is logged by what it changes, and by nothing else.
    let again = admin.post(&autosave, &typed).await;
    shows(&again, 200, "id=\"region-error\"");
    let log = app.get("/v1/audit-events", &workspace.admin).await;
    let log = log.expect(200);
    let events = log["audit_events"].as_array().unwrap().iter();
    let saves = events.filter(|event| event["action"] == "autosave_storage_setup");
    assert_eq!(saves.count(), 1, "{log}");

    // Later: all of it is still there.
    let resumed = admin.get(&format!("{setup}?step=bucket")).await;
    shows(&resumed, 200, "value=\"acme-data\"");
    let list = admin.get("/settings/storages").await;
    shows(&list, 200, "1 setup in progress");
    shows(&list, 200, &setup);

    // A role needs its ARN, and an unknown field is refused.
    let empty = admin
        .post(
            &setup,
            &[
                ("step", "check"),
                ("customer_account_id", ""),
                ("role_arn", ""),
            ],
        )
        .await;
    shows(&empty, 422, "id=\"customer_account_id-error\"");
    let short = [("step", "check"), ("customer_account_id", "12345")];
    let refused = admin.post(&setup, &short).await;
    shows(&refused, 422, "value=\"12345\"");
    // The account is enough: the role's name is ours.
    let account = [("step", "check"), ("customer_account_id", "444455556666")];
    let taken = admin.post(&setup, &account).await;
    assert_eq!(location(&taken), format!("{setup}?step=check"));
    let saved = app.get(&api, &workspace.admin).await.expect(200);
    let role_arn = saved["expected_role_arn"].as_str().unwrap();
    assert!(
        role_arn.starts_with("arn:aws:iam::444455556666:role/sallyport-acme-data-"),
        "{role_arn}"
    );
    // What is granted is chosen on any step, which comes back.
    let off = [
        ("step", "role"),
        ("way", "cli"),
        ("stay", "yes"),
        ("object_acls", "false"),
    ];
    let chosen = admin.post(&setup, &off).await;
    assert_eq!(location(&chosen), format!("{setup}?step=role&way=cli"));
    let page = admin.get(location(&chosen)).await;
    shows(&page, 200, "Access lists (ACLs): not granted");
    assert!(!page.text.contains("s3:PutObjectAcl"), "{}", page.text);
    let forged = admin.post(&setup, &[("external_id", "mine")]).await;
    shows(&forged, 422, "unknown_field");
}

#[tokio::test]
async fn closing_asks_and_then_keeps_or_discards() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let asks = admin.get(&format!("{setup}/close")).await;
    shows(&asks, 200, "/settings/storages?done=setup_kept");
    shows(&admin.get(&setup).await, 200, "Choose a bucket");
    let closed = admin.post(&format!("{setup}/close"), &[]).await;
    assert_eq!(location(&closed), "/settings/storages?done=setup_closed");
    shows(&admin.get(&setup).await, 200, "This setup was closed");
    let late = admin
        .post(&setup, &[("step", "bucket"), ("bucket", "acme-data")])
        .await;
    shows(&late, 409, "setup_closed");
}

#[tokio::test]
async fn forms_from_elsewhere_are_refused() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let other = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let foreign = csrf(&other.get("/settings/storages").await.text);
    let own = csrf(&admin.get(&setup).await.text);
    for below in [
        "",
        "/autosave",
        "/check",
        "/complete",
        "/close",
        "/link",
        "/link/revoke",
        "/browser-probe",
        "/choose",
    ] {
        let path = format!("{setup}{below}");
        for fields in [vec![], vec![("csrf", foreign.as_str())]] {
            let answer = admin.post_raw(&path, &fields).await;
            shows(&answer, 403, "csrf");
        }
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ] {
            let request = admin.request(Method::POST, &path).header(name, value);
            let answer = Answer::of(form(request, &[("csrf", &own)])).await;
            shows(&answer, 403, "cross_site");
        }
    }
    shows(&admin.get(&setup).await, 200, "Choose a bucket");
}

#[tokio::test]
async fn members_and_other_workspaces_have_no_part_in_it() {
    let app = TestApp::spawn_on_emulator().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let member = Browser::signed_in(&app, &workspace, "member").await;
    let stranger = Browser::signed_in(&app, &other, "admin").await;
    let setup = admin.open_setup().await;
    let named = [("step", "bucket"), ("bucket", "acme-data")];
    admin.post(&setup, &named).await;
    for below in [
        "",
        "?step=role",
        "/close",
        "/choose",
        "/documents",
        "/documents/cli",
    ] {
        let path = format!("{setup}{below}");
        shows(&member.get(&path).await, 403, "admin_required");
        shows(&stranger.get(&path).await, 404, "not_found");
        assert_eq!(Browser::anonymous(&app).get(&path).await.status, 401);
    }
    for below in [
        "",
        "/autosave",
        "/check",
        "/complete",
        "/close",
        "/link",
        "/link/revoke",
        "/choose",
    ] {
        let path = format!("{setup}{below}");
        shows(&member.post(&path, &[]).await, 403, "admin_required");
        shows(&stranger.post(&path, &[]).await, 404, "not_found");
    }
    shows(
        &admin.get(&format!("{setup}?step=bucket")).await,
        200,
        "acme-data",
    );
}

#[tokio::test]
async fn the_administrator_s_link_shows_and_takes_the_arn_and_no_more() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let mut somebody = Browser::anonymous(&app);
    let setup = admin.open_setup().await;
    admin
        .post(&setup, &[("step", "bucket"), ("bucket", "acme-data")])
        .await;
    let make = async || {
        let made = admin
            .post(&format!("{setup}/link"), &[("step", "role")])
            .await;
        let (_, after) = made.text.split_once("/instructions/").unwrap();
        let secret = after.split('<').next().unwrap();
        format!("/instructions/{secret}")
    };
    let link = make().await;
    let again = admin
        .get(&format!("{setup}?step=role&way=administrator"))
        .await;
    assert!(!again.text.contains(&link), "it is shown once");
    shows(&again, 200, "Revoke the link");

    let sent = link;
    let link = somebody.open_link(&sent).await;
    let page = somebody.get(&link).await;
    shows(&page, 200, "How to take it back");
    shows(
        &page,
        200,
        "An admin of that workspace, signed in to Sallyport (session …",
    );
    let page = somebody.get(&format!("{link}?way=console")).await;
    shows(&page, 200, "<mark>acme-data</mark>");
    shows(&page, 200, "sts:ExternalId");
    assert!(!page.headers.contains_key(SET_COOKIE));
    shows(
        &somebody.get(&format!("{link}/documents/terraform")).await,
        200,
        "aws_iam_role",
    );
    let bundle = somebody.get(&format!("{link}/documents")).await;
    assert!(bundle.json()["trust_policy"].is_object());

    // Its one power.
    let arn = "arn:aws:iam::444455556666:role/acme-sallyport";
    let bad = somebody
        .post_from(&link, &link, &[("role_arn", "a role")])
        .await;
    shows(&bad, 422, "value=\"a role\"");
    let forged = [("role_arn", arn), ("bucket", "other-bucket")];
    let answer = somebody.post_from(&link, &link, &forged).await;
    shows(&answer, 422, "unknown_field");
    let answer = somebody.post_raw(&link, &[("role_arn", arn)]).await;
    shows(&answer, 403, "csrf");
    let own = csrf(&admin.get("/settings/storages").await.text);
    let answer = somebody
        .post_raw(&link, &[("csrf", &own), ("role_arn", arn)])
        .await;
    shows(&answer, 403, "csrf");
    let answer = somebody.post_from(&link, &link, &[("role_arn", arn)]).await;
    assert_eq!(location(&answer), format!("{link}#connect"));
    shows(&admin.get(&format!("{setup}?step=check")).await, 200, arn);
    // It checks, and sees what the admin sees; the role is not there.
    let checked = somebody
        .post_from(&link, &format!("{link}/check"), &[])
        .await;
    assert_eq!(location(&checked), format!("{link}#connect"));
    let failed = somebody.get(&link).await;
    shows(&failed, 200, "data-ended=\"bad\"");
    assert!(!failed.text.contains("Saved") && !failed.text.contains("/complete"));
    let of_link = csrf(&somebody.get(&link).await.text);
    for path in [
        setup.clone(),
        format!("{setup}/check"),
        format!("{setup}/close"),
    ] {
        let answer = somebody.post_raw(&path, &[("csrf", &of_link)]).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        let answer = admin.post_raw(&path, &[("csrf", &of_link)]).await;
        shows(&answer, 403, "csrf");
    }

    // The audit log has who it was, and no secret.
    let log = app.get("/v1/audit-events", &workspace.admin).await;
    let secret = sent.rsplit('/').next().unwrap();
    assert!(!log.text.contains(secret));
    let events = log.expect(200);
    let by_link = events["audit_events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["action"] == "set_role_arn_by_link" && event["result"] == "done")
        .unwrap();
    assert!(
        by_link["actor"].as_str().unwrap().starts_with("inl_"),
        "{by_link}"
    );

    // A new one replaces it, and it can be revoked; a closed setup has none.
    let newer = make().await;
    shows(&somebody.get(&sent).await, 404, "instruction_link_unusable");
    shows(&somebody.get(&link).await, 404, "instruction_link_unusable");
    let of_newer = somebody.open_link(&newer).await;
    shows(&somebody.get(&of_newer).await, 200, "acme-data");
    let revoked = admin.post(&format!("{setup}/link/revoke"), &[]).await;
    assert!(location(&revoked).ends_with("done=link_revoked"));
    shows(
        &somebody.get(&newer).await,
        404,
        "instruction_link_unusable",
    );
    let last = make().await;
    admin.post(&format!("{setup}/close"), &[]).await;
    shows(&somebody.get(&last).await, 404, "instruction_link_unusable");
    shows(
        &somebody.get("/instructions/guess").await,
        404,
        "instruction_link_unusable",
    );
}

#[tokio::test]
async fn the_browser_s_own_step_needs_a_passed_check() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let (setup, customer, bucket) = applied(&admin, "read_write").await;
    let probe = format!("{setup}/browser-probe");
    shows(&admin.post(&probe, &[]).await, 409, "check_required");
    admin.post(&format!("{setup}/check"), &[]).await;

    let page = admin.get(&format!("{setup}?step=check&browser=try")).await;
    shows(&page, 200, "data-start");
    let policy = page.header("content-security-policy").unwrap();
    let emulator = url::Url::parse(&Emulator::url()).unwrap();
    let origin = emulator.origin().ascii_serialization();
    assert!(
        policy.contains(&format!("connect-src 'self' {origin}")),
        "{policy}"
    );

    let urls = admin.post(&probe, &[]).await.expect(200);
    let id = urls["probe"].as_str().unwrap();
    let call = async |method: Method, what: &str| {
        let url = urls[what]["url"].as_str().unwrap();
        admin
            .client
            .request(method, url)
            .body("")
            .send()
            .await
            .unwrap()
    };
    assert!(call(Method::PUT, "put").await.status().is_success());
    let key = format!("team/temp/sallyport-browser-{id}");
    let head = async || {
        customer
            .s3()
            .head_object()
            .bucket(&bucket)
            .key(&key)
            .send()
            .await
    };
    head().await.unwrap();
    let cleaned = admin
        .post(&format!("{probe}/clean-up"), &[("probe", id)])
        .await;
    assert_eq!(cleaned.status, 204, "{cleaned:?}");
    assert!(head().await.is_err());
    let other = admin
        .post(&format!("{probe}/clean-up"), &[("probe", "../a")])
        .await;
    assert_eq!(other.status, 404);
}
