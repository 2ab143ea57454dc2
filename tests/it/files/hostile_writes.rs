//! Keys that have gone wrong somewhere arrive as they are by every way to write, too.

use crate::it::files::keys::{HOSTILE, only_slashes};
use crate::it::support::client::plain_client;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn keys() -> Vec<String> {
    let paths = HOSTILE.iter().filter(|path| !only_slashes(path));
    paths.map(|path| format!("/{path}")).collect()
}

/// The keys in the bucket, as file keys.
async fn stored(place: &Scene) -> BTreeSet<String> {
    let (keys, _) = place.bucket().await;
    let below = |key: String| format!("/{}", key.strip_prefix("team/").unwrap());
    keys.into_iter().map(below).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_arrive_as_they_are() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let keys = keys();
    let wanted: BTreeSet<String> = keys.iter().cloned().collect();
    let uploads = keys
        .iter()
        .map(|key| place.upload(key, format!("content of {key}")));
    let answers: Vec<_> = stream::iter(uploads).buffered(8).collect().await;
    for (key, answer) in keys.iter().zip(&answers) {
        assert_eq!(answer.expect(200)["key"], *key);
    }
    assert_eq!(stored(&place).await, wanted);
    for key in &keys {
        let found = place.object(key).await.unwrap();
        assert_eq!(found, format!("content of {key}").into_bytes(), "{key:?}");
    }

    // One by one and all together, deleted is what was named.
    let (alone, together) = keys.split_at(20);
    for key in alone {
        let path = format!("/files?key={}", crate::it::support::client::encoded(key));
        place.delete(&path).await.expect(204);
    }
    let left: BTreeSet<String> = together.iter().cloned().collect();
    assert_eq!(stored(&place).await, left);
    let answer = place
        .post("/files/delete", &json!({"keys": together}))
        .await;
    assert_eq!(
        answer.expect(200),
        json!({"deleted": together, "errors": []})
    );
    assert_eq!(place.bucket().await, (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_copied_as_they_are() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/original", "content").await;
    let mut from = "/original".to_owned();
    for key in keys() {
        let moved = place
            .post("/files/move", &json!({"from": from, "to": key}))
            .await;
        assert_eq!(moved.expect(200)["key"], key);
        assert_eq!(
            stored(&place).await,
            BTreeSet::from([key.clone()]),
            "{key:?}"
        );
        from = key;
    }
    assert_eq!(place.object(&from).await.unwrap(), b"content");
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_urls_carry_keys_as_they_are() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let client = plain_client();
    let keys = keys();
    let sign =
        |method: &str| place.post_owned("/files/sign", json!({"keys": keys, "method": method}));
    let signed = sign("PUT").await.expect(200);
    for (key, url) in keys.iter().zip(signed["urls"].as_array().unwrap()) {
        assert_eq!(url["key"], *key);
        let put = client.put(url["url"].as_str().unwrap()).body(key.clone());
        let answer = put.send().await.unwrap();
        assert_eq!(
            answer.status(),
            200,
            "{key:?}: {}",
            answer.text().await.unwrap()
        );
    }
    let wanted: BTreeSet<String> = keys.iter().cloned().collect();
    assert_eq!(stored(&place).await, wanted);
    for key in &keys {
        assert_eq!(place.object(key).await.unwrap(), key.as_bytes());
    }
    let signed = sign("DELETE").await.expect(200);
    for url in signed["urls"].as_array().unwrap() {
        let delete = client.delete(url["url"].as_str().unwrap());
        assert_eq!(delete.send().await.unwrap().status(), 204, "{url}");
    }
    assert_eq!(place.bucket().await.0, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_upload_has_the_type_that_was_signed() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = json!({"key": "/a", "method": "PUT", "content_type": "image/png"});
    let signed = place.post("/files/sign", &body).await.expect(200);
    let signed: &Value = &signed["urls"][0];
    assert_eq!(signed["method"], "PUT");
    assert_eq!(signed["headers"], json!({"content-type": "image/png"}));
    let url = signed["url"].as_str().unwrap();
    let client = plain_client();
    let put = |content_type: &'static str| {
        client
            .put(url)
            .header("content-type", content_type)
            .body("x")
            .send()
    };
    assert_eq!(put("text/html").await.unwrap().status(), 403);
    assert_eq!(put("image/png").await.unwrap().status(), 200);
    let member = &place.workspace.member;
    let by_member = place
        .app
        .post(&place.path("/files/sign"), member, &body)
        .await;
    by_member.problem(403, "admin_required");
    let field = json!({"key": "/a", "method": "PUT", "download_name": "x"});
    place
        .post("/files/sign", &field)
        .await
        .refused_field("download_name");
}

/// The headers that a signed URL's signature covers.
fn signed_headers(url: &str) -> Vec<String> {
    let url = url::Url::parse(url).unwrap();
    let (_, names) = url
        .query_pairs()
        .find(|(name, _)| name == "X-Amz-SignedHeaders")
        .unwrap();
    names.split(';').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_upload_has_the_size_that_was_signed() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = json!({"keys": ["/a", "/b"], "method": "PUT", "size": 5});
    let answer = place.post("/files/sign", &body).await.expect(200);
    let client = plain_client();
    for (key, signed) in ["/a", "/b"].iter().zip(answer["urls"].as_array().unwrap()) {
        assert_eq!(signed["headers"], json!({"content-length": "5"}));
        let url = signed["url"].as_str().unwrap();
        assert!(signed_headers(url).contains(&"content-length".to_owned()));
        for refused in ["", "four", "longer"] {
            let put = client.put(url).body(refused).send().await.unwrap();
            assert_eq!(put.status(), 403, "{key} {refused:?}");
        }
        assert_eq!(place.object(key).await, None);
        let put = client.put(url).body("fifth").send().await.unwrap();
        assert_eq!(put.status(), 200);
        assert_eq!(place.object(key).await.unwrap(), b"fifth");
    }
    let empty = json!({"key": "/empty", "method": "PUT", "size": 0});
    let signed = place.post("/files/sign", &empty).await.expect(200);
    assert_eq!(signed["urls"][0]["headers"], json!({"content-length": "0"}));
    let too_large = json!({"key": "/a", "method": "PUT", "size": (5_u64 << 30) + 1});
    let refused = place.post("/files/sign", &too_large).await;
    let problem = refused.refused_field("size");
    assert_eq!(problem["errors"][0]["code"], "file_too_large");
    for size in [json!(-1), json!("5"), json!(1.5)] {
        let body = json!({"key": "/a", "method": "PUT", "size": size});
        place.post("/files/sign", &body).await.refused_field("size");
    }
    let largest = json!({"key": "/a", "method": "PUT", "size": 5_u64 << 30});
    place.post("/files/sign", &largest).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_upload_may_be_for_a_new_file_only() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/a", "the first").await;
    let client = plain_client();
    for (key, stored) in [("/a", 412), ("/b", 200)] {
        let body = json!({"key": key, "method": "PUT", "if_none_match": true, "size": 3});
        let answer = place.post("/files/sign", &body).await.expect(200);
        let signed = &answer["urls"][0];
        let headers = json!({"content-length": "3", "if-none-match": "*"});
        assert_eq!(signed["headers"], headers);
        let url = signed["url"].as_str().unwrap();
        // S3 refuses what leaves a signed header out: the condition cannot be dropped.
        assert!(signed_headers(url).contains(&"if-none-match".to_owned()));
        let without = client.put(url).body("new").send().await.unwrap();
        assert_eq!(without.status(), 403);
        let with = client.put(url).header("if-none-match", "*").body("new");
        assert_eq!(with.send().await.unwrap().status(), stored, "{key}");
    }
    assert_eq!(place.object("/a").await.unwrap(), b"the first");
    assert_eq!(place.object("/b").await.unwrap(), b"new");
    for (body, field) in [
        (json!({"key": "/a", "if_none_match": true}), "if_none_match"),
        (json!({"key": "/a", "method": "HEAD", "size": 1}), "size"),
        (json!({"key": "/a", "method": "DELETE", "size": 1}), "size"),
        (
            json!({"key": "/a", "method": "DELETE", "if_none_match": true}),
            "if_none_match",
        ),
    ] {
        let refused = place.post("/files/sign", &body).await.refused_field(field);
        assert_eq!(refused["errors"][0]["code"], "unexpected_field", "{body}");
    }
}
