//! Every time in an answer of the API has the same form, so that times sort as text.

use crate::it::support::app::OPERATOR;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};
use std::path::Path;

/// Whether a text begins as RFC 3339 does: `2026-11-27T14:25:08`.
fn begins_as_time(text: &str) -> bool {
    text.len() >= 19 && fits(&text.as_bytes()[..19], b"0000-00-00T00:00:00")
}

/// `2026-11-27T14:25:08.123Z`.
fn is_time(text: &str) -> bool {
    fits(text.as_bytes(), b"0000-00-00T00:00:00.000Z")
}

/// A zero of the pattern stands for any digit.
fn fits(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text
            .iter()
            .zip(pattern)
            .all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                _ => byte == expected,
            })
}

/// The times of an answer, each with its place.
fn times(place: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if begins_as_time(text) => {
            found.push((place.to_owned(), text.clone()));
        }
        Value::Array(items) => {
            for item in items {
                times(place, item, found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                times(&format!("{place} {name}"), member, found);
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_have_milliseconds() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace) = (&place.app, &place.workspace);
    let (admin, member) = (workspace.admin.as_str(), workspace.member.as_str());
    place.upload("/a.txt", "hello").await.expect(200);
    let project = json!({
        "name": "Cats", "storage_id": place.storage.id, "files": [{"file_key": "/a.txt"}],
    });
    let link = json!({"role": "member", "purpose": "projects"});
    let storage = |below: &str| place.path(below);
    let mut found = Vec::new();
    for (path, body) in [
        ("/v1/projects".to_owned(), project),
        ("/v1/sign-in-links".to_owned(), link),
        ("/v1/storage-setups".to_owned(), json!({})),
        (storage("/check"), json!({})),
        (storage("/files/sign"), json!({"key": "/a.txt"})),
    ] {
        let answer = app.post(&path, admin, &body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        times(&path, &answer.json(), &mut found);
    }
    for (path, token) in [
        ("/v1/workspaces".to_owned(), OPERATOR),
        (format!("/v1/workspaces/{}", workspace.id), OPERATOR),
        (format!("/v1/workspaces/{}/tokens", workspace.id), OPERATOR),
        ("/v1/audit-events".to_owned(), admin),
        ("/v1/storage-setups".to_owned(), admin),
        ("/v1/storages".to_owned(), admin),
        (storage(""), admin),
        (storage("/checks"), admin),
        (storage("/files"), member),
        (storage("/files/metadata?key=/a.txt"), member),
        ("/v1/projects".to_owned(), member),
    ] {
        let answer = app.get(&path, token).await.expect(200);
        let before = found.len();
        times(&path, &answer, &mut found);
        assert!(found.len() > before, "{path} has no time: {answer}");
    }
    let other: Vec<_> = found.iter().filter(|(_, time)| !is_time(time)).collect();
    assert!(other.is_empty(), "{other:?}");
}

/// Answers are written by `domain::rfc3339`, whose form is one; time's own has as many decimals as it needs.
#[test]
fn no_answer_writes_times_by_itself() {
    let mut by_themselves = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for layer in ["application", "http"] {
        search(&src.join(layer), &mut by_themselves);
    }
    // A page's `<time>`, which its script reads.
    by_themselves.retain(|path| !path.ends_with("http/pages/shell/moment.rs"));
    assert!(by_themselves.is_empty(), "{by_themselves:?}");
}

fn search(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, found);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap_or_default();
        if source.contains("time::serde::") || source.contains("format(&Rfc3339)") {
            found.push(path.display().to_string());
        }
    }
}
