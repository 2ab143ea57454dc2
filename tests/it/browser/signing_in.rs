//! Signing in without a link: at an OpenID provider, and by a token that a page of the product sends.

use crate::it::browser::world::World;
use crate::it::support::app::OPERATOR;
use crate::it::support::aws::wire::{Reply, Wire};
use crate::it::support::browser;
use crate::it::support::oidc::{CLIENT, OidcProvider, SECRET};
use crate::it::support::signer::{Kind, Signer};
use futures_util::FutureExt;
use serde_json::json;
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_comes_from_the_start_page_by_way_of_the_provider() {
    let mut provider = OidcProvider::start();
    let world = World::with(|options| {
        options.oidc_issuer = Some(provider.issuer.clone());
        options.oidc_client_id = Some(CLIENT.to_owned());
        options.oidc_client_secret = Some(SECRET.to_owned());
    })
    .await;
    let other = world.app.workspace().await;
    let workspaces = json!([world.workspace.id, other.id]);
    let people = json!({"ada": {"workspace": workspaces, "role": "admin", "name": "Ada"}});
    let service = world.url("");
    provider.serve(&service, "ES256", &people);
    browser::run("openid", async |browsers| {
        let page = browsers.open().await;
        page.expect_console("favicon.ico");
        world.goto(&page, "/").await;
        page.press("Sign in").await;
        page.fill("Name", "ada").await;
        page.press("Sign in").await;
        page.see("Choose a workspace").await;
        let link = format!("a[href='/sign-in/oidc?workspace={}']", other.id);
        let link = page.find(&link).await;
        page.click(&link).await;
        page.at("/settings/storages").await;
        world.goto(&page, "/settings/sessions").await;
        page.see("Ada").await;
        let names: Vec<String> = page
            .cookies()
            .await
            .iter()
            .map(|cookie| cookie["name"].as_str().unwrap().to_owned())
            .filter(|name| name.starts_with("sallyport"))
            .collect();
        assert_eq!(names, ["sallyport_session"]);
    })
    .await;
    let sessions = world.app.get("/v1/sessions", &other.admin).await;
    assert_eq!(sessions.expect(200)["sessions"][0]["subject"]["id"], "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_the_product_s_page_signs_in_and_the_cookie_stays() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let signer = Signer::new(Kind::EdDsa, "one");
    std::fs::write(&keys, Signer::key_set(&[&signer]).to_string()).unwrap();
    let world = World::with(|options| {
        options.jwt_issuer = Some("https://app.example.com".to_owned());
        options.jwt_keys = keys.to_str().map(str::to_owned);
    })
    .await;
    let body = json!({"external_id": "acme-1"});
    let path = format!("/v1/workspaces/{}", world.workspace.id);
    world.app.patch(&path, OPERATOR, &body).await.expect(200);

    // The product's page, which is of another site than the service: `localhost` is not `127.0.0.1`.
    let html = Arc::new(Mutex::new(String::new()));
    let shown = html.clone();
    let product = Wire::serve(move |_| {
        let body = shown.lock().unwrap().clone().into_bytes();
        async move {
            Reply::Answer {
                status: 200,
                headers: vec![("content-type".to_owned(), "text/html".to_owned())],
                body,
            }
        }
        .boxed()
    })
    .await;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let public = world.url("");
    let token = signer.token(&json!({
        "iss": "https://app.example.com", "aud": public, "sub": "user-1", "name": "Ada",
        "role": "admin", "workspace": "acme-1", "jti": "1", "exp": now + 120,
    }));
    *html.lock().unwrap() = format!(
        "<!doctype html><form method='post' action='{public}/sign-in/jwt'>
         <input type='hidden' name='token' value='{token}'>
         <input type='hidden' name='purpose' value='settings'><button>Open storages</button></form>"
    );
    browser::run("product_token", async |browsers| {
        let page = browsers.open().await;
        page.expect_console("favicon.ico");
        page.expect_status(401);
        page.goto(&product.url.replace("127.0.0.1", "localhost"))
            .await;
        page.press("Open storages").await;
        page.at("/settings/storages").await;
        world.goto(&page, "/settings/sessions").await;
        page.see("Ada").await;
        // Back and again: the token has been used.
        page.goto(&product.url.replace("127.0.0.1", "localhost"))
            .await;
        page.press("Open storages").await;
        page.see("This token has been used").await;
    })
    .await;
}
