//! Large files that the script of a folder's page sends in parts.

use crate::it::files::uploads::bytes;
use crate::it::support::app::Answer;
use crate::it::support::client::encoded;
use crate::it::support::emulator::Emulator;
use crate::it::support::pages::Visitor;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const MIB: usize = 1 << 20;
/// The parts of files that are not very large.
const PART: usize = 8 * MIB;

/// The page of the folder `/in box/`, and who looks at it.
struct FolderPage<'a> {
    visitor: &'a Visitor<'a>,
    /// Where uploads begin.
    path: String,
}

impl<'a> FolderPage<'a> {
    fn of(place: &Scene, visitor: &'a Visitor<'a>) -> Self {
        Self {
            visitor,
            path: format!("/storages/{}/files/multipart", place.storage.id),
        }
    }

    async fn begin(&self, name: &str, size: usize) -> Answer {
        let size = size.to_string();
        let fields = [
            ("folder", "/in box/"),
            ("name", name),
            ("size", size.as_str()),
            ("content_type", ""),
        ];
        self.visitor.post(&self.path, &fields).await
    }

    /// Begins an upload. Gives its ID.
    async fn begun(&self, name: &str, size: usize) -> String {
        let begun = self.begin(name, size).await.expect(200);
        assert_eq!(begun["part_size"], PART);
        begun["upload_id"].as_str().unwrap().to_owned()
    }

    async fn part(&self, upload_id: &str, number: usize, content: &[u8]) -> Answer {
        let csrf = self.visitor.csrf().await;
        let number = number.to_string();
        let fields = [
            ("csrf", csrf.as_str()),
            ("upload_id", upload_id),
            ("number", number.as_str()),
        ];
        let path = format!("{}/part", self.path);
        let files = [("blob", content)];
        self.visitor.upload(&path, &fields, &files).await
    }

    async fn complete(&self, upload_id: &str, parts: &[Value]) -> Answer {
        let parts = json!(parts).to_string();
        let fields = [("upload_id", upload_id), ("parts", parts.as_str())];
        let path = format!("{}/complete", self.path);
        self.visitor.post(&path, &fields).await
    }

    async fn abort(&self, upload_id: &str) -> Answer {
        let path = format!("{}/abort", self.path);
        self.visitor.post(&path, &[("upload_id", upload_id)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_come_through_the_page_become_a_file() {
    const KEY: &str = "/in box/a b/ü+1 %.mp4";
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let admin = Visitor::sign_in(&place.app, &place.workspace.admin, "admin").await;
    let page = FolderPage::of(&place, &admin);
    let body = bytes(2 * PART + 7);
    let id = page.begun("a b/ü+1 %.mp4", body.len()).await;
    let contents: Vec<&[u8]> = body.chunks(PART).collect();
    let mut parts = Vec::new();
    // In any order. The first is sent twice, as after a break.
    for number in [3, 1, 1, 2] {
        let sent = page.part(&id, number, contents[number - 1]).await;
        parts.push(sent.expect(200));
    }
    parts.remove(1);
    assert!(place.object(KEY).await.is_none());
    page.complete(&id, &parts).await.expect(204);
    assert!(place.object(KEY).await.unwrap() == body);
    let path = format!("/files/metadata?key={}", encoded(KEY));
    let metadata = place.get(&path).await.expect(200);
    assert_eq!(metadata["content_type"], "video/mp4");
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    place.storage.put("/in box/there.bin", "was first").await;
    let admin = Visitor::sign_in(&place.app, &place.workspace.admin, "admin").await;
    let page = FolderPage::of(&place, &admin);
    // Known before any byte is sent.
    let there = page.begin("there.bin", MIB).await;
    assert_eq!(there.status, 412, "{there:?}");
    for name in ["/etc/a.bin", "..", ""] {
        assert_eq!(page.begin(name, MIB).await.status, 422, "{name}");
    }
    assert_eq!(page.begin("huge.bin", 6 << 40).await.status, 422);
    assert_eq!(place.bucket().await.1, 0);

    let body = bytes(PART + 3);
    let id = page.begun("new.bin", body.len()).await;
    for wrong in [PART - 1, PART + 1] {
        let part = page.part(&id, 1, &bytes(wrong)).await;
        assert_eq!(part.status, 400, "{wrong}: {part:?}");
    }
    for number in [0, 3] {
        assert_eq!(page.part(&id, number, b"x").await.status, 422, "{number}");
    }
    assert_eq!(page.part("made-up", 1, b"x").await.status, 422);
    // One whose parts go by signed URLs has none that go through the page.
    let by_urls = json!({"key": "/x", "size": MIB});
    let by_urls = place.post("/files/multipart", &by_urls).await.expect(200);
    let by_urls = by_urls["upload_id"].as_str().unwrap();
    assert_eq!(page.part(by_urls, 1, b"x").await.status, 422);
    assert_eq!(page.abort(by_urls).await.status, 204);

    let path = format!("{}/part", page.path);
    let forged = [("csrf", "x"), ("upload_id", id.as_str()), ("number", "1")];
    let files = [("blob", b"x".as_slice())];
    assert_eq!(admin.upload(&path, &forged, &files).await.status, 403);
    let member = Visitor::sign_in(&place.app, &place.workspace.admin, "member").await;
    let other = place.app.workspace().await;
    let stranger = Visitor::sign_in(&place.app, &other.admin, "admin").await;
    for (visitor, status) in [(&member, 403), (&stranger, 404)] {
        let begun = FolderPage::of(&place, visitor).begin("b.bin", MIB).await;
        assert_eq!(begun.status, status, "{begun:?}");
    }
    let strange = FolderPage::of(&place, &stranger);
    assert_eq!(strange.part(&id, 2, &body[PART..]).await.status, 422);
    assert_eq!(strange.abort(&id).await.status, 422);

    let first = page.part(&id, 1, &body[..PART]).await.expect(200);
    let half = page.complete(&id, std::slice::from_ref(&first)).await;
    assert_eq!(half.status, 409, "{half:?}");
    let second = page.part(&id, 2, &body[PART..]).await.expect(200);
    assert_eq!(page.complete(&id, &[json!({})]).await.status, 422);
    // Somebody else stores the file meanwhile: it stays, and the upload is given up.
    place.storage.put("/in box/new.bin", "was quicker").await;
    let late = page.complete(&id, &[first, second]).await;
    assert_eq!(late.status, 412, "{late:?}");
    let there = place.object("/in box/new.bin").await;
    assert_eq!(there.unwrap(), b"was quicker");
    assert_eq!(place.bucket().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_upload_that_is_given_up() {
    const BOUNDARY: &str = "the-boundary";
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let admin = Visitor::sign_in(&place.app, &place.workspace.admin, "admin").await;
    let page = FolderPage::of(&place, &admin);
    let body = bytes(2 * PART);
    let id = page.begun("cut.bin", body.len()).await;
    page.part(&id, 1, &body[..PART]).await.expect(200);

    // The browser leaves in the middle of the second part.
    let mut form = String::new();
    let csrf = admin.csrf().await;
    for (name, value) in [
        ("csrf", csrf.as_str()),
        ("upload_id", id.as_str()),
        ("number", "2"),
    ] {
        form += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    form += &format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"blob\"\r\n\r\n"
    );
    let head = format!(
        "POST {}/part HTTP/1.1\r\nHost: x\r\nCookie: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
        page.path,
        admin.cookie(),
        form.len() + PART + BOUNDARY.len() + 8,
    );
    let mut stream = TcpStream::connect(place.app.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(form.as_bytes()).await.unwrap();
    stream.write_all(&body[PART..PART + MIB]).await.unwrap();
    drop(stream);

    page.abort(&id).await.expect(204);
    // As often as somebody asks.
    page.abort(&id).await.expect(204);
    place.nothing_left().await;
    let late = page.part(&id, 1, &body[..PART]).await;
    assert_eq!(late.status, 409, "{late:?}");
    place.nothing_left().await;
}
