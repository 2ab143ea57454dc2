//! Many URLs by one call: of every kind, whole and compact.

use crate::it::files::uploads::bytes;
use crate::it::support::client::{Content, plain_client};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};

/// Names that a URL has to write otherwise.
const KEYS: [&str; 6] = [
    "/b/plain.png",
    "/b/a b+c%2F.txt",
    "/b//d.zip",
    "//e",
    "/日本語/🙂.html",
    "/b/~-._*'()&=#?;:@",
];

/// As clients join them.
fn joined(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (base, query) = (text(&answer["base"]), text(&answer["query"]));
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            assert_eq!(item.as_array().unwrap().len(), 2, "{item}");
            let (key, signature) = (text(&item[0]), text(&item[1]));
            format!("{base}{key}?{query}&X-Amz-Signature={signature}")
        })
        .collect()
}

/// The address of a URL, and the pairs of its query. Where in a query a pair is does not matter to the store.
fn sorted(url: &str) -> (&str, Vec<&str>) {
    let (address, query) = url.split_once('?').unwrap();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    (address, pairs)
}

fn urls(answer: &Value) -> Vec<String> {
    let urls = answer["urls"].as_array().unwrap().iter();
    urls.map(|signed| signed["url"].as_str().unwrap().to_owned())
        .collect()
}

fn second(url: &str) -> &str {
    let (_, rest) = url.split_once("X-Amz-Date=").unwrap();
    rest.split('&').next().unwrap()
}

impl Scene {
    async fn sign_as_admin(&self, body: &Value) -> Value {
        self.post("/files/sign", body).await.expect(200)
    }

    /// The answers to a request in both formats, signed in the same second.
    async fn in_both(&self, body: &Value) -> (Value, Value) {
        let mut in_compact = body.clone();
        in_compact["format"] = json!("compact");
        for _ in 0..20 {
            let whole = self.sign_as_admin(body).await;
            let compact = self.sign_as_admin(&in_compact).await;
            if second(&urls(&whole)[0]) == second(&joined(&compact)[0]) {
                return (whole, compact);
            }
        }
        panic!("no two answers are of the same second");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_of_every_kind_work_for_each_key() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let client = plain_client();
    let upload = json!({
        "keys": KEYS, "method": "PUT", "content_type": "text/plain", "size": 5, "if_none_match": true,
    });
    // Twice: by the SDK's measure, and by what the session remembers of it.
    for content in ["first", "again"] {
        let signed = place.sign_as_admin(&upload).await;
        for (at, url) in signed["urls"].as_array().unwrap().iter().enumerate() {
            assert_eq!(
                (&url["key"], &url["method"]),
                (&json!(KEYS[at]), &json!("PUT"))
            );
            let headers = json!({
                "content-length": "5", "content-type": "text/plain", "if-none-match": "*",
            });
            assert_eq!(url["headers"], headers);
            let put = client
                .put(url["url"].as_str().unwrap())
                .header("content-type", "text/plain")
                .header("if-none-match", "*")
                .body(content);
            assert_eq!(put.send().await.unwrap().status(), 200, "{}", KEYS[at]);
        }
        let signed = place.sign(&json!({"keys": KEYS})).await.expect(200);
        for (url, key) in urls(&signed).iter().zip(KEYS) {
            let got = client.get(url).send().await.unwrap();
            assert_eq!(got.status(), 200, "{key}");
            assert_eq!(got.text().await.unwrap(), content);
        }
        let body = json!({"keys": KEYS, "range": "bytes=1-2"});
        let signed = place.sign(&body).await.expect(200);
        for (url, key) in urls(&signed).iter().zip(KEYS) {
            let got = client.get(url).header("range", "bytes=1-2");
            let got = got.send().await.unwrap();
            assert_eq!(got.status(), 206, "{key}");
            assert_eq!(got.text().await.unwrap(), content[1..3]);
        }
        let body = json!({"keys": KEYS, "method": "HEAD"});
        let signed = place.sign(&body).await.expect(200);
        for (url, key) in urls(&signed).iter().zip(KEYS) {
            let got = client.head(url).send().await.unwrap();
            assert_eq!(got.status(), 200, "{key}");
        }
        let body = json!({"keys": KEYS, "method": "DELETE"});
        for url in urls(&place.sign_as_admin(&body).await) {
            assert_eq!(client.delete(&url).send().await.unwrap().status(), 204);
        }
        for key in KEYS {
            assert!(place.object(key).await.is_none(), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compact_answers_give_the_same_urls() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    for (body, by_the_sdk) in [
        (
            json!({"keys": KEYS, "download_name": "ü.bin", "content_type": "application/zip"}),
            false,
        ),
        (json!({"keys": KEYS, "method": "PUT", "size": 1}), false),
        (json!({"keys": KEYS, "method": "DELETE"}), false),
        // Two spaces in a header are not signed as they are.
        (
            json!({"keys": KEYS, "method": "PUT", "content_type": "text/plain;  a=b"}),
            true,
        ),
    ] {
        let (whole, compact) = place.in_both(&body).await;
        let (whole_urls, joined_urls) = (urls(&whole), joined(&compact));
        assert_eq!(joined_urls.len(), KEYS.len());
        for (one, other) in joined_urls.iter().zip(&whole_urls) {
            assert_eq!(sorted(one), sorted(other), "{body}");
        }
        assert_eq!(compact["urls"], json!([]));
        for field in ["method", "headers", "expires_at"] {
            assert_eq!(compact[field], whole["urls"][0][field], "{field}");
        }
        if by_the_sdk {
            continue;
        }
        for (at, item) in compact["items"].as_array().unwrap().iter().enumerate() {
            // The key alone, without the prefix.
            let written = item[0].as_str().unwrap();
            let read = percent_encoding::percent_decode_str(written).decode_utf8();
            assert_eq!(format!("/{}", read.unwrap()), KEYS[at]);
        }
    }
    let none = json!({"keys": [], "format": "compact"});
    assert_eq!(place.sign(&none).await.expect(200)["items"], json!([]));
    let odd = json!({"keys": ["/a"], "format": "csv"});
    place.sign(&odd).await.refused_field("format");
}

#[tokio::test(flavor = "multi_thread")]
async fn compact_urls_read_alike_and_run_nothing() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let client = plain_client();
    let upload = json!({"keys": KEYS, "method": "PUT", "size": 5, "format": "compact"});
    for url in joined(&place.sign_as_admin(&upload).await) {
        let put = client.put(&url).body("bytes").send().await.unwrap();
        assert_eq!(put.status(), 200, "{url}");
    }
    for (mut body, disposition, content_type) in [
        (json!({"keys": KEYS}), "attachment", None),
        (
            json!({"keys": KEYS, "content_type": "image/png"}),
            "inline",
            Some("image/png"),
        ),
        (
            json!({"keys": KEYS, "content_type": "text/html"}),
            "attachment",
            Some("application/octet-stream"),
        ),
    ] {
        body["format"] = json!("compact");
        for url in joined(&place.sign(&body).await.expect(200)) {
            let got = Content::of(client.get(&url)).await;
            got.expect(200, b"bytes");
            assert_eq!(got.header("content-disposition"), Some(disposition));
            if content_type.is_some() {
                assert_eq!(got.header("content-type"), content_type);
            }
        }
    }
    let head = json!({"keys": KEYS, "method": "HEAD", "format": "compact"});
    for url in joined(&place.sign(&head).await.expect(200)) {
        assert_eq!(client.head(&url).send().await.unwrap().status(), 200);
    }
    let range = json!({"keys": KEYS, "range": "bytes=1-2", "format": "compact"});
    for url in joined(&place.sign(&range).await.expect(200)) {
        let part = client.get(&url).header("range", "bytes=1-2");
        Content::of(part).await.expect(206, b"yt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_in_compact_and_for_parts() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.put_at("d/9999 +%.txt", "the last").await;
    let keys: Vec<String> = (0..10_000).map(|n| format!("/d/{n} +%.txt")).collect();
    let body = json!({"keys": keys, "format": "compact"});
    let answer = place.sign(&body).await;
    // It comes in pieces, and nobody knows its length before.
    assert_eq!(answer.header("content-length"), None);
    let size = answer.text.len();
    let compact = joined(&answer.expect(200));
    assert_eq!(compact.len(), 10_000);
    let fetched = plain_client().get(&compact[9_999]).send().await.unwrap();
    assert_eq!(fetched.text().await.unwrap(), "the last");
    let whole = place.sign(&json!({"keys": keys})).await;
    assert_eq!(urls(&whole.expect(200)).len(), 10_000);
    assert!(2 * size < whole.text.len(), "{size} {}", whole.text.len());

    let begun = json!({"key": "/large.bin"});
    let begun = place.post("/files/multipart", &begun).await.expect(200);
    let numbers: Vec<usize> = (1..=10_000).rev().collect();
    let parts = json!({"upload_id": begun["upload_id"], "part_numbers": numbers});
    let parts = place
        .post("/files/multipart/parts", &parts)
        .await
        .expect(200);
    let signed = parts["urls"].as_array().unwrap();
    for (number, url) in numbers.iter().zip(signed) {
        assert_eq!(url["part_number"], json!(number));
        let named = format!("partNumber={number}&");
        assert!(url["url"].as_str().unwrap().contains(&named), "{url}");
    }
    let last = signed[9_999]["url"].as_str().unwrap();
    let sent = plain_client()
        .put(last)
        .body(bytes(10))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 200);
}
