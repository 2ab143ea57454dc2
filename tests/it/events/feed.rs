//! `GET /v1/events`, as a product behind a firewall reads it.

use crate::it::events::receiver::{app, closed_setup};
use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::client::encoded;
use serde_json::{Value, json};

async fn read(app: &TestApp, token: &str, query: &str) -> Value {
    app.get(&format!("/v1/events{query}"), token)
        .await
        .expect(200)
}

/// The setups of a part of the feed.
fn setups(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|event| event["data"]["setup_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_feed_goes_on_behind_an_event_or_a_cursor() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    // There is a cursor before there is an event.
    let start = read(&app, &mine.admin, "").await;
    assert_eq!(
        (&start["events"], &start["has_more"]),
        (&json!([]), &json!(false))
    );
    let mut closed = Vec::new();
    for _ in 0..3 {
        closed.push(closed_setup(&app, &mine).await);
        closed_setup(&app, &other).await;
    }
    let after = |cursor: &Value| format!("?after={}", encoded(cursor.as_str().unwrap()));
    let all = read(&app, &mine.admin, &after(&start["next"])).await;
    assert_eq!(setups(&all), closed);
    let first = read(&app, &mine.admin, "?page_size=1").await;
    assert_eq!(setups(&first), closed[..1]);
    // By the earlier name. Cursors are sealed, and no two are the same.
    let named = read(&app, &mine.admin, "?limit=1").await;
    assert_eq!(named["events"], first["events"]);
    assert_eq!(named["has_more"], true);
    assert_eq!(first["has_more"], true);
    for cursor in [&first["next"], &first["events"][0]["id"]] {
        let rest = read(&app, &mine.admin, &after(cursor)).await;
        assert_eq!(setups(&rest), closed[1..], "{cursor}");
    }
    let end = read(&app, &mine.admin, &after(&all["next"])).await;
    assert_eq!(end["events"], json!([]));
    // The operator reads those of all workspaces.
    assert_eq!(setups(&read(&app, OPERATOR, "").await).len(), 6);
    let none = read(&app, OPERATOR, "?types=storage.created,storage.broken").await;
    assert_eq!(none["events"], json!([]));
    assert_eq!(
        setups(&read(&app, OPERATOR, "?types=setup.closed").await).len(),
        6
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_clearly() {
    let app = app().await;
    let (mine, other) = (app.workspace().await, app.workspace().await);
    closed_setup(&app, &mine).await;
    let page = read(&app, &mine.admin, "").await;
    let id = page["events"][0]["id"].as_str().unwrap();
    let next = page["next"].as_str().unwrap();
    // An event and a cursor of another workspace are as absent ones.
    for (token, query, field, code) in [
        (
            &other.admin,
            format!("?after={id}"),
            "after",
            "unknown_event",
        ),
        (
            &other.admin,
            format!("?after={}", encoded(next)),
            "after",
            "invalid_cursor",
        ),
        (
            &mine.admin,
            "?after=evt_x".to_owned(),
            "after",
            "invalid_id",
        ),
        (
            &mine.admin,
            "?after=x".to_owned(),
            "after",
            "invalid_cursor",
        ),
        (
            &mine.admin,
            "?types=storage.lost".to_owned(),
            "types",
            "unknown_event_type",
        ),
        (&mine.admin, "?limit=0".to_owned(), "limit", "invalid_limit"),
        (
            &mine.admin,
            "?page_size=1001".to_owned(),
            "page_size",
            "invalid_page_size",
        ),
        (
            &mine.admin,
            "?page_size=1&limit=1".to_owned(),
            "limit",
            "unexpected_field",
        ),
        (
            &mine.admin,
            "?limit=1001".to_owned(),
            "limit",
            "invalid_limit",
        ),
    ] {
        let refused = app.get(&format!("/v1/events{query}"), token).await;
        let refused = refused.refused_field(field);
        assert_eq!(refused["errors"][0]["code"], code, "{query}");
    }
    let member = app.get("/v1/events", &mine.member).await;
    member.problem(403, "admin_required");
}
