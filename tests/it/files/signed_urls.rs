//! Signed URLs: who holds one has the file, for as long as was said and no longer.

use crate::it::support::app::{TestApp, logs};
use crate::it::support::client::{encoded, plain_client};
use crate::it::support::emulator::{Emulator, sdk_config};
use crate::it::support::scene::Scene;
use aws_sdk_s3::config::Credentials;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn expiry(url: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(url["expires_at"].as_str().unwrap(), &Rfc3339).unwrap()
}

/// A query parameter of a URL, as it is written there.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    let found = query.split('&').filter_map(|pair| pair.split_once('='));
    found.into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_works_for_anybody_until_it_expires() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a.txt", "content").await;
    let before = OffsetDateTime::now_utc();
    let body = json!({"key": "/a.txt", "method": "GET", "expires_in": 3});
    let answer = place.sign(&body).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let signed = &answer.expect(200)["urls"][0];
    assert_eq!(
        (&signed["key"], &signed["method"]),
        (&json!("/a.txt"), &json!("GET"))
    );
    assert_eq!(signed["headers"], json!({}));
    let left = expiry(signed) - before;
    assert!(
        left > time::Duration::seconds(1) && left <= time::Duration::seconds(4),
        "{left}"
    );

    let url = signed["url"].as_str().unwrap();
    assert_eq!(parameter(url, "X-Amz-Expires"), Some("3"));
    let client = plain_client();
    let fetched = client.get(url).send().await.unwrap();
    assert_eq!(
        (
            fetched.status().as_u16(),
            fetched.text().await.unwrap().as_str()
        ),
        (200, "content")
    );
    // Only a GET, and only of this object.
    assert_eq!(
        client.put(url).body("x").send().await.unwrap().status(),
        403
    );
    let other = url.replace("a.txt", "b.txt");
    assert_eq!(client.get(other).send().await.unwrap().status(), 403);

    let wait = expiry(signed) - OffsetDateTime::now_utc() + time::Duration::SECOND;
    tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
    assert_eq!(client.get(url).send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_is_within_bounds() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let sign = async |expires_in: Value| {
        let body = json!({"key": "a", "method": "GET", "expires_in": expires_in});
        place.sign(&body).await
    };
    for bad in [json!(0), json!(43_201), json!(604_801), json!(u64::MAX)] {
        let problem = sign(bad.clone()).await.refused_field("expires_in");
        assert_eq!(
            problem["errors"][0]["code"], "expires_in_out_of_range",
            "{bad}"
        );
    }
    for bad in [json!(-1), json!(1.5), json!("60")] {
        sign(bad).await.refused_field("expires_in");
    }
    let default = sign(Value::Null).await.expect(200);
    assert_eq!(
        parameter(default["urls"][0]["url"].as_str().unwrap(), "X-Amz-Expires"),
        Some("900")
    );

    // Longer than a session lives: cut, and said so.
    let long = sign(json!(43_200)).await.expect(200);
    let url = long["urls"][0]["url"].as_str().unwrap();
    let seconds: u64 = parameter(url, "X-Amz-Expires").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&seconds), "{seconds}");
    let left = expiry(&long["urls"][0]) - OffsetDateTime::now_utc();
    assert!(
        left.whole_seconds().unsigned_abs() <= seconds && left.whole_seconds() > 3_490,
        "{left}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_never_outlives_the_credentials() {
    // The service's own credentials end in two minutes.
    let vendor = Emulator::vendor().await;
    let end = SystemTime::now() + Duration::from_secs(120);
    let ending = Credentials::new(
        &vendor.access_key_id,
        &vendor.secret_access_key,
        None,
        Some(end),
        "test",
    );
    let aws = sdk_config(ending, "us-east-1");
    let app = TestApp::spawn_on(&aws, |options| {
        options.built_in_bucket = Some(vendor.bucket.clone());
    })
    .await;
    let member = app.workspace().await.member;
    let body = json!({"keys": ["a", "b"], "method": "GET", "expires_in": 3600});
    let answer = app
        .post("/v1/storages/built-in/files/sign", &member, &body)
        .await;
    for signed in answer.expect(200)["urls"].as_array().unwrap() {
        assert!(expiry(signed) <= OffsetDateTime::from(end), "{signed}");
        let life = parameter(signed["url"].as_str().unwrap(), "X-Amz-Expires").unwrap();
        assert!(
            (100..=120).contains(&life.parse::<u64>().unwrap()),
            "{life}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_must_make_sense() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for (body, field) in [
        (json!({"method": "GET"}), "key"),
        (json!({"key": "a", "range": "bytes=1-0"}), "range"),
        (json!({"key": "a", "range": "bytes=0-1,4-5"}), "range"),
        (json!({"key": "a", "method": "PROPFIND"}), "method"),
        (json!({"key": "a", "method": "POST"}), "method"),
        (json!({"key": "a", "method": "PATCH"}), "method"),
        (json!({"key": "a", "method": "get"}), "method"),
        (json!({"key": "a", "keys": ["b"], "method": "GET"}), "keys"),
        (json!({"key": 1, "method": "GET"}), "key"),
        (json!({"keys": "a", "method": "GET"}), "keys"),
        (json!({"keys": ["a", ""], "method": "GET"}), "keys[1]"),
        (
            json!({"key": "a", "method": "GET", "bucket": "b"}),
            "bucket",
        ),
        (
            json!({"key": "a", "method": "GET", "download_name": ""}),
            "download_name",
        ),
        (
            json!({"key": "a", "method": "GET", "download_name": "n".repeat(256)}),
            "download_name",
        ),
        (
            json!({"key": "a", "method": "GET", "content_type": "t".repeat(256)}),
            "content_type",
        ),
        (json!({"key": "k".repeat(1020), "method": "GET"}), "key"),
        (json!({"keys": vec!["a"; 10_001], "method": "GET"}), "keys"),
    ] {
        place.sign(&body).await.refused_field(field);
    }
    let none = place.sign(&json!({"keys": [], "method": "GET"})).await;
    assert_eq!(none.expect(200)["urls"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_urls_in_one_call() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("d/9999 +%.txt", "the last").await;
    let keys: Vec<String> = (0..10_000).map(|n| format!("/d/{n} +%.txt")).collect();
    let answer = place.sign(&json!({"keys": keys, "method": "GET"})).await;
    let answer = answer.expect(200);
    let urls = answer["urls"].as_array().unwrap();
    assert_eq!(urls.len(), 10_000);
    for (key, signed) in keys.iter().zip(urls) {
        assert_eq!(signed["key"], key.as_str());
        let path = format!(
            "/team/{}",
            encoded(&key[1..]).replace("%2F", "/").replace("%2E", ".")
        );
        assert!(
            signed["url"].as_str().unwrap().contains(&path),
            "{signed} {path}"
        );
    }
    let last = urls[9_999]["url"].as_str().unwrap();
    let fetched = plain_client().get(last).send().await.unwrap();
    assert_eq!(fetched.text().await.unwrap(), "the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_nothing_that_could_run() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let client = plain_client();
    for (key, asked, shown_as) in [
        ("a.png", json!({}), Some("image/png")),
        ("a.html", json!({}), None),
        ("a.svg", json!({}), None),
        ("a.png", json!({"content_type": "text/html"}), None),
        ("a.png", json!({"content_type": "image/svg+xml"}), None),
        ("a.png", json!({"content_type": "image/png\r\nx: y"}), None),
        (
            "a.html",
            json!({"content_type": "text/plain"}),
            Some("text/plain"),
        ),
    ] {
        place.put_at(key, "x").await;
        let mut body = asked.clone();
        body["key"] = json!(key);
        body["method"] = json!("GET");
        let fetched = client.get(place.signed(&body).await).send().await.unwrap();
        assert_eq!(fetched.status(), 200);
        let header = |name: &str| fetched.headers()[name].to_str().unwrap().to_owned();
        let wanted = shown_as.unwrap_or("application/octet-stream");
        assert_eq!(header("content-type"), wanted, "{key} {asked}");
        let kind = if shown_as.is_some() {
            "inline; "
        } else {
            "attachment; "
        };
        assert!(
            header("content-disposition").starts_with(kind),
            "{key} {asked}"
        );
    }
    for name in ["q\"uote\r\nX-Evil: 1;ü\\%.png", "日本語.png", "plain.png"] {
        let body = json!({"key": "a.png", "method": "GET", "download_name": name});
        let fetched = client.get(place.signed(&body).await).send().await.unwrap();
        assert!(fetched.headers().get("x-evil").is_none());
        let disposition = fetched.headers()["content-disposition"].to_str().unwrap();
        assert!(
            disposition.starts_with("attachment; filename=\""),
            "{disposition}"
        );
        let written = disposition.split("filename*=UTF-8''").nth(1).unwrap();
        let decoded = percent_encoding::percent_decode_str(written).decode_utf8();
        assert_eq!(decoded.unwrap(), name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_keeps_the_stored_type_and_charset() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let s3 = place.storage.customer.s3();
    for (key, stored) in [
        ("a.txt", "text/plain; charset=iso-8859-1"),
        ("table", "text/csv"),
        ("a.zip", "application/zip"),
        ("photo", "image/png"),
        ("lying.txt", "text/html"),
    ] {
        let put = s3.put_object().bucket(&place.storage.bucket);
        let put = put.key(format!("team/{key}")).content_type(stored);
        put.body(b"x".to_vec().into()).send().await.unwrap();
        let url = place.signed(&json!({"key": key})).await;
        let fetched = plain_client().get(url).send().await.unwrap();
        assert_eq!(fetched.headers()["content-type"], stored, "{key}");
        // Nothing runs of what is saved.
        let disposition = fetched.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; "), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_may_be_for_the_headers_or_a_range_alone() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("a.txt", "0123456789").await;
    let client = plain_client();
    let answer = place.sign(&json!({"key": "a.txt", "method": "HEAD"})).await;
    let signed = &answer.expect(200)["urls"][0];
    assert_eq!(
        (&signed["method"], &signed["headers"]),
        (&json!("HEAD"), &json!({}))
    );
    let url = signed["url"].as_str().unwrap();
    let head = client.head(url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "10");
    assert_eq!(client.get(url).send().await.unwrap().status(), 403);

    let keys = json!({"keys": ["a.txt", "b.txt"], "range": "bytes=2-4"});
    let signed = place.sign(&keys).await.expect(200);
    for url in signed["urls"].as_array().unwrap() {
        assert_eq!(url["headers"], json!({"range": "bytes=2-4"}));
    }
    let url = signed["urls"][0]["url"].as_str().unwrap();
    let ranged = |range: &'static str| client.get(url).header("range", range).send();
    let part = ranged("bytes=2-4").await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.text().await.unwrap(), "234");
    assert_eq!(ranged("bytes=0-9").await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signature_is_logged() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    place.put_at("logged-key.txt", "x").await;
    let body = json!({"keys": ["logged-key.txt", "other"], "method": "GET"});
    let signed = place.sign(&body).await.expect(200);
    assert_eq!(place.content("logged-key.txt", &[]).await.status, 200);
    assert_eq!(place.metadata("absent").await.status, 404);
    let logs = logs();
    assert!(logs.contains("answered"), "the log is captured");
    for signed in signed["urls"].as_array().unwrap() {
        let url = signed["url"].as_str().unwrap();
        for secret in [
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "X-Amz-Credential",
        ] {
            if let Some(value) = parameter(url, secret) {
                assert!(!logs.contains(value), "{secret} is in the log");
            }
        }
        assert!(parameter(url, "X-Amz-Signature").is_some_and(|s| s.len() == 64));
        assert!(parameter(url, "X-Amz-Security-Token").is_some());
    }
    assert!(!logs.contains("X-Amz-Signature="));
    assert!(!logs.contains(&Emulator::vendor().await.secret_access_key));
}
