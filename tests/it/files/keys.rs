//! Keys come back as they are, by every way to a file.

use crate::it::support::client::{plain_client, raw_get};
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Paths below the prefix that have gone wrong somewhere, in some client, server or library.
pub const HOSTILE: &[&str] = &[
    "plain.txt",
    "a b",
    " leading and trailing ",
    "a+b",
    "a%b",
    "100%",
    "%25",
    "%20",
    "%2F",
    "%2e%2e",
    "%2e%2e/x",
    "%00",
    "a%252fb",
    "..a/b..",
    "...",
    "a..b/.c/d.",
    "a//b",
    "a///b",
    "/a",
    "//a",
    "/",
    "//",
    "trailing/",
    "trailing//",
    "marker/",
    "marker/inside",
    "a?b",
    "a?b=c&d=e",
    "a#b",
    "a&b",
    "a=b",
    "a;b",
    "a,b@c:d$e!f~g*h(i)j",
    "a'b\"c`d",
    "a\\b",
    "a\\..\\b",
    "<a>&amp;{b}|[c]^",
    "http://127.0.0.1:9/x",
    "C:\\x",
    "\u{e9}",
    "e\u{301}",
    "\u{212b}",
    "日本語/ファイル.txt",
    "🙂/👩‍👩‍👧‍👦.png",
    "\u{5d0}\u{5d1}\u{202e}gpj.exe",
    "\u{feff}bom",
    "\u{200b}zero width",
    "\u{a0}nbsp",
    "\u{85}nel",
    "\u{2028}line separator",
    "\u{fffd}",
    "\u{10ffff}",
    "tab\there",
    "bell\u{7}",
    "escape\u{1b}[31m",
    "delete\u{7f}",
    "unit\u{1f}",
    "x-id=GetObject",
    "?list-type=2",
    "?acl",
    "UPPER",
    "upper",
];

/// Whether the key has nothing but slashes below the prefix. The emulator takes slashes off the end of a
/// key before it looks at policies, and so denies such a key to a role that is held to a prefix.
pub fn only_slashes(path: &str) -> bool {
    path.bytes().all(|byte| byte == b'/')
}

/// Reaches the keys by every way, and says which did not come back.
async fn by_every_way(place: &Scene, paths: &BTreeSet<String>) -> Result<(), String> {
    for path in paths {
        place.put_at(path, format!("content of {path}")).await;
    }
    let wanted: BTreeSet<String> = paths.iter().map(|path| format!("/{path}")).collect();
    same("listed", &wanted, place.all("/", true, 1000).await.1)?;
    same("browsed", &wanted, browse(place).await)?;

    let keys: Vec<&String> = wanted.iter().collect();
    let signed = place.sign(&json!({"keys": keys, "method": "GET"})).await;
    let signed = signed.expect(200);
    let client = plain_client();
    for (at, path) in paths.iter().enumerate() {
        let (key, body) = (format!("/{path}"), format!("content of {path}"));
        let fail = |how: &str, found: String| Err(format!("{key:?} {how}: {found}"));

        // The form without the leading slash means the same, unless the key's own slash comes first.
        let forms = match path.starts_with('/') {
            true => vec![key.as_str()],
            false => vec![key.as_str(), path.as_str()],
        };
        for form in forms {
            let metadata = place.metadata(form).await;
            if metadata.status != 200
                || metadata.json()["key"] != key.as_str()
                || metadata.json()["size"] != body.len()
            {
                return fail("metadata", metadata.text);
            }
            let content = place.content(form, &[]).await;
            if content.status != 200 || content.bytes != body.as_bytes() {
                return fail("content", format!("{content:?}"));
            }
        }
        let entry = &signed["urls"][at];
        if entry["key"] != key.as_str() {
            return fail("signed", entry.to_string());
        }
        let url = entry["url"].as_str().unwrap();
        let answer = client.get(url).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        if status != 200 || text != body {
            return fail("by a client", format!("{status} {text} {url}"));
        }
        let (status, bytes) = raw_get(url).await;
        if status != 200 || bytes != body.as_bytes() {
            return fail("byte for byte", format!("{status} {url}"));
        }
    }
    Ok(())
}

fn same(how: &str, wanted: &BTreeSet<String>, found: Vec<String>) -> Result<(), String> {
    let set: BTreeSet<String> = found.iter().cloned().collect();
    if set.len() != found.len() {
        return Err(format!("{how} twice: {found:?}"));
    }
    if set != *wanted {
        let missing: Vec<_> = wanted.difference(&set).collect();
        let more: Vec<_> = set.difference(wanted).collect();
        return Err(format!("{how}: without {missing:?}, with {more:?}"));
    }
    Ok(())
}

/// Every file that a person finds who opens every folder. A folder's own marker is not in it: it shows
/// as the folder.
async fn browse(place: &Scene) -> Vec<String> {
    let mut open = vec!["/".to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        let (folders, files) = place.all(&folder, false, 1000).await;
        for key in &folders {
            assert!(key.starts_with(&folder) && key.ends_with('/'), "{key:?}");
            // Is there a marker with the folder's own name? One with bytes is a file in the folder.
            let answer = place.metadata(key).await;
            if answer.status == 200 && answer.json()["size"] == 0 {
                found.push(key.clone());
            }
        }
        open.extend(folders);
        found.extend(files);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_keys_come_back_as_they_are() {
    let place = Scene::on(Emulator).reading("te am+%/ü/").connect().await;
    let mut paths: BTreeSet<String> = HOSTILE.iter().map(|&path| path.to_owned()).collect();
    paths.retain(|path| !only_slashes(path));
    paths.insert("k".repeat(1024 - place.storage.prefix.len()));
    paths.insert("ü".repeat((1024 - place.storage.prefix.len()) / 2));
    by_every_way(&place, &paths).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_keys_of_a_whole_bucket_come_back_as_they_are() {
    let place = Scene::on(Emulator).reading("").connect().await;
    let mut paths: BTreeSet<String> = HOSTILE.iter().map(|&path| path.to_owned()).collect();
    paths.insert("k".repeat(1024));
    by_every_way(&place, &paths).await.unwrap();
}

/// Any characters but NUL, which S3 does not accept, and the line breaks, which the emulator does not.
fn paths() -> impl Strategy<Value = BTreeSet<String>> {
    let segment = prop_oneof![
        4 => "[^\u{0}\r\n/]{1,12}",
        2 => "[ +%&=?#;~.\\\\'\"a-c0-9]{1,8}",
        1 => Just(String::new()),
        1 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
    ];
    let path = prop::collection::vec(segment, 1..4)
        .prop_map(|segments| segments.join("/"))
        .prop_filter("a key", |path| {
            !only_slashes(path) && !path.split('/').any(|segment| matches!(segment, "." | ".."))
        });
    prop::collection::btree_set(path, 1..6)
}

#[test]
fn any_key_comes_back_as_it_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(Scene::on(Emulator).access("read").prefix("any").connect());
    let mut runner = TestRunner::new(Config {
        cases: 24,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&paths(), |paths| {
            runtime.block_on(async {
                let outcome = by_every_way(&place, &paths).await;
                let s3 = place.storage.customer.s3();
                for path in &paths {
                    let key = format!("any/{path}");
                    let delete = s3.delete_object().bucket(&place.storage.bucket).key(key);
                    delete.send().await.unwrap();
                }
                outcome.map_err(TestCaseError::fail)
            })
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dot_segments_are_shown_and_not_used() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    for path in ["./a", "x/../b", "x/.", "fine"] {
        place.put_at(path, "x").await;
    }
    let listed = place.list("/", "&recursive=true").await.expect(200);
    let usable = |key: &str| -> Value {
        let files = listed["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["key"] == key);
        file.unwrap_or_else(|| panic!("no {key}: {listed:#}"))["usable"].clone()
    };
    for key in ["/./a", "/x/../b", "/x/."] {
        assert_eq!(usable(key), false, "{key}");
        place.metadata(key).await.refused_field("key");
        let content = place.content(key, &[]).await;
        assert_eq!(content.status, 422);
        let one = place.sign(&json!({"key": key, "method": "GET"})).await;
        one.refused_field("key");
        let many = json!({"keys": ["/fine", key], "method": "GET"});
        place.sign(&many).await.refused_field("keys[1]");
    }
    assert_eq!(usable("/fine"), true);

    let root = place.list("/", "").await.expect(200);
    let dots = root["folders"].as_array().unwrap().iter();
    let dots: Vec<_> = dots
        .map(|f| (f["key"].clone(), f["usable"].clone()))
        .collect();
    assert_eq!(
        dots,
        [(json!("/./"), json!(false)), (json!("/x/"), json!(true))]
    );
    for folder in ["/./", "/x/../", "..", "/../team-b/"] {
        place.list(folder, "").await.refused_field("folder");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_name_no_file() {
    let place = Scene::on(Emulator).reading("team/").connect().await;
    let too_long = format!("/{}", "k".repeat(1024 - "team/".len() + 1));
    for key in ["", "/", "a\0b", "/..", "/a/../../team-b/x", &too_long] {
        place.metadata(key).await.refused_field("key");
        place
            .sign(&json!({"key": key, "method": "GET"}))
            .await
            .refused_field("key");
        assert_eq!(place.content(key, &[]).await.status, 422, "{key:?}");
    }
    let many = json!({"keys": ["/a", too_long], "method": "GET"});
    place.sign(&many).await.refused_field("keys[1]");
    // Broken UTF-8 would have to become another key.
    place
        .get("/files/metadata?key=%ff")
        .await
        .problem(400, "invalid_utf8");
    place
        .metadata("/absent")
        .await
        .problem(404, "file_not_found");
    assert_eq!(place.content("/absent", &[]).await.status, 404);
}
