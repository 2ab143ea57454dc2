//! Signed URLs of difficult keys, used by a browser.

use crate::it::browser::world::World;
use crate::it::files::keys::{HOSTILE, only_slashes};
use crate::it::support::browser;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_puts_and_gets_the_exact_bytes_of_every_key() {
    let world = World::new().await;
    let storage = world.connect(&world.typed("Keys", "team")).await;
    let keys = HOSTILE.iter().filter(|path| !only_slashes(path));
    let keys: Vec<String> = keys.map(|path| format!("/{path}")).collect();
    let path = format!("/v1/storages/{storage}/files/sign");
    let sign = async |method: &str| {
        let body = json!({"keys": keys, "method": method});
        let signed = world.app.post(&path, &world.workspace.admin, &body).await;
        let urls = signed.expect(200)["urls"].clone();
        let named: Vec<&Value> = urls
            .as_array()
            .unwrap()
            .iter()
            .map(|url| &url["key"])
            .collect();
        assert_eq!(named, keys.iter().collect::<Vec<_>>());
        urls
    };
    let (put, get) = (sign("PUT").await, sign("GET").await);
    browser::run("hostile_keys", async |browsers| {
        let page = browsers.open().await;
        // A page of the product, which has another Content-Security-Policy than ours.
        page.session
            .devtools("Page.setBypassCSP", json!({"enabled": true}))
            .await;
        world.goto(&page, "/signed-out").await;
        let write = "const body = new Uint8Array(arguments[1]);
            return (await fetch(arguments[0], {method: 'PUT', body})).status;";
        let read = "const answer = await fetch(arguments[0]);
            return [answer.status, [...new Uint8Array(await answer.arrayBuffer())]];";
        for (number, key) in keys.iter().enumerate() {
            let bytes = json!([number, 0, 255, 13, 10]);
            let stored = page
                .eval_async(write, json!([put[number]["url"], bytes]))
                .await;
            assert_eq!(stored, 200, "{key:?}");
            let object = world.customer.s3().get_object().bucket(&world.bucket);
            let object = object.key(format!("team{key}")).send().await.unwrap();
            let body = object.body.collect().await.unwrap().into_bytes();
            assert_eq!(*body, [number as u8, 0, 255, 13, 10], "{key:?}");
            let read = page.eval_async(read, json!([get[number]["url"]])).await;
            assert_eq!(read, json!([200, bytes]), "{key:?}");
        }
    })
    .await;
}
