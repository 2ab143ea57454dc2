//! Stores that answer otherwise than Amazon S3: their listings, the proof of what they say they did, and
//! answers that nobody can read.

use crate::it::support::app::{Answer, TestApp, TestWorkspace};
use crate::it::support::aws::store::{Behaviour, Store};
use crate::it::support::aws::stub::{html, s3_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::client::Content;
use crate::it::support::scene::Report;
use reqwest::Method;
use serde_json::{Value, json};

pub struct Place {
    pub store: Store,
    pub app: TestApp,
    pub workspace: TestWorkspace,
    /// Where the storage's files are.
    pub files: String,
}

impl Place {
    /// A service on a store with the objects `a.txt` to `e.txt`.
    pub async fn with(behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        let store = Store::with([])
            .await
            .holding(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]);
        let (app, workspace) = store.app().await;
        let storage = store.connect(&app, &workspace).await;
        store.behave(behaviours);
        Self {
            files: format!("/v1/storages/{storage}/files"),
            store,
            app,
            workspace,
        }
    }

    pub fn content(&self, key: &str) -> String {
        format!("{}/content?key=%2F{key}", self.files)
    }

    pub async fn list(&self, query: &str) -> Answer {
        let path = format!("{}?{query}", self.files);
        self.app.get(&path, &self.workspace.member).await
    }

    /// All pages, or the answer that is none. More than 300 pages fail.
    pub async fn all(&self, query: &str) -> Result<Vec<Value>, Answer> {
        let (mut files, mut token) = (Vec::new(), String::new());
        for _ in 0..300 {
            let answer = self.list(&format!("{query}{token}")).await;
            if answer.status != 200 {
                return Err(answer);
            }
            let page = answer.json();
            files.extend(page["files"].as_array().unwrap().iter().cloned());
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => return Ok(files),
            }
        }
        panic!("the listing does not end");
    }

    pub async fn put(&self, key: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .app
            .request(Method::PUT, &self.content(key), &self.workspace.admin);
        Answer::of(request.body(body)).await
    }

    pub async fn delete(&self, key: &str) -> Answer {
        let path = format!("{}?key=%2F{key}", self.files);
        self.app.delete(&path, &self.workspace.admin).await
    }

    pub async fn delete_many(&self, keys: &[&str]) -> Value {
        let path = format!("{}/delete", self.files);
        let keys: Vec<_> = keys.iter().map(|key| format!("/{key}")).collect();
        let body = json!({ "keys": keys });
        self.app
            .post(&path, &self.workspace.admin, &body)
            .await
            .expect(200)
    }
}

fn keys(files: &[Value]) -> Vec<&str> {
    files
        .iter()
        .map(|file| file["key"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_contradicts_itself_is_never_taken_for_whole() {
    let place = Place::with([]).await;
    for behaviours in [
        vec![Behaviour::SamePageForEver(2)],
        vec![Behaviour::SamePageOtherTokens(2)],
        vec![Behaviour::TwoPagesInTurn(2)],
        vec![Behaviour::SamePageForEver(2), Behaviour::StartAfterIgnored],
        vec![Behaviour::Descending, Behaviour::SamePageOtherTokens(2)],
        vec![Behaviour::Descending, Behaviour::TwoPagesInTurn(2)],
        vec![Behaviour::TruncatedWithoutToken],
        vec![Behaviour::TokenWithoutTruncation],
        vec![Behaviour::TruncationUnsaid],
        vec![Behaviour::KeyCount(7)],
        vec![Behaviour::KeyCount(0)],
        vec![Behaviour::PagesOf(2), Behaviour::RepeatsLastKey],
        vec![Behaviour::EmptyPages(usize::MAX)],
    ] {
        place.store.behave(behaviours);
        let answer = place.all("page_size=5").await.expect_err("it is whole");
        answer.problem(502, "listing_incomplete");
    }
    place.store.behave([Behaviour::MaxKeysIgnored]);
    let answer = place.all("page_size=3").await.expect_err("it is whole");
    answer.problem(502, "listing_incomplete");
    place.store.clear();
    place
        .list("page_size=3")
        .await
        .problem(502, "listing_incomplete");
    assert_eq!(place.store.count("ListObjectsV2"), 2, "not asked once more");

    place.store.behave([Behaviour::ListsAlso("d.txt")]);
    place
        .list("page_size=100")
        .await
        .problem(502, "listing_incomplete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_only_written_otherwise_is_read() {
    let place = Place::with([]).await;
    let all = ["/a.txt", "/b.txt", "/c.txt", "/d.txt", "/e.txt"];
    for behaviours in [
        vec![],
        vec![Behaviour::PagesOf(1)],
        vec![Behaviour::PagesOf(2), Behaviour::EmptyPages(3)],
        vec![Behaviour::PagesOf(2), Behaviour::Descending],
        vec![Behaviour::NoNamespace, Behaviour::NoXmlDeclaration],
        vec![Behaviour::PrefixedNamespace, Behaviour::UnknownElements],
        vec![Behaviour::ByteOrderMark, Behaviour::EtagsUnlisted],
        vec![Behaviour::StorageClassOf("COLDER_THAN_ICE")],
        vec![Behaviour::NoHeadersOfS3],
        vec![Behaviour::UnencodedKeys],
    ] {
        place.store.behave(behaviours);
        let mut files = place.all("page_size=100").await.unwrap();
        files.sort_by_key(|file| file["key"].to_string());
        assert_eq!(keys(&files), all);
        assert_eq!(files[0]["size"], 5);
    }
    for (date, read) in [
        (
            Some("Thu, 01 Jan 2026 00:00:00 GMT"),
            json!("2026-01-01T00:00:00Z"),
        ),
        (Some("2026-01-01T00:00:00"), json!("2026-01-01T00:00:00Z")),
        (Some("1767225600"), json!("2026-01-01T00:00:00Z")),
        (Some(":2024-10-11T13:22:41Z"), Value::Null),
        (Some(""), Value::Null),
        (None, Value::Null),
    ] {
        place.store.behave([Behaviour::DatesOf(date)]);
        let files = place.all("page_size=100").await.unwrap();
        assert_eq!(keys(&files), all, "{date:?}");
        let modified = files[0]["last_modified"].as_str().unwrap_or_default();
        assert_eq!(modified.is_empty(), read.is_null(), "{date:?} {modified}");
        assert!(
            read.is_null() || modified.starts_with("2026-01-01T00:00:00"),
            "{modified}"
        );
    }
    // What the listing does not say of the size, the object does.
    for size in [None, Some("-1"), Some("many")] {
        place.store.behave([Behaviour::SizesOf(size)]);
        let files = place.all("page_size=100").await.unwrap();
        assert_eq!(files[0]["size"], 5, "{size:?}");
    }
    place
        .store
        .behave([Behaviour::SizesOf(Some("60000000000000"))]);
    let files = place.all("page_size=100").await.unwrap();
    assert_eq!(files[0]["size"], 60_000_000_000_000_i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_decoded_as_the_answer_says() {
    let place = Place::with([]).await;
    let odd = [
        "a+b.txt",
        "c%20d.txt",
        "e f.txt",
        "100%.txt",
        "x&y.txt",
        "line\u{1}.txt",
    ];
    let store = place.store.clone().holding(odd);
    for behaviours in [vec![], vec![Behaviour::UnencodedKeys]] {
        store.behave(behaviours);
        let files = place.all("page_size=100").await.unwrap();
        for key in odd {
            let wanted = format!("/{key}");
            assert!(keys(&files).contains(&wanted.as_str()), "{key:?}");
        }
    }
    // HeadObject is refused, so a listing has to say whether there is such an object.
    store.behave([
        Behaviour::UnencodedKeys,
        Behaviour::AnswerTo("HeadObject", s3_error(403, "AccessDenied", "x")),
    ]);
    let path = format!("{}/metadata?key=%2Fa%2Bb.txt", place.files);
    let answer = place.app.get(&path, &place.workspace.member).await;
    answer.problem(424, "storage_access_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_no_network_failure() {
    let place = Place::with([]).await;
    for reply in [
        Reply::answer(200, ""),
        Reply::answer(200, "{\"ok\": true}").with("content-type", "application/json"),
        Reply::answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated>"),
    ] {
        place
            .store
            .behave([Behaviour::AnswerTo("ListObjectsV2", reply)]);
        place
            .list("page_size=100")
            .await
            .problem(502, "store_answer_unreadable");
    }
    place.store.behave([Behaviour::HalfOfTheXml]);
    place
        .list("page_size=100")
        .await
        .problem(502, "store_answer_unreadable");
    place.store.behave([Behaviour::HtmlWith200]);
    place
        .list("page_size=100")
        .await
        .problem(424, "store_answer_not_s3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_is_no_success() {
    let place = Place::with([Behaviour::HtmlWith200]).await;
    let code = "store_answer_not_s3";
    place.put("new.txt", "hello").await.problem(424, code);
    place
        .put("new.txt", vec![b'x'; 1 << 20])
        .await
        .problem(424, code);
    place.delete("a.txt").await.problem(424, code);
    let read = place
        .app
        .get(&place.content("a.txt"), &place.workspace.member)
        .await;
    read.problem(424, code);
    let path = format!("{}/metadata?key=%2Fa.txt", place.files);
    let answer = place.app.get(&path, &place.workspace.member).await;
    answer.problem(424, code);
    let copy = json!({"from": "/a.txt", "to": "/z.txt"});
    let path = format!("{}/copy", place.files);
    let answer = place.app.post(&path, &place.workspace.admin, &copy).await;
    answer.problem(424, code);
    let deleted = place.delete_many(&["a.txt", "b.txt"]).await;
    assert_eq!(deleted["deleted"], json!([]), "{deleted}");
    // The same for what is only said by the status.
    place.store.behave([Behaviour::when(|request| {
        (request.method == "HEAD").then(|| Reply::answer(404, "").with("content-type", "text/html"))
    })]);
    let path = format!("{}/metadata?key=%2Fa.txt", place.files);
    let answer = place.app.get(&path, &place.workspace.member).await;
    answer.problem(424, code);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_says_it_stored_is_proved() {
    let place = Place::with([Behaviour::NoEtagFrom("PutObject")]).await;
    for size in [10, 1 << 20] {
        let stored = place.put("new.txt", vec![b'x'; size]).await.expect(200);
        assert_eq!(stored["etag"], Value::Null);
    }
    place.store.behave([
        Behaviour::NoEtagFrom("PutObject"),
        Behaviour::ForgetsWhatIsPut,
    ]);
    place
        .put("a.txt", "longer than before")
        .await
        .problem(424, "store_answer_not_s3");
    place
        .put("other.txt", "hello")
        .await
        .problem(424, "store_answer_not_s3");
    // A store without headers of its own, as long as its answers show that it is one.
    place.store.behave([Behaviour::NoHeadersOfS3]);
    place.put("bare.txt", "hello").await.expect(200);
    let read = Content::of(place.app.request(
        Method::GET,
        &place.content("bare.txt"),
        &place.workspace.member,
    ))
    .await;
    read.expect(200, b"hello");
    place.delete("bare.txt").await.expect(204);
    assert!(!place.store.holds("bare.txt"));
    place
        .store
        .behave([Behaviour::NoHeadersOfS3, Behaviour::KeepsWhatIsDeleted]);
    place
        .delete("a.txt")
        .await
        .problem(424, "store_answer_not_s3");
    place.store.behave([Behaviour::DeleteWith200]);
    place.delete("a.txt").await.expect(204);
    assert!(!place.store.holds("a.txt"));
    // 200 with an error in its body.
    let failed = Reply::answer(
        200,
        "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>x</Message></Error>",
    );
    place
        .store
        .behave([Behaviour::AnswerTo("CopyObject", failed)]);
    let copy = json!({"from": "/b.txt", "to": "/z.txt"});
    let path = format!("{}/copy", place.files);
    let answer = place.app.post(&path, &place.workspace.admin, &copy).await;
    assert_ne!(answer.status, 200);
    place.store.behave([
        Behaviour::NoEtagFrom("CopyObject"),
        Behaviour::DatesOf(Some("Wed, 09 Nov 2016 16:16:12 GMT")),
    ]);
    place
        .app
        .post(&path, &place.workspace.admin, &copy)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_the_one_that_was_asked_for() {
    let place = Place::with([]).await;
    let read = async |range: &str| {
        let path = place.content("a.txt");
        let request = place
            .app
            .request(Method::GET, &path, &place.workspace.member);
        Answer::of(request.header("range", range)).await
    };
    for (range, text) in [
        ("bytes=1-2", "el"),
        ("bytes=3-", "lo"),
        ("bytes=-2", "lo"),
        ("bytes=0-99", "hello"),
    ] {
        let answer = read(range).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (206, text),
            "{range}"
        );
    }
    place.store.behave([Behaviour::RangeIgnored]);
    read("bytes=1-2")
        .await
        .problem(502, "store_answer_unreadable");
    for said in ["bytes 0-1/5", "bytes 1-3/5", "bytes 1-2/2"] {
        place.store.behave([Behaviour::ContentRange(said)]);
        read("bytes=1-2")
            .await
            .problem(502, "store_answer_unreadable");
    }
    place
        .store
        .behave([Behaviour::LastModifiedHeader("2026-01-01T00:00:00Z")]);
    assert_eq!(read("bytes=1-2").await.text, "el");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_of_a_deletion_has_its_outcome() {
    let place = Place::with([Behaviour::InternalErrorForKeyOnce("b.txt")]).await;
    let failed = |answer: &Value| answer["errors"].as_array().unwrap().len();
    let answer = place.delete_many(&["a.txt", "b.txt"]).await;
    assert_eq!(failed(&answer), 0, "{answer:#}");
    assert!(!place.store.holds("b.txt"));
    assert_eq!(place.store.count("DeleteObjects"), 2);

    place
        .store
        .behave([Behaviour::FailureForKey("c.txt", "SlowDown", 100)]);
    place.store.clear();
    let answer = place.delete_many(&["c.txt", "d.txt"]).await;
    assert_eq!(failed(&answer), 1, "{answer:#}");
    assert!(place.store.holds("c.txt") && !place.store.holds("d.txt"));
    assert_eq!(place.store.count("DeleteObjects"), 3);

    // A key that the answer does not name is deleted by itself; one that nobody asked for changes nothing.
    place.store.behave([
        Behaviour::UnnamedInDeletion("e.txt"),
        Behaviour::DeletionNamesAlso("z.txt"),
    ]);
    place.store.clear();
    let answer = place.delete_many(&["c.txt", "e.txt"]).await;
    assert_eq!(failed(&answer), 0, "{answer:#}");
    assert!(!place.store.holds("e.txt"));
    assert_eq!(place.store.count("DeleteObject"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_versions_ends() {
    let place = Place::with([Behaviour::SamePageForEver(2)]).await;
    let mut path = format!("{}/versions?key=%2Fa.txt", place.files);
    for _ in 0..5 {
        let answer = place.app.get(&path, &place.workspace.member).await;
        if answer.status != 200 {
            answer.problem(502, "listing_incomplete");
            return;
        }
        let token = answer.json()["next_page_token"]
            .as_str()
            .unwrap()
            .to_owned();
        path = format!("{}/versions?key=%2Fa.txt&page_token={token}", place.files);
    }
    panic!("the versions do not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_takes_no_page_of_a_proxy_for_a_write() {
    let place = Place::with([]).await;
    let path = place.files.replace("/files", "/check");
    let check = async || {
        let answer = place
            .app
            .post(&path, &place.workspace.admin, &json!({}))
            .await;
        Report::of(&answer)
    };
    let status = |report: &Report, step: &str| report.step(step)["status"].clone();
    let report = check().await;
    assert_eq!(status(&report, "put_object"), "passed", "{:#}", report.0);
    assert_eq!(status(&report, "delete_object"), "passed", "{:#}", report.0);
    place
        .store
        .behave([Behaviour::AnswerTo("PutObject", html(200))]);
    let report = check().await;
    assert_ne!(status(&report, "put_object"), "passed", "{:#}", report.0);
    place
        .store
        .behave([Behaviour::AnswerTo("DeleteObject", html(200))]);
    let report = check().await;
    assert_ne!(status(&report, "delete_object"), "passed", "{:#}", report.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_is_proved() {
    let place = Place::with([Behaviour::NoEtagFrom("CompleteMultipartUpload")]).await;
    let body = || vec![b'x'; 65 << 20];
    let stored = place.put("large.bin", body()).await.expect(200);
    assert!(stored["etag"].is_string(), "{stored}");
    // Each of these bodies takes a debug build many seconds, so one answer stands for the others.
    place
        .store
        .behave([Behaviour::AnswerTo("CompleteMultipartUpload", html(200))]);
    let answer = place.put("other.bin", body()).await;
    answer.problem(424, "store_answer_not_s3");
    assert!(!place.store.holds("other.bin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_listing_hides_nothing_in_folders() {
    let place = Place::with([]).await;
    let listing = |text: &str| {
        let text =
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>");
        Behaviour::AnswerTo("ListObjectsV2", Reply::answer(200, text))
    };
    let folder = "<CommonPrefixes><Prefix>sub/</Prefix></CommonPrefixes>";
    place.store.behave([listing(folder)]);
    place.list("page_size=10").await.expect(200);
    place
        .list("page_size=10&recursive=true")
        .await
        .problem(502, "listing_incomplete");
    place
        .store
        .behave([listing("<Contents><Size>1</Size></Contents>")]);
    place
        .list("page_size=10")
        .await
        .problem(502, "listing_incomplete");
    let error = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message></Error>";
    place.store.behave([Behaviour::AnswerTo(
        "ListObjectsV2",
        Reply::answer(200, error),
    )]);
    place
        .list("page_size=10")
        .await
        .problem(503, "storage_throttled");
}
