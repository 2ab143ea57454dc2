//! Markdown on a file's page.

use crate::it::support::emulator::Emulator;
use crate::it::support::pages::{Visitor, with_query};
use crate::it::support::scene::Scene;

const HOSTILE: &str = "# Notes *here*

<script>alert(1)</script>

a <img src=x onerror=alert(2)> b <a href=\"javascript:alert(3)\" onclick=\"alert(4)\">c</a>

[one](javascript:alert(5)) [two](https://a.example/x?y=1&z=2) ![three](https://a.example/spy.png)

| a | b |
|--:|---|
| 1 | 2 |
";

#[tokio::test]
async fn markdown_is_rendered_and_runs_and_loads_nothing() {
    let scene = Scene::on(Emulator).connect().await;
    let (app, workspace, storage) = scene.parts();
    storage.put("/notes.md", HOSTILE).await;
    storage.put("/notes.txt", HOSTILE).await;
    let member = Visitor::sign_in(&app, &workspace.admin, "member").await;
    let path = format!("/storages/{}/file", storage.id);
    let page = member
        .get(&with_query(&path, &[("key", "/notes.md")]))
        .await;
    assert_eq!(page.status, 200, "{page:?}");
    let (_, rendered) = page.text.split_once("<div class=\"markdown\"").unwrap();
    let (rendered, text) = rendered.split_once("<details>").unwrap();
    assert!(
        rendered.contains("<h3>Notes <em>here</em></h3>"),
        "{rendered}"
    );
    assert!(rendered.contains("<td>2</td>") && rendered.contains("&lt;script&gt;"));
    let link = "<a href=\"https://a.example/x?y=1&#38;z=2\" rel=\"noopener nofollow\">two</a>";
    assert!(rendered.contains(link), "{rendered}");
    let picture =
        "<a href=\"https://a.example/spy.png\" rel=\"noopener nofollow\">Picture: three</a>";
    assert!(rendered.contains(picture), "{rendered}");
    for bad in [
        "<script",
        "<img",
        "<a href=\"javascript",
        "<a onclick",
        "style=",
    ] {
        assert!(!rendered.contains(bad), "{bad}: {rendered}");
    }
    assert_eq!(rendered.matches("<a ").count(), 2);
    // Its text is beside it.
    assert!(text.contains("Show as text") && text.contains("# Notes *here*"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("img-src 'self';") && policy.contains("script-src 'self';"));

    let plain = member
        .get(&with_query(&path, &[("key", "/notes.txt")]))
        .await;
    assert!(!plain.text.contains("class=\"markdown\"") && plain.text.contains("# Notes *here*"));
}
