//! An administrator's link is exchanged for a cookie: the address of its page has no secret.

use crate::it::support::app::{Answer, TestApp};
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use serde_json::json;

/// The service with one more setting.
async fn app(change: impl FnOnce(&mut crate::settings::Options)) -> TestApp {
    TestApp::spawn_with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
        change(options);
    })
    .await
}

/// The path of a new link, as it is sent, and the link's ID.
async fn link(app: &TestApp, admin: &str) -> (String, String) {
    let setup = app
        .post("/v1/storage-setups", admin, &json!({"bucket": "acme-data"}))
        .await
        .expect(201);
    let path = format!(
        "/v1/storage-setups/{}/administrator-links",
        setup["id"].as_str().unwrap()
    );
    let made = app.post(&path, admin, &json!({})).await.expect(201);
    let (_, secret) = made["url"]
        .as_str()
        .unwrap()
        .split_once("/instructions/")
        .unwrap();
    (
        format!("/instructions/{secret}"),
        made["id"].as_str().unwrap().to_owned(),
    )
}

/// What a browser gets that comes with these headers.
async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    let request = client
        .request(Method::GET, app.url(path))
        .header(ACCEPT, "text/html");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    Answer::of(request).await
}

/// The cookie's pair and its attributes.
fn cookie(answer: &Answer) -> (String, Vec<String>) {
    let whole = answer.headers[SET_COOKIE].to_str().unwrap();
    let mut parts = whole.split("; ").map(str::to_owned);
    (parts.next().unwrap(), parts.collect())
}

#[tokio::test]
async fn a_browser_goes_to_an_address_without_the_secret() {
    let app = app(|_| {}).await;
    let workspace = app.workspace().await;
    let (sent, id) = link(&app, &workspace.admin).await;
    let secret = sent.rsplit('/').next().unwrap();
    let as_document = [
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
    ];
    let opened = get(&app, &format!("{sent}?way=console"), &as_document).await;
    assert_eq!(opened.status, 303, "{opened:?}");
    let place = format!("/instructions/{id}");
    assert_eq!(opened.headers[LOCATION], format!("{place}?way=console"));
    assert_eq!(opened.header("referrer-policy"), Some("same-origin"));
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    let (pair, attributes) = cookie(&opened);
    assert_eq!(pair, format!("sallyport_setup_link={secret}"));
    let has = |attribute: &str| attributes.iter().any(|one| one == attribute);
    assert!(has("HttpOnly") && has("SameSite=Lax") && has(&format!("Path={place}")));
    assert!(!has("Secure"), "{attributes:?}");
    let life = attributes
        .iter()
        .find_map(|one| one.strip_prefix("Max-Age="));
    let life: i64 = life.unwrap().parse().unwrap();
    // As long as the link, which is seven days.
    assert!((604_000..=604_800).contains(&life), "{life}");

    // The page, its parts and its forms are below that address.
    let with_cookie = [("cookie", pair.as_str())];
    let page = get(&app, &format!("{place}?way=console"), &with_cookie).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("sts:ExternalId"), "{}", page.text);
    assert!(!page.text.contains(secret) && !page.headers.contains_key(SET_COOKIE));
    assert!(page.text.contains(&format!("action=\"{place}\"")));
    let documents = get(&app, &format!("{place}/documents"), &with_cookie).await;
    assert!(documents.expect(200)["trust_policy"].is_object());
    // A form needs its token: the cookie alone changes nothing.
    let form = app
        .request(Method::POST, &place, "")
        .header(COOKIE, &pair)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("customer_account_id=444455556666");
    Answer::of(form).await.problem(403, "csrf");

    // The link goes on working, in this browser and in others.
    for _ in 0..2 {
        let again = get(&app, &sent, &[]).await;
        assert_eq!(again.headers[LOCATION], place);
        assert_eq!(cookie(&again).0, pair);
    }
    // Programs use it as it is.
    let documents = get(&app, &format!("{sent}/documents"), &[]).await;
    assert!(documents.expect(200)["trust_policy"].is_object());
}

#[tokio::test]
async fn the_address_alone_opens_nothing() {
    let app = app(|_| {}).await;
    let workspace = app.workspace().await;
    let (sent, id) = link(&app, &workspace.admin).await;
    let (other, _) = link(&app, &workspace.admin).await;
    let place = format!("/instructions/{id}");
    let name = "sallyport_setup_link";
    let of_other = format!("{name}={}", other.rsplit('/').next().unwrap());
    let own = format!("{name}={}", sent.rsplit('/').next().unwrap());
    for below in ["", "/events", "/documents", "/documents/terraform"] {
        let path = format!("{place}{below}");
        for headers in [&[][..], &[("cookie", of_other.as_str())]] {
            let refused = get(&app, &path, headers).await;
            assert_eq!(refused.status, 404, "{path}");
            let text = &refused.text;
            assert!(text.contains("instruction_link_not_opened"), "{text}");
            assert!(text.contains("Open the setup link again"), "{text}");
        }
    }
    let form = app
        .request(Method::POST, &place, "")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("csrf=a");
    let refused = Answer::of(form).await;
    refused.problem(404, "instruction_link_not_opened");
    assert_eq!(
        get(&app, &place, &[("cookie", own.as_str())]).await.status,
        200
    );
}

#[tokio::test]
async fn in_a_frame_the_page_stays_where_it_is() {
    let app = app(|options| options.frame_ancestors = Some("https://app.example.com".into())).await;
    let workspace = app.workspace().await;
    let (sent, id) = link(&app, &workspace.admin).await;
    // An old browser does not say what it asks for.
    for headers in [&[("sec-fetch-dest", "iframe")][..], &[]] {
        let framed = get(&app, &sent, headers).await;
        assert_eq!(framed.status, 200, "{framed:?}");
        assert!(!framed.headers.contains_key(SET_COOKIE));
        assert!(framed.text.contains(&format!("action=\"{sent}\"")));
    }
    let alone = get(&app, &sent, &[("sec-fetch-dest", "document")]).await;
    assert_eq!(alone.headers[LOCATION], format!("/instructions/{id}"));
}

#[tokio::test]
async fn the_cookie_is_secure_and_has_the_path_of_the_public_url() {
    let app = app(|options| {
        options.public_url = Some("https://files.example.com/sallyport".into());
    })
    .await;
    let workspace = app.workspace().await;
    let (sent, id) = link(&app, &workspace.admin).await;
    let opened = get(&app, &sent, &[]).await;
    let place = format!("/sallyport/instructions/{id}");
    assert_eq!(opened.headers[LOCATION], place);
    let (pair, attributes) = cookie(&opened);
    assert!(
        pair.starts_with("__Secure-sallyport_setup_link=sl_"),
        "{pair}"
    );
    assert!(attributes.contains(&format!("Path={place}")));
    assert!(attributes.contains(&"Secure".to_owned()));
}
