//! Copies and moves within a storage.

use crate::application::bucket::body::{Piece, UploadBody};
use crate::application::bucket::write::{BucketWrite, NewObject};
use crate::domain::files::part_plan::MIB;
use crate::it::aws::adapter::{adapter, object_key};
use crate::it::files::uploads::bytes;
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::emulator::{Emulator, s3_client};
use crate::it::support::scene::Scene;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_like_its_original() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let headers = [
        ("content-type", "text/x-own"),
        ("x-sallyport-meta-owner", "Ann"),
    ];
    let original = place
        .upload_with("/a b", bytes(1_000), &headers)
        .await
        .expect(200);
    let copy = json!({"from": "/a b", "to": "/folder/copy +"});
    let copied = place.post("/files/copy", &copy).await.expect(200);
    assert_eq!(copied["key"], "/folder/copy +");
    assert_eq!(
        (&copied["size"], &copied["etag"]),
        (&json!(1_000), &original["etag"])
    );
    assert_eq!(
        place.object("/folder/copy +").await,
        place.object("/a b").await
    );
    let metadata = place
        .get("/files/metadata?key=/folder/copy%20%2B")
        .await
        .expect(200);
    assert_eq!(metadata["content_type"], "text/x-own");
    assert_eq!(metadata["metadata"], json!({"owner": "Ann"}));

    let only_new = json!({"from": "/a b", "to": "/folder/copy +", "if_none_match": true});
    let refused = place.post("/files/copy", &only_new).await;
    refused.problem(412, "precondition_failed");
    let absent = json!({"from": "/absent", "to": "/x"});
    place
        .post("/files/copy", &absent)
        .await
        .problem(404, "file_not_found");
    let same = json!({"from": "/a b", "to": "a b"});
    place.post("/files/copy", &same).await.refused_field("to");
    let dots = json!({"from": "/a b", "to": "/../b"});
    place.post("/files/copy", &dots).await.refused_field("to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_file_is_only_where_it_went() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/a", "content").await;
    let moved = place
        .post("/files/move", &json!({"from": "/a", "to": "/b/c"}))
        .await;
    assert_eq!(moved.expect(200)["key"], "/b/c");
    assert_eq!(place.bucket().await.0, ["team/b/c"]);
    place.storage.put("/taken", "stays").await;
    let onto = json!({"from": "/b/c", "to": "/taken", "if_none_match": true});
    place
        .post("/files/move", &onto)
        .await
        .problem(412, "precondition_failed");
    assert_eq!(place.object("/taken").await.unwrap(), b"stays");
    assert_eq!(place.object("/b/c").await.unwrap(), b"content");

    let reading = Scene::on(Emulator).reading("team").connect().await;
    let refused = reading
        .post("/files/move", &json!({"from": "/a", "to": "/b"}))
        .await;
    refused.problem(409, "storage_read_only");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_one_call_is_copied_in_parts() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let proxy = AwsProxy::start().await;
    let sdk = proxy.sdk_config(&place.storage.customer.sdk_config);
    let (files, bucket) = adapter(&place, &sdk);
    let (from, to) = (object_key(&bucket, "/a b"), object_key(&bucket, "/b +"));
    let body = bytes(13 * MIB as usize);
    let s3 = s3_client(&place.storage.customer.sdk_config);
    let put = s3
        .put_object()
        .bucket(&place.storage.bucket)
        .key(from.as_str());
    let put = put.metadata("owner", "Ann").cache_control("max-age=5");
    let expires = aws_sdk_s3::primitives::DateTime::from_secs(1_893_456_000);
    let put = put.expires(expires).tagging("project=a%20b&empty=");
    put.body(body.clone().into()).send().await.unwrap();
    let copied = files.copy(&bucket, &from, None, &to, true).await.unwrap();
    assert_eq!(copied.size, Some(13 * MIB));
    assert!(place.object("/b +").await.unwrap() == body);
    let head = s3
        .head_object()
        .bucket(&place.storage.bucket)
        .key(to.as_str());
    let head = head.send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["owner"], "Ann");
    assert_eq!(head.cache_control(), Some("max-age=5"));
    assert_eq!(head.expires_string(), Some("Tue, 01 Jan 2030 00:00:00 GMT"));
    // The emulator forgets the tags of an upload in parts: what is asked of it is right.
    let begun = proxy.of("CreateMultipartUpload");
    let tags = begun[0].request.header("x-amz-tagging").unwrap();
    let mut tags: Vec<_> = url::form_urlencoded::parse(tags.as_bytes()).collect();
    tags.sort_unstable();
    let wanted = [("empty", ""), ("project", "a b")];
    assert_eq!(
        tags,
        wanted.map(|(name, value)| (name.into(), value.into()))
    );
    assert!(copied.etag.unwrap().ends_with("-3\""));

    // There is one now: nothing is made, and no upload stays open.
    files
        .copy(&bucket, &from, None, &to, true)
        .await
        .unwrap_err();
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_told_body_too_large_for_one_call_is_cut() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let (files, bucket) = adapter(&place, &place.storage.customer.sdk_config);
    let body = bytes(13 * MIB as usize + 7);
    for (sent, whole) in [(body.len(), true), (12 * MIB as usize, false)] {
        let (sender, pieces) = tokio::sync::mpsc::channel(4);
        let chunks: Vec<_> = body[..sent].chunks(60_000).map(|c| c.to_vec()).collect();
        tokio::spawn(async move {
            for chunk in chunks {
                if sender.send(Piece::chunk(chunk.into())).await.is_err() {
                    return;
                }
            }
            let _ = sender.send(Piece::End).await;
        });
        let upload = UploadBody::new(pieces, Some(body.len() as u64), Vec::new());
        let key = object_key(&bucket, if whole { "/whole" } else { "/broken" });
        let object = NewObject {
            content_type: "text/plain".into(),
            ..NewObject::default()
        };
        let stored = files.put(&bucket, &key, &object, upload).await;
        assert_eq!(stored.is_ok(), whole, "{stored:?}");
    }
    assert!(place.object("/whole").await.unwrap() == body);
    assert_eq!(place.bucket().await, (vec!["team/whole".to_owned()], 0));
}
