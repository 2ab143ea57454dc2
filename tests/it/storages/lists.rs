//! Lists of storages.

use crate::it::support::app::{ORIGIN, TestApp, app_on};
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::client::encoded;
use crate::it::support::scene::Scene;
use serde_json::Value;

fn ids(page: &Value) -> Vec<String> {
    let storages = page["storages"].as_array().unwrap().iter();
    let ids = storages.map(|storage| storage["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test]
async fn a_list_can_include_the_built_in_storage() {
    let stub = AwsStub::start().await;
    let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
        options.allowed_origins = Some(ORIGIN.into());
        options.built_in_bucket = Some("vendor-bucket".into());
    })
    .await;
    let workspace = app.workspace().await;
    let first = Scene::on(&stub).access("read").connect_in(&app, &workspace);
    let first = first.await.id;
    let second = Scene::on(&stub).access("read").connect_in(&app, &workspace);
    let second = second.await.id;
    let list = async |query: &str| {
        let path = format!("/v1/storages{query}");
        app.get(&path, &workspace.member).await.expect(200)
    };
    let built_in = "built-in".to_owned();
    assert_eq!(ids(&list("").await), [first.clone(), second.clone()]);
    let all = [built_in, first, second];
    let whole = list("?include=built-in").await;
    assert_eq!(ids(&whole), all);
    assert_eq!(whole["storages"][0]["bucket"], "vendor-bucket");
    assert_eq!(whole["storages"][0]["is_default"], true);
    // It has its place on the pages like every other.
    for size in 1..=3 {
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let page = list(&format!("?include=built-in&page_size={size}{token}")).await;
            assert!(ids(&page).len() <= size, "{page}");
            found.extend(ids(&page));
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={}", encoded(next)),
                None => break,
            }
        }
        assert_eq!(found, all, "{size} on a page");
    }
    // It is found by its name, as the others are.
    let named = list("?include=built-in&name=BUILT-IN").await;
    assert_eq!(ids(&named), all[..1]);
    let named = list("?include=built-in&name=nothing").await;
    assert!(ids(&named).is_empty(), "{named}");
    let path = "/v1/storages?include=all";
    let answer = app.get(path, &workspace.member).await;
    answer.refused_field("include");
}

#[tokio::test]
async fn without_a_built_in_storage_the_list_is_the_same() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let workspace = app.workspace().await;
    let path = "/v1/storages?include=built-in";
    let list = app.get(path, &workspace.member).await.expect(200);
    assert!(ids(&list).is_empty(), "{list}");
}
