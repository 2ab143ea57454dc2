//! Versions of files, and what else S3 knows about them.

use crate::it::support::client::encoded;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_and_read() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.keep_versions().await;
    let objects = format!("arn:aws:s3:::{}/*", place.storage.bucket);
    place.allow(&["s3:GetObjectVersion"], &objects).await;
    let mut ids = Vec::new();
    for body in ["one", "two", "three"] {
        let stored = place.upload("/a", body).await.expect(200);
        ids.push(stored["version_id"].as_str().unwrap().to_owned());
        place.upload("/ab", body).await.expect(200);
    }
    place.delete("/files?key=/a").await.expect(204);

    let all = place.get("/files/versions?key=/a").await.expect(200);
    let versions = all["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 4, "{all:#}");
    assert_eq!(
        (&versions[0]["is_delete_marker"], &versions[0]["is_latest"]),
        (&json!(true), &json!(true))
    );
    for (version, id) in versions[1..].iter().zip(ids.iter().rev()) {
        assert_eq!(
            (&version["version_id"], &version["is_delete_marker"]),
            (&json!(id), &json!(false))
        );
    }
    assert_eq!(versions[1]["size"], 5);

    // Page by page, the same.
    let (mut paged, mut token): (Vec<Value>, String) = (Vec::new(), String::new());
    loop {
        let page = place
            .get(&format!("/files/versions?key=/a&page_size=2{token}"))
            .await
            .expect(200);
        paged.extend(page["versions"].as_array().unwrap().iter().cloned());
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={}", encoded(next)),
            None => break,
        }
    }
    assert_eq!(paged.len(), 4);
    let elsewhere = place
        .get(&format!("/files/versions?key=/ab&page_size=2{token}"))
        .await;
    elsewhere.refused_field("page_token");

    for (id, body) in ids.iter().zip(["one", "two", "three"]) {
        let path = format!("key=/a&version_id={}", encoded(id));
        let read = place.get(&format!("/files/content?{path}")).await;
        assert_eq!((read.status.as_u16(), read.text.as_str()), (200, body));
        let metadata = place
            .get(&format!("/files/metadata?{path}"))
            .await
            .expect(200);
        assert_eq!(
            (&metadata["version_id"], &metadata["size"]),
            (&json!(id), &json!(body.len()))
        );
    }
    place
        .get("/files/content?key=/a")
        .await
        .problem(404, "file_deleted");
    place
        .get("/files/metadata?key=/a")
        .await
        .problem(404, "file_deleted");
    let marker = versions[0]["version_id"].as_str().unwrap();
    let marker = place
        .get(&format!(
            "/files/content?key=/a&version_id={}",
            encoded(marker)
        ))
        .await;
    marker.problem(404, "file_deleted");
    let unknown = place.get("/files/content?key=/a&version_id=unknown").await;
    unknown.problem(404, "version_not_found");
    let none = place.get("/files/versions?key=/never").await.expect(200);
    assert_eq!(none["versions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_tells_what_s3_tells() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let headers = [
        ("content-type", "image/png"),
        ("x-sallyport-meta-owner", "Ann"),
    ];
    let stored = place
        .upload_with("/a", "content", &headers)
        .await
        .expect(200);
    let found = place.get("/files/metadata?key=/a").await.expect(200);
    assert_eq!(found["key"], "/a");
    assert_eq!(found["size"], 7);
    assert_eq!(found["content_type"], "image/png");
    assert_eq!(found["etag"], stored["etag"]);
    assert_eq!(found["metadata"], json!({"owner": "Ann"}));
    assert_eq!(found["checksums"]["sha256"], stored["checksum"]["sha256"]);
    assert_eq!(found["archived"], false);
    assert!(found["last_modified"].as_str().unwrap().ends_with('Z'));
    place
        .get("/files/metadata?key=/absent")
        .await
        .problem(404, "file_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_copied_and_restored() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.keep_versions().await;
    let mut ids = Vec::new();
    for body in ["one", "two"] {
        let stored = place.upload("/a ?", body).await.expect(200);
        ids.push(stored["version_id"].as_str().unwrap().to_owned());
    }
    let restore = json!({"from": "/a ?", "from_version_id": ids[0], "to": "/a ?"});
    let denied = place.post("/files/copy", &restore).await;
    denied.problem(424, "storage_access_denied");
    let objects = format!("arn:aws:s3:::{}/*", place.storage.bucket);
    place.allow(&["s3:GetObjectVersion"], &objects).await;

    let elsewhere = json!({"from": "/a ?", "from_version_id": ids[0], "to": "/b"});
    place.post("/files/copy", &elsewhere).await.expect(200);
    assert_eq!(place.object("/b").await.unwrap(), b"one");
    assert_eq!(place.object("/a ?").await.unwrap(), b"two");
    let restored = place.post("/files/copy", &restore).await.expect(200);
    assert!(!ids.iter().any(|id| restored["version_id"] == id.as_str()));
    assert_eq!(place.object("/a ?").await.unwrap(), b"one");

    let itself = json!({"from": "/b", "to": "/b"});
    place.post("/files/copy", &itself).await.refused_field("to");
    let empty = json!({"from": "/b", "from_version_id": "", "to": "/c"});
    let empty = place.post("/files/copy", &empty).await;
    empty.refused_field("from_version_id");
    let unknown = json!({"from": "/b", "from_version_id": "unknown", "to": "/c"});
    let unknown = place.post("/files/copy", &unknown).await;
    unknown.problem(404, "version_not_found");
    let moved = place.post("/files/move", &elsewhere).await;
    assert_eq!(moved.status, 422, "{moved:?}");
}
