//! The bucket's Region, and the account's buckets.

use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_region_is_asked_of_s3() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    assert_eq!(
        place.get("/location").await.expect(200),
        json!({"region": "us-east-1"})
    );
    let built_in = place
        .app
        .get("/v1/storages/built-in/location", &place.workspace.member)
        .await;
    assert_eq!(built_in.expect(200)["region"], "us-east-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_listed_where_the_customer_permits_it() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let other = place.storage.customer.create_bucket().await;
    let admin = &place.workspace.admin;
    let app = &place.app;
    let list = |query: &str| {
        let path = place.path(&format!("/buckets{query}"));
        async move { app.get(&path, admin).await }
    };
    let denied = list("").await;
    let problem = denied.problem(424, "storage_access_denied");
    let missing = json!([{"action": "s3:ListAllMyBuckets", "resource": "*"}]);
    assert_eq!(problem["missing"], missing);

    place.allow(&["s3:ListAllMyBuckets"], "*").await;
    let listed = list("").await.expect(200);
    let mut names: Vec<&str> = listed["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    let mut wanted = vec![place.storage.bucket.as_str(), other.as_str()];
    wanted.sort_unstable();
    assert_eq!(names, wanted);

    let options = list("?format=options").await.expect(200);
    let options = options.as_array().unwrap();
    assert_eq!(options.len(), 2);
    assert!(
        options
            .iter()
            .all(|option| option["text"] == option["value"])
    );

    place.get("/buckets").await.problem(403, "admin_required");
    list("?format=table").await.refused_field("format");
    let built_in = place.app.get("/v1/storages/built-in/buckets", admin).await;
    built_in.problem(409, "not_for_built_in_storage");
}
