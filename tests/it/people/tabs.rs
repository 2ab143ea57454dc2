//! Several workspaces in one browser: which cookie counts at which address.

use crate::it::support::app::{Answer, OPERATOR, TestApp, TestWorkspace};
use crate::it::support::pages::hidden;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::json;

const PLAIN: &str = "sallyport_session";

/// A browser, with the cookies that it keeps.
struct Jar<'a> {
    app: &'a TestApp,
    client: Client,
    /// Names and values, in the order in which they came.
    cookies: Vec<(String, String)>,
}

impl<'a> Jar<'a> {
    fn new(app: &'a TestApp) -> Self {
        let client = Client::builder().no_proxy();
        Self {
            app,
            client: client.redirect(redirect::Policy::none()).build().unwrap(),
            cookies: Vec::new(),
        }
    }

    fn with(app: &'a TestApp, cookies: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            cookies: cookies.iter().map(owned).collect(),
            ..Self::new(app)
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.app.url(path));
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        match cookies.is_empty() {
            true => request,
            false => request.header(COOKIE, cookies.join("; ")),
        }
        .header(ACCEPT, "text/html")
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends a form, and keeps and drops cookies as the answer says.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        let answer = Answer::of(request).await;
        self.keep(&answer);
        answer
    }

    /// Opens a link of the workspace, and keeps the cookies. Gives where it leads.
    async fn arrive(&mut self, workspace: &TestWorkspace) -> String {
        let path = new_link(self.app, workspace).await;
        let answer = self.get(&path).await;
        self.keep(&answer);
        led(&answer)
    }

    /// Opens a link of the workspace in a frame, with the cookies that there are at the moment.
    async fn arrive_in_frame(&self, workspace: &TestWorkspace) -> Answer {
        let path = new_link(self.app, workspace).await;
        let request = self.request(Method::GET, &path);
        Answer::of(request.header("sec-fetch-dest", "iframe")).await
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn value(&self, name: &str) -> &str {
        let found = self.cookies.iter().find(|(known, _)| known == name);
        let names: Vec<&String> = self.cookies.iter().map(|(known, _)| known).collect();
        &found.unwrap_or_else(|| panic!("no {name} in {names:?}")).1
    }

    fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(known, _)| known == name)
    }
}

/// The path of a new link.
async fn new_link(app: &TestApp, workspace: &TestWorkspace) -> String {
    let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    let body = json!({"role": "admin", "purpose": "settings"});
    let made = app.post(&path, OPERATOR, &body).await.expect(201);
    let url = url::Url::parse(made["url"].as_str().unwrap()).unwrap();
    url.path().to_owned()
}

#[track_caller]
fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.headers[LOCATION].to_str().unwrap().to_owned()
}

fn short(workspace: &TestWorkspace) -> &str {
    &workspace.id[workspace.id.len() - 16..]
}

fn base(workspace: &TestWorkspace) -> String {
    format!("/w/{}", short(workspace))
}

fn beside(workspace: &TestWorkspace) -> String {
    format!("{PLAIN}_{}", short(workspace))
}

/// A setup by whose name the pages of its workspace are told apart.
async fn named_setup(app: &TestApp, workspace: &TestWorkspace, name: &str) {
    let body = json!({"display_name": name});
    let path = "/v1/storage-setups";
    app.post(path, &workspace.admin, &body).await.expect(201);
}

#[tokio::test]
async fn a_cookie_of_one_workspace_is_not_signed_in_at_the_address_of_another() {
    let app = TestApp::spawn_with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    named_setup(&app, &a, "Of A").await;
    named_setup(&app, &b, "Of B").await;
    let mut jar = Jar::new(&app);
    assert_eq!(jar.arrive(&a).await, "/settings/storages");
    assert_eq!(
        jar.arrive(&b).await,
        format!("{}/settings/storages", base(&b))
    );
    let of_a = jar.value(PLAIN).to_owned();
    let of_b = jar.value(&beside(&b)).to_owned();
    let list = |base: &str| format!("{base}/settings/storages");

    let (at_plain, at_b) = (jar.get(&list("")).await, jar.get(&list(&base(&b))).await);
    assert!(at_plain.text.contains("Of A") && !at_plain.text.contains("Of B"));
    assert!(at_b.text.contains("Of B") && !at_b.text.contains("Of A"));

    // Whatever name a cookie has, its session is of its workspace alone.
    for (name, secret, address) in [
        (PLAIN.to_owned(), &of_a, list(&base(&b))),
        (beside(&b), &of_a, list(&base(&b))),
        (beside(&a), &of_b, list(&base(&a))),
        (PLAIN.to_owned(), &of_b, list(&base(&a))),
        // The addresses without a workspace are not for a cookie of one.
        (beside(&b), &of_b, list("")),
        (beside(&a), &of_a, list("")),
    ] {
        let answer = Jar::with(&app, &[(name.as_str(), secret.as_str())])
            .get(&address)
            .await;
        assert_eq!(answer.status, 401, "{name} at {address}");
        assert!(!answer.text.contains("Of A") && !answer.text.contains("Of B"));
    }
    // The first workspace has addresses of its own as well.
    let first = jar.get(&list(&base(&a))).await;
    assert!(first.text.contains("Of A"), "{first:?}");
    let away = Jar::with(&app, &[(PLAIN, of_a.as_str())])
        .get(&list(&base(&a)))
        .await;
    assert!(away.text.contains("Of A"), "{away:?}");

    // Nor is a form of one taken by the other.
    let csrf = hidden(&at_plain.text, "csrf");
    let add = format!("{}/settings/storages/add", base(&b));
    let refused = jar.post(&add, &[("csrf", csrf.as_str())]).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let csrf = hidden(&at_b.text, "csrf");
    let opened = led(&jar.post(&add, &[("csrf", csrf.as_str())]).await);
    let setup = format!("{}/settings/setups/set_", base(&b));
    assert!(opened.starts_with(&setup), "{opened}");
}

#[tokio::test]
async fn an_address_without_a_workspace_says_where_the_browser_is_signed_in() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    jar.arrive(&b).await;
    jar.cookies.retain(|(name, _)| name != PLAIN);
    let start = jar.get("/").await;
    assert_eq!(start.status, 200);
    let link = format!("href=\"{}/\"", base(&b));
    assert!(start.text.contains(&link), "{}", start.text);
    assert!(!start.text.contains(&base(&a)), "{}", start.text);
    let ended = jar.get("/projects").await;
    assert_eq!(ended.status, 401);
    assert!(ended.text.contains("Go to the start"), "{}", ended.text);
    // At an address of a workspace there is no way into another one.
    let ended = jar.get(&format!("{}/projects", base(&a))).await;
    assert_eq!(ended.status, 401);
    assert!(!ended.text.contains("Go to the start"), "{}", ended.text);
    let start = jar.get(&format!("{}/", base(&a))).await;
    assert!(!start.text.contains(&base(&b)), "{}", start.text);
}

#[tokio::test]
async fn the_first_addresses_stay_those_of_their_workspace() {
    let app = TestApp::spawn_with(|options| options.session_idle = Some("1s".into())).await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let of_b = format!("{}/settings/storages", base(&b));

    // After a session has ended by its time.
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(jar.get("/settings/storages").await.status, 401);
    assert_eq!(jar.arrive(&b).await, of_b);
    assert_eq!(jar.get("/settings/storages").await.status, 401);
    assert_eq!(jar.arrive(&a).await, "/settings/storages");

    // After it was ended by somebody else.
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    let listed = app.get("/v1/sessions", &a.admin).await.expect(200);
    for session in listed["sessions"].as_array().unwrap() {
        let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        app.delete(&path, &a.admin).await.expect(204);
    }
    assert_eq!(jar.arrive(&b).await, of_b);
}

#[tokio::test]
async fn signing_out_of_one_leaves_the_others_and_their_addresses() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    jar.arrive(&b).await;
    let csrf = async |jar: &Jar<'_>, base: &str| {
        let page = jar.get(&format!("{base}/projects")).await;
        hidden(&page.text, "csrf")
    };

    let token = csrf(&jar, &base(&b)).await;
    let out = jar
        .post(
            &format!("{}/sign-out", base(&b)),
            &[("csrf", token.as_str())],
        )
        .await;
    assert_eq!(led(&out), format!("{}/signed-out", base(&b)));
    assert!(!jar.has(&beside(&b)) && jar.has(PLAIN));
    let there = format!("{}/projects", base(&b));
    assert_eq!(jar.get(&there).await.status, 401);
    assert_eq!(jar.get("/projects").await.status, 200);

    let token = csrf(&jar, "").await;
    let out = jar.post("/sign-out", &[("csrf", token.as_str())]).await;
    assert_eq!(led(&out), "/signed-out");
    assert!(!jar.has(PLAIN));
    assert_eq!(jar.value("sallyport_left"), short(&a));
    // The first addresses are kept for the workspace that they had.
    let of_b = format!("{}/settings/storages", base(&b));
    assert_eq!(jar.arrive(&b).await, of_b);
    assert_eq!(jar.get("/projects").await.status, 401);
    assert_eq!(jar.arrive(&a).await, "/settings/storages");
    assert!(!jar.has("sallyport_left"));
    assert_eq!(jar.get("/projects").await.status, 200);
}

#[tokio::test]
async fn a_link_opened_again_leads_to_its_own_session() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let mut jar = Jar::new(&app);
    let (link_a, link_b) = (new_link(&app, &a).await, new_link(&app, &b).await);
    for link in [&link_a, &link_b] {
        let answer = jar.get(link).await;
        jar.keep(&answer);
    }
    for (link, to) in [
        (&link_a, "/settings/storages".to_owned()),
        (&link_b, format!("{}/settings/storages", base(&b))),
    ] {
        let again = jar.get(link).await;
        assert_eq!(led(&again), to);
        assert!(!again.headers.contains_key(SET_COOKIE));
    }
}

#[tokio::test]
async fn frames_that_begin_at_the_same_time_stay_in_their_workspaces() {
    let app = TestApp::spawn_with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    named_setup(&app, &a, "Of A").await;
    named_setup(&app, &b, "Of B").await;
    let list = |workspace| format!("{}/settings/storages", base(workspace));
    let mut jar = Jar::new(&app);
    // Neither request has the cookie of the other's answer.
    let (of_a, of_b) = (jar.arrive_in_frame(&a).await, jar.arrive_in_frame(&b).await);
    for (answer, workspace) in [(&of_a, &a), (&of_b, &b)] {
        jar.keep(answer);
        assert_eq!(led(answer), list(workspace));
    }
    for (workspace, own, other) in [(&a, "Of A", "Of B"), (&b, "Of B", "Of A")] {
        let page = jar.get(&list(workspace)).await;
        assert!(page.text.contains(own), "{page:?}");
        assert!(!page.text.contains(other), "{page:?}");
    }
    // The addresses without a workspace are the last one's.
    let plain = jar.get("/settings/storages").await;
    assert!(plain.text.contains("Of B"), "{plain:?}");
}

#[tokio::test]
async fn the_first_frame_has_the_addresses_without_a_workspace_too() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let list = |workspace| format!("{}/settings/storages", base(workspace));
    let mut jar = Jar::new(&app);
    for _ in 0..2 {
        let answer = jar.arrive_in_frame(&a).await;
        jar.keep(&answer);
        assert_eq!(led(&answer), list(&a));
        assert_eq!(jar.value(PLAIN), jar.value(&beside(&a)));
    }
    assert_eq!(jar.get("/settings/storages").await.status, 200);
    // Another workspace's frame leaves them as they are.
    let answer = jar.arrive_in_frame(&b).await;
    jar.keep(&answer);
    assert_eq!(led(&answer), list(&b));
    assert_eq!(jar.value(PLAIN), jar.value(&beside(&a)));
    // A page of the same workspace outside of a frame has them, and a session of its own.
    assert_eq!(jar.arrive(&a).await, "/settings/storages");
    assert_ne!(jar.value(PLAIN), jar.value(&beside(&a)));
    for path in [list(&a), list(&b), "/settings/storages".to_owned()] {
        assert_eq!(jar.get(&path).await.status, 200, "{path}");
    }
    // They stay another one's after it was left.
    let answer = Jar::with(&app, &[("sallyport_left", short(&a))]);
    let answer = answer.arrive_in_frame(&b).await;
    let cookies = answer.headers.get_all(SET_COOKIE).iter();
    let names: Vec<&str> = cookies
        .map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap())
        .collect();
    assert_eq!(names, [beside(&b)]);
}

#[tokio::test]
async fn only_pages_have_addresses_of_a_workspace() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    jar.arrive(&b).await;
    let base = base(&b);
    for path in [
        "/v1/storages",
        "/v1/workspaces",
        "/healthz",
        "/docs",
        "/openapi.json",
        "/embed/picker.js",
        "/nothing",
        "//settings/storages",
    ] {
        let answer = app.get(&format!("{base}{path}"), &b.admin).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(jar.get(&format!("{base}{path}")).await.status, 404);
    }
    // A link is used up where it was made for alone.
    let link = new_link(&app, &a).await;
    assert_eq!(jar.get(&format!("{base}{link}")).await.status, 404);
    assert_eq!(led(&jar.get(&link).await), "/settings/storages");
    // What is not there leads on in the workspace; the start page is its own.
    let nothing = jar.get(&format!("{base}/nothing")).await;
    assert!(nothing.text.contains(&format!("href=\"{base}/\"")));
    let start = led(&jar.get(&base).await);
    assert_eq!(start, format!("{base}/settings/storages"));
    for not_one in ["/w/", "/w/x/projects", "/w/0123456789ABCDEF/projects"] {
        assert_eq!(jar.get(not_one).await.status, 404, "{not_one}");
    }
}

#[tokio::test]
async fn a_browser_keeps_a_bounded_number_of_workspaces() {
    let app = TestApp::spawn().await;
    let mut jar = Jar::new(&app);
    let mut workspaces = Vec::new();
    for _ in 0..18 {
        let workspace = app.workspace().await;
        jar.arrive(&workspace).await;
        workspaces.push(workspace);
    }
    // The first one has the addresses without a workspace. Of the others the one that came first gave way.
    let kept: Vec<bool> = workspaces.iter().map(|one| jar.has(&beside(one))).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 16);
    assert!(jar.has(PLAIN) && !kept[1] && kept[2] && kept[17]);
    let page = |workspace: &TestWorkspace| format!("{}/projects", base(workspace));
    assert_eq!(jar.get(&page(&workspaces[1])).await.status, 401);
    assert_eq!(jar.get(&page(&workspaces[17])).await.status, 200);
}

#[tokio::test]
async fn a_page_s_call_of_the_api_names_its_workspace() {
    let app = TestApp::spawn_on_emulator().await;
    let (a, b) = (app.workspace().await, app.workspace().await);
    let mut jar = Jar::new(&app);
    jar.arrive(&a).await;
    jar.arrive(&b).await;
    let origin = format!("http://{}", app.address);
    let body = json!({"storage_id": "built-in", "origin": "https://app.example.com"});
    let send = async |jar: &Jar<'_>, workspace: Option<&str>| {
        let request = jar
            .request(Method::POST, "/v1/browser-tokens")
            .header("origin", origin.as_str())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let request = match workspace {
            Some(workspace) => request.header("sallyport-workspace", workspace),
            None => request,
        };
        Answer::of(request).await
    };
    send(&jar, None).await.expect(201);
    send(&jar, Some(&a.id)).await.expect(201);
    send(&jar, Some(&b.id)).await.expect(201);
    // Without a session there, it is not done in the other one.
    jar.cookies.retain(|(name, _)| name == PLAIN);
    assert!(!send(&jar, Some(&b.id)).await.status.is_success());
}
