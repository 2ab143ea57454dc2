//! A store whose endpoint has a path, as `https://host/storage/v1/s3`: each request and each signed URL keeps it.

use crate::domain::files::file_operation::FileOperation;
use crate::it::files::odd_stores::Place;
use crate::it::support::app::Answer;
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::s3_error;
use crate::it::support::client::plain_client;
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/storage/v1/s3";

async fn place() -> Place {
    let store = Store::below(PATH, []).await.holding(["a.txt", "from.txt"]);
    let (app, workspace) = store.app().await;
    let storage = store.connect(&app, &workspace).await;
    Place {
        files: format!("/v1/storages/{storage}/files"),
        store,
        app,
        workspace,
    }
}

async fn run(place: &Place, operation: FileOperation) -> Answer {
    use FileOperation as Op;
    let files = &place.files;
    let get = async |path: String| place.app.get(&path, &place.workspace.admin).await;
    let post = async |below: &str, body: Value| {
        let path = format!("{files}/{below}");
        place.app.post(&path, &place.workspace.admin, &body).await
    };
    match operation {
        Op::Browse => get(files.clone()).await,
        Op::ReadMetadata => get(format!("{files}/metadata?key=/a.txt")).await,
        Op::ReadVersionMetadata => {
            get(format!("{files}/metadata?key=/a.txt&version_id=null")).await
        }
        Op::Read => get(format!("{files}/content?key=/a.txt")).await,
        Op::ReadVersion => get(format!("{files}/content?key=/a.txt&version_id=null")).await,
        Op::ListVersions => get(format!("{files}/versions?key=/a.txt")).await,
        Op::Upload => {
            place.put("small.txt", "hello").await.expect(200);
            place.put("new.txt", vec![b'x'; 300 << 10]).await
        }
        Op::Delete => {
            let answer = place.delete_many(&["small.txt"]).await;
            assert_eq!(answer["errors"], json!([]), "{answer:#}");
            place.delete("new.txt").await
        }
        Op::DeleteVersion => {
            let path = format!("{files}?key=/from.txt&version_id=null");
            place.app.delete(&path, &place.workspace.admin).await
        }
        Op::Copy => post("copy", json!({"from": "/a.txt", "to": "/b.txt"})).await,
        Op::CopyVersion => {
            let copy = json!({"from": "/a.txt", "from_version_id": "null", "to": "/d.txt"});
            post("copy", copy).await
        }
        Op::Move => post("move", json!({"from": "/b.txt", "to": "/c.txt"})).await,
        Op::ReadAcl => get(format!("{files}/acl?key=/a.txt")).await,
        Op::WriteAcl => {
            let path = format!("{files}/acl?key=/a.txt");
            let acl = json!({"acl": "private"});
            let admin = &place.workspace.admin;
            place.app.send(Method::PUT, &path, admin, &acl).await
        }
        Op::Location => get(files.replace("/files", "/location")).await,
        Op::ListBuckets => get(files.replace("/files", "/buckets")).await,
        Op::AbortUpload => {
            let begun = post("multipart", json!({"key": "/m.bin"}))
                .await
                .expect(200);
            let upload = begun["upload_id"].clone();
            let numbers = json!({"upload_id": upload, "part_numbers": [1]});
            let signed = post("multipart/parts", numbers).await.expect(200);
            let url = signed["urls"][0]["url"].as_str().unwrap();
            let sent = plain_client().put(url).body("x").send().await.unwrap();
            assert_eq!(sent.status(), 200);
            post("multipart/abort", json!({ "upload_id": upload })).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_keeps_the_endpoint_s_path() {
    let place = place().await;
    let own = format!("{PATH}/{}", place.store.bucket);
    for operation in FileOperation::ALL {
        place.store.clear();
        let answer = run(&place, operation).await;
        // The store of the tests knows no ACLs and no list of buckets.
        let is_known = !matches!(
            operation,
            FileOperation::ReadAcl | FileOperation::WriteAcl | FileOperation::ListBuckets
        );
        assert_eq!(
            answer.status.is_success(),
            is_known,
            "{operation}: {answer:?}"
        );
        let log = place.store.log();
        assert!(!log.is_empty(), "{operation}");
        for entry in log {
            let target = entry.request.target;
            let begin = match operation {
                FileOperation::ListBuckets => PATH,
                _ => &own,
            };
            assert!(target.starts_with(begin), "{operation}: {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_urls_and_look_ups_keep_the_endpoint_s_path() {
    let place = place().await;
    let begin = format!("{}/{}/", place.store.endpoint(), place.store.bucket);
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let body = json!({"keys": ["/a.txt", "/from.txt", "/x.txt"], "method": method});
        let path = format!("{}/sign", place.files);
        let signed = place.app.post(&path, &place.workspace.admin, &body).await;
        let urls = signed.expect(200)["urls"].clone();
        for url in urls.as_array().unwrap() {
            let url = url["url"].as_str().unwrap();
            assert!(url.starts_with(&begin), "{url}");
        }
        let url = urls[0]["url"].as_str().unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let done = plain_client().request(method, url).send().await.unwrap();
        assert!(done.status().is_success(), "{url}");
    }
    // HeadObject is refused: a listing says whether there is such a file.
    place.store.put("a+b.txt", "hello");
    place.store.behave([Behaviour::AnswerTo(
        "HeadObject",
        s3_error(403, "AccessDenied", "x"),
    )]);
    let metadata = async |key: &str| {
        let path = format!("{}/metadata?key=%2F{key}", place.files);
        place.app.get(&path, &place.workspace.member).await
    };
    metadata("a%2Bb.txt")
        .await
        .problem(424, "storage_access_denied");
    metadata("absent.txt").await.problem(404, "file_not_found");
}
