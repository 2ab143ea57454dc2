//! Uploads in parts by signed URLs, as a browser makes them.

use crate::it::files::uploads::bytes;
use crate::it::support::client::plain_client;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

async fn begin(place: &Scene, body: Value) -> String {
    let begun = place.post("/files/multipart", &body).await.expect(200);
    assert!(begun["part_size"].as_u64().unwrap() >= 5 << 20);
    begun["upload_id"].as_str().unwrap().to_owned()
}

/// Sends the parts, and says what they became.
async fn send(place: &Scene, upload_id: &str, parts: &[&[u8]]) -> Vec<Value> {
    let numbers: Vec<usize> = (1..=parts.len()).collect();
    let body = json!({"upload_id": upload_id, "part_numbers": numbers});
    let signed = place
        .post("/files/multipart/parts", &body)
        .await
        .expect(200);
    let mut sent = Vec::new();
    for (url, part) in signed["urls"].as_array().unwrap().iter().zip(parts) {
        assert_eq!(
            (&url["method"], &url["headers"]),
            (&json!("PUT"), &json!({}))
        );
        let put = plain_client()
            .put(url["url"].as_str().unwrap())
            .body(part.to_vec());
        let answer = put.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let etag = answer.headers()["etag"].to_str().unwrap();
        sent.push(json!({"part_number": url["part_number"], "etag": etag}));
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_become_a_file() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let body = bytes(12 * MIB);
    let upload = json!({"key": "/a b/%2e+", "content_type": "video/mp4", "size": body.len()});
    let id = begin(&place, upload).await;
    let mut parts = send(&place, &id, &[&body[..6 * MIB], &body[6 * MIB..]]).await;
    assert!(place.object("/a b/%2e+").await.is_none());
    parts.reverse();
    let complete = json!({"upload_id": id, "parts": parts});
    let stored = place
        .post("/files/multipart/complete", &complete)
        .await
        .expect(200);
    assert_eq!(
        (&stored["key"], &stored["size"]),
        (&json!("/a b/%2e+"), &json!(body.len()))
    );
    assert!(place.object("/a b/%2e+").await.unwrap() == body);
    let metadata = place
        .get("/files/metadata?key=/a%20b/%252e%2B")
        .await
        .expect(200);
    assert_eq!(metadata["content_type"], "video/mp4");
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_given_up() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.allow_aborts().await;
    let id = begin(&place, json!({"key": "/a"})).await;
    send(&place, &id, &[b"part"]).await;
    let abort = json!({"upload_id": id});
    place
        .post("/files/multipart/abort", &abort)
        .await
        .expect(204);
    place
        .post("/files/multipart/abort", &abort)
        .await
        .expect(204);
    place.nothing_left().await;
    let complete = json!({"upload_id": id, "parts": [{"part_number": 1, "etag": "\"x\""}]});
    let gone = place.post("/files/multipart/complete", &complete).await;
    gone.problem(409, "upload_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_belongs_to_its_storage() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let id = begin(&place, json!({"key": "/a", "if_none_match": true})).await;
    let other = place.app.workspace().await;
    let strange = Scene::on(Emulator).connect_in(&place.app, &other).await;
    let parts = json!({"upload_id": id, "part_numbers": [1]});
    let path = strange.path("/files/multipart/parts");
    place
        .app
        .post(&path, &other.admin, &parts)
        .await
        .refused_field("upload_id");
    let path = place.path("/files/multipart/parts");
    place
        .app
        .post(&path, &place.workspace.member, &parts)
        .await
        .problem(403, "admin_required");

    for (body, field) in [
        (json!({"upload_id": "x", "part_numbers": [1]}), "upload_id"),
        (
            json!({"upload_id": id, "part_numbers": [0]}),
            "part_numbers",
        ),
        (
            json!({"upload_id": id, "part_numbers": [10_001]}),
            "part_numbers",
        ),
    ] {
        place
            .post("/files/multipart/parts", &body)
            .await
            .refused_field(field);
    }
    let sent = send(&place, &id, &[b"part"]).await;
    let twice = json!({"upload_id": id, "parts": [sent[0], sent[0]]});
    place
        .post("/files/multipart/complete", &twice)
        .await
        .refused_field("parts");
    let wrong = json!({"upload_id": id, "parts": [{"part_number": 1, "etag": "\"x\""}]});
    place
        .post("/files/multipart/complete", &wrong)
        .await
        .problem(409, "parts_do_not_fit");
    place.storage.put("/a", "was first").await;
    let late = json!({"upload_id": id, "parts": sent});
    place
        .post("/files/multipart/complete", &late)
        .await
        .problem(412, "precondition_failed");
    assert_eq!(place.object("/a").await.unwrap(), b"was first");
}
