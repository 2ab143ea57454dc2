//! What a listing says of itself must be what was asked for.

use crate::it::files::odd_stores::Place;
use crate::it::support::aws::store::Behaviour;
use crate::it::support::aws::wire::Reply;
use serde_json::{Value, json};

const INCOMPLETE: &str = "listing_incomplete";

fn listing(text: &str) -> Behaviour {
    let text =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{text}</ListBucketResult>");
    Behaviour::AnswerTo("ListObjectsV2", Reply::answer(200, text))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_question_is_no_listing() {
    let place = Place::with([]).await;
    place.store.put("sub/x y+.txt", "hello");
    for (query, behaviour) in [
        ("", Behaviour::Says("Prefix", "other/")),
        ("folder=/sub/", Behaviour::Says("Prefix", "sub")),
        ("folder=/sub/", Behaviour::Says("Prefix", "sub/deeper/")),
        ("", Behaviour::Says("Delimiter", "|")),
        ("recursive=true", Behaviour::Says("Delimiter", "/")),
        ("", Behaviour::Says("StartAfter", "b.txt")),
        ("", Behaviour::Says("Name", "another-bucket")),
        ("", Behaviour::DelimiterIgnored),
        (
            "folder=/sub/",
            listing("<Contents><Key>a.txt</Key><Size>1</Size></Contents>"),
        ),
        (
            "folder=/sub/",
            listing("<CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes>"),
        ),
        (
            "",
            listing("<CommonPrefixes><Prefix>sub</Prefix></CommonPrefixes>"),
        ),
        (
            "",
            listing("<CommonPrefixes><Prefix>sub/deeper/</Prefix></CommonPrefixes>"),
        ),
    ] {
        place.store.behave([behaviour.clone()]);
        let answer = place.list(query).await;
        assert_eq!(answer.status, 502, "{query}: {answer:?}");
        answer.problem(502, INCOMPLETE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_or_written_otherwise_agrees() {
    let place = Place::with([]).await;
    place.store.put("a b+/x.txt", "hello");
    for behaviours in [
        vec![],
        vec![Behaviour::SaysNothing],
        vec![Behaviour::UnencodedKeys],
        vec![Behaviour::Says("Prefix", "")],
        vec![Behaviour::Says("Prefix", "a b+/")],
        vec![Behaviour::Says("Prefix", "a%20b%2B%2F")],
        vec![Behaviour::Says("Delimiter", "%2F")],
    ] {
        place.store.behave(behaviours);
        let page = place.list("folder=/a%20b%2B/").await.expect(200);
        assert_eq!(page["files"][0]["key"], "/a b+/x.txt", "{page:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_buckets_are_listed_by_the_same_rules() {
    let place = Place::with([]).await;
    let versions = format!("{}/versions?key=%2Fa.txt", place.files);
    let buckets = place.files.replace("/files", "/buckets");
    let version =
        "<Version><Key>a.txt</Key><VersionId>1</VersionId><IsLatest>true</IsLatest></Version>";
    let told = |text: &str| {
        let text = format!(
            "<ListVersionsResult><IsTruncated>false</IsTruncated>{text}</ListVersionsResult>"
        );
        Behaviour::AnswerTo("ListObjectVersions", Reply::answer(200, text))
    };
    for behaviour in [
        Behaviour::Says("Prefix", "other"),
        Behaviour::Says("Name", "another-bucket"),
        told(&format!("{version}{version}")),
        told("<Version><Key>b.txt</Key><VersionId>1</VersionId></Version>"),
        Behaviour::AnswerTo(
            "ListObjectVersions",
            Reply::answer(200, "<ListVersionsResult></ListVersionsResult>"),
        ),
    ] {
        place.store.behave([behaviour]);
        let answer = place.app.get(&versions, &place.workspace.member).await;
        answer.problem(502, INCOMPLETE);
    }
    // Two pages of buckets in turn, each with the token for the other.
    let page = |name: &str, token: &str| {
        let text = format!(
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>{name}</Name></Bucket></Buckets>\
             <ContinuationToken>{token}</ContinuationToken></ListAllMyBucketsResult>"
        );
        Reply::answer(200, text)
    };
    place.store.behave([Behaviour::when(move |request| {
        let lists = request.method == "GET" && request.operation() == "Unknown";
        let token = request.query("continuation-token");
        lists.then(|| match token.as_deref() {
            Some("2") => page("two", "1"),
            _ => page("one", "2"),
        })
    })]);
    let mut path = format!("{buckets}?page_size=1");
    let mut pages = 0;
    loop {
        let answer = place.app.get(&path, &place.workspace.admin).await;
        if answer.status != 200 {
            answer.problem(502, INCOMPLETE);
            break;
        }
        pages += 1;
        assert!(pages < 10, "the buckets do not end");
        let token: Value = answer.json()["next_page_token"].clone();
        path = format!(
            "{buckets}?page_size=1&page_token={}",
            token.as_str().unwrap()
        );
    }
    for text in [
        "<Bucket><Name>one</Name></Bucket><Bucket><Name>one</Name></Bucket>",
        "<Bucket><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>",
    ] {
        let text =
            format!("<ListAllMyBucketsResult><Buckets>{text}</Buckets></ListAllMyBucketsResult>");
        place.store.behave([Behaviour::when(move |request| {
            let lists = request.method == "GET" && request.operation() == "Unknown";
            lists.then(|| Reply::answer(200, text.clone()))
        })]);
        let answer = place.app.get(&buckets, &place.workspace.admin).await;
        answer.problem(502, INCOMPLETE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_headers_cannot_hold_is_counted() {
    let place = Place::with([Behaviour::when(|request| {
        (request.operation() == "HeadObject").then(|| {
            Reply::answer(200, "hello")
                .with("etag", "\"e\"")
                .with("x-amz-request-id", "STOREREQUESTID")
                .with("x-amz-missing-meta", "2")
                .with("x-amz-meta-odd_name.1", "=?UTF-8?B?broken")
                .with("x-amz-meta-empty", "")
        })
    })])
    .await;
    let path = format!("{}/metadata?key=%2Fa.txt", place.files);
    let found = place
        .app
        .get(&path, &place.workspace.member)
        .await
        .expect(200);
    assert_eq!(found["missing_metadata"], 2, "{found:#}");
    assert_eq!(
        found["metadata"],
        json!({"odd_name.1": "=?UTF-8?B?broken", "empty": ""}),
        "{found:#}"
    );
    place.store.behave([]);
    let found = place
        .app
        .get(&path, &place.workspace.member)
        .await
        .expect(200);
    assert_eq!(found["missing_metadata"], 0);
}
