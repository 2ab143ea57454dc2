//! Two workspaces that cannot see each other.

use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::json;

/// The page at an address, without what differs by request: the request's ID and the form's token.
async fn answer(page: &Page, path: &str) -> (u64, String) {
    let script = "const answer = await fetch(arguments[0], {headers: {Accept: 'text/html'}});
        return [answer.status, await answer.text()];";
    let answer = page.eval_async(script, json!([path])).await;
    let text = answer[1].as_str().unwrap();
    let id = text
        .split_once("data-copy=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(id, _)| id);
    let text = match id {
        Some(id) => text.replace(id, ""),
        None => text.to_owned(),
    };
    (answer[0].as_u64().unwrap(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_workspace_s_is_not_there() {
    let world = World::new().await;
    world.put_samples().await;
    let storage = world.connect(&world.typed("Secret plans", "team")).await;
    let setup = world.open_setup(&json!({"bucket": "secret-bucket"})).await;
    let project = world.project(&storage, &["/readme.txt"]).await;
    let other = world.app.workspace().await;
    browser::run("two_workspaces", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(404);
        page.goto(&world.link_of(&other, "admin", "settings").await)
            .await;
        page.at("/settings/storages").await;
        let text = page.text().await;
        assert!(
            !text.contains("Secret plans") && !text.contains("secret-bucket"),
            "{text}"
        );
        assert!(!text.contains("in progress"), "{text}");

        let absent = |id: &str| format!("{}{:032x}", &id[..4], 7);
        for (pattern, id) in [
            ("/settings/storages/ID", &storage),
            ("/settings/storages/ID/documents/cors", &storage),
            ("/storages/ID/files", &storage),
            ("/settings/setups/ID", &setup),
            ("/settings/setups/ID/documents", &setup),
            ("/projects/ID", &project),
        ] {
            let theirs = answer(&page, &pattern.replace("ID", id)).await;
            let nobody_s = answer(&page, &pattern.replace("ID", &absent(id))).await;
            assert_eq!(theirs.0, 404, "{pattern}: {}", theirs.1);
            assert_eq!(theirs, nobody_s, "{pattern}");
        }
        world
            .goto(&page, &format!("/settings/storages/{storage}"))
            .await;
        page.see("There is nothing here").await;

        // Nor can it be changed, with a token of one's own.
        world.goto(&page, "/settings/storages").await;
        let post =
            "const body = new URLSearchParams({csrf: document.querySelector('[name=csrf]').value});
            return (await fetch(arguments[0], {method: 'POST', body})).status;";
        for path in [
            format!("/settings/storages/{storage}/delete"),
            format!("/settings/storages/{storage}/check"),
            format!("/settings/storages/{storage}/default"),
            format!("/settings/setups/{setup}/close"),
            format!("/settings/setups/{setup}/complete"),
            format!("/settings/setups/{setup}/link"),
        ] {
            let status = page.eval_async(post, json!([path])).await;
            assert_eq!(status, 404, "{path}");
        }
    })
    .await;
    assert_eq!(world.setup(&setup).await["status"], "open");
}
