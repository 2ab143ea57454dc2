//! Headers of requests that change files: each has its effect, or is refused by its name.

use crate::it::files::odd_stores::Place;
use crate::it::support::app::Answer;
use reqwest::Method;
use serde_json::json;

const HELLO_SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const HELLO_MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_s_headers_have_an_effect_or_are_refused() {
    let place = Place::with([]).await;
    let put = async |name: &str, value: &str| {
        let request = place
            .app
            .request(
                Method::PUT,
                &place.content("new.txt"),
                &place.workspace.admin,
            )
            .header(name, value)
            .body("hello");
        Answer::of(request).await
    };
    for (name, value) in [
        ("x-amz-meta-owner", "Ann"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-goog-meta-owner", "Ann"),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-oss-meta-owner", "Ann"),
        ("x-cos-storage-class", "STANDARD"),
        ("x-obs-acl", "private"),
        ("x-bz-info-owner", "Ann"),
        ("x-object-meta-owner", "Ann"),
        ("x-delete-after", "60"),
        ("x-http-method-override", "DELETE"),
        ("content-range", "bytes 0-4/5"),
        ("trailer", "Content-Digest"),
        ("range", "bytes=0-1"),
    ] {
        let problem = put(name, value).await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], name, "{problem:#}");
        assert_eq!(problem["errors"][0]["code"], "unsupported_header");
        assert!(!place.store.holds("new.txt"), "{name}");
    }
    for (name, value) in [
        ("digest", format!("SHA-256={HELLO_SHA256}")),
        ("digest", format!("md5={HELLO_MD5}")),
        ("content-digest", format!("md5=:{HELLO_MD5}:")),
        (
            "repr-digest",
            format!("sha-256=:{HELLO_SHA256}:, crc32c=:AAAAAA==:"),
        ),
        ("content-md5", HELLO_MD5.to_owned()),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        ),
        ("x-forwarded-for", "192.0.2.1".into()),
        ("x-amz-cf-id", "x".into()),
        ("x-foo", "bar".into()),
    ] {
        put(name, &value).await.expect(200);
    }
    for (name, value) in [
        (
            "digest",
            "SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ),
        ("content-digest", "md5=:kAFQmDzST7DWlj99KOF/cg==:"),
    ] {
        put(name, value).await.problem(422, "checksum_mismatch");
    }
    let problem = put("content-digest", "crc32c=:AAAAAA==:").await;
    let problem = problem.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["code"], "unsupported_digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_requests_take_no_headers_of_files() {
    let place = Place::with([]).await;
    let files = &place.files;
    let key = json!({"key": "/a.txt"});
    let put = json!({"key": "/a.txt", "method": "PUT"});
    let way = json!({"from": "/a.txt", "to": "/z.txt"});
    for (method, path, body) in [
        (Method::POST, format!("{files}/multipart"), key),
        (Method::POST, format!("{files}/sign"), put),
        (Method::POST, format!("{files}/copy"), way.clone()),
        (Method::POST, format!("{files}/move"), way),
        (
            Method::POST,
            format!("{files}/delete"),
            json!({"keys": ["/a.txt"]}),
        ),
        (Method::DELETE, format!("{files}?key=%2Fa.txt"), json!({})),
    ] {
        for (name, value) in [
            ("x-sallyport-meta-owner", "Ann"),
            ("x-amz-meta-owner", "Ann"),
            ("if-match", "\"other\""),
            ("content-disposition", "attachment"),
        ] {
            let request = place
                .app
                .request(method.clone(), &path, &place.workspace.admin)
                .header(name, value)
                .header("content-type", "application/json")
                .body(body.to_string());
            let problem = Answer::of(request).await.problem(422, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], name, "{path}: {problem:#}");
        }
    }
    assert!(place.store.holds("a.txt"));
}
