//! Deleting one file and many.

use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_deleted_once_and_again() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/a b+%2e", "x").await;
    place.storage.put("/b", "x").await;
    let path = "/files?key=%2Fa%20b%2B%252e";
    place.delete(path).await.expect(204);
    place.delete(path).await.expect(204);
    assert_eq!(place.bucket().await.0, ["team/b"]);
    let member = &place.workspace.member;
    let refused = place.app.delete(&place.path("/files?key=/b"), member).await;
    refused.problem(403, "admin_required");
    place
        .delete("/files?key=/a/../b")
        .await
        .refused_field("key");
    let field = place.delete("/files?key=/b&version_id=%20").await;
    field.refused_field("version_id");
    assert_eq!(place.bucket().await.0, ["team/b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_deleted_with_a_result_for_each() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let keys: Vec<String> = (0..1_050).map(|at| format!("/many/{at:04}")).collect();
    for key in &keys[..20] {
        place.storage.put(key, "x").await;
    }
    place.storage.put("/stays", "x").await;
    let answer = place
        .post("/files/delete", &json!({"keys": keys}))
        .await
        .expect(200);
    assert_eq!(answer["deleted"].as_array().unwrap().len(), 1_050);
    assert_eq!(answer["deleted"][1_049], "/many/1049");
    assert_eq!(answer["errors"], json!([]));
    assert_eq!(place.bucket().await.0, ["team/stays"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_deleted_for_ever() {
    let place = Scene::on(Emulator).connect().await;
    place.keep_versions().await;
    let mut versions = Vec::new();
    for body in ["one", "two", "three"] {
        let stored = place.upload("/a", body).await.expect(200);
        versions.push(stored["version_id"].as_str().unwrap().to_owned());
    }
    let third = json!({"keys": [{"key": "/a", "version_id": versions[2]}]});
    let answer = place.post("/files/delete", &third).await.expect(200);
    assert_eq!(answer["deleted"], json!(["/a"]));
    assert_eq!(place.object("/a").await.unwrap(), b"two");
    place
        .delete(&format!("/files?key=/a&version_id={}", versions[1]))
        .await
        .expect(204);
    assert_eq!(place.object("/a").await.unwrap(), b"one");
    // Without a version, a marker hides the file.
    place.delete("/files?key=/a").await.expect(204);
    assert!(place.object("/a").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_key() {
    let place = Scene::on(Emulator).reading("").connect().await;
    let refused = |keys| {
        let place = &place;
        async move { place.post("/files/delete", &json!({"keys": keys})).await }
    };
    refused(json!(["/a", "/../b"]))
        .await
        .refused_field("keys[1]");
    refused(json!(["/a", {"key": "/b", "version_id": "\n"}]))
        .await
        .refused_field("keys[1].version_id");
    refused(json!(["/a", {"key": "/b", "version": "x"}]))
        .await
        .refused_field("keys[1]");
    refused(json!([5])).await.refused_field("keys[0]");
    refused(json!(vec!["/a"; 10_001]))
        .await
        .refused_field("keys");
    refused(json!(["/a"]))
        .await
        .problem(409, "storage_read_only");
    let one = place.delete("/files?key=/a").await;
    one.problem(409, "storage_read_only");
}
