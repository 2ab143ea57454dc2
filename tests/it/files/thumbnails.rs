//! The small pictures of a folder's list.

use crate::it::support::client::Content;
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, with_query};
use crate::it::support::scene::{ConnectedStorage, Scene};
use reqwest::Method;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn address(storage: &ConnectedStorage, key: &str) -> String {
    let path = format!("/storages/{}/file/thumbnail", storage.id);
    with_query(&path, &[("key", key)])
}

async fn fetch(visitor: &Visitor<'_>, path: &str, etag: Option<&str>) -> Content {
    let mut request = visitor
        .request(Method::GET, path)
        .header("Accept-Encoding", "gzip");
    if let Some(etag) = etag {
        request = request.header("If-None-Match", etag);
    }
    Content::of(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pictures_are_in_the_list_and_come_as_nothing_but_pictures() {
    let scene = Scene::on(Emulator).prefix("team").connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/p/a \"b\".png", PNG).await;
    storage.put("/p/evil.svg", "<svg onload=alert(1)>").await;
    storage.put("/p/large.png", vec![1; (2 << 20) + 1]).await;
    storage.put("/p/empty.png", "").await;
    let lie = storage.customer.s3().put_object();
    let lie = lie
        .bucket(&storage.bucket)
        .key(storage.object_key("/p/lie.png"));
    let lie = lie
        .content_type("text/html")
        .body(b"<script>".to_vec().into());
    lie.send().await.unwrap();

    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let list = with_query(
        &format!("/storages/{}/files", storage.id),
        &[("folder", "/p/")],
    );
    let list = member.get(&list).await;
    assert_eq!(list.status, 200, "{list:?}");
    let shown = address(&storage, "/p/a \"b\".png");
    let picture = format!(
        "<img class=\"thumb\" src=\"{shown}\" alt=\"\" width=\"40\" height=\"40\" loading=\"lazy\" decoding=\"async\">"
    );
    assert!(list.text.contains(&picture), "{}", list.text);
    // By its name the lie is a picture, too.
    assert_eq!(list.text.matches("<img class=\"thumb\"").count(), 2);
    let policy = list.header("content-security-policy").unwrap();
    assert!(policy.contains("img-src 'self';"), "{policy}");

    let answer = fetch(&member, &shown, None).await;
    answer.expect(200, PNG);
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    let disposition = answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with("inline;"), "{disposition}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"));
    let etag = answer.header("etag").unwrap();
    let again = fetch(&member, &shown, Some(etag)).await;
    assert_eq!(again.status, 304, "{again:?}");

    for other in ["/p/evil.svg", "/p/large.png", "/p/lie.png", "/p/gone.png"] {
        let answer = fetch(&member, &address(&storage, other), None).await;
        assert_eq!(answer.status, 404, "{other}: {answer:?}");
    }
    let other = app.workspace().await;
    let stranger = Visitor::sign_in(&app, &other.admin, "admin").await;
    assert_eq!(fetch(&stranger, &shown, None).await.status, 404);
    assert_eq!(app.get(&shown, "").await.status, 401);
}
