//! Signed URLs of difficult keys, opened by a browser.

use super::world::World;
use crate::support::browser;
use serde_json::json;

const KEYS: [&str; 14] = [
    "/with space.txt",
    "/a+b=c.txt",
    "/100%25 & more?.txt",
    "/%2e%2e%2f.txt",
    "/hash#mark.txt",
    "/semi;colon,comma.txt",
    "/quote\"and'apostrophe.txt",
    "/<script>alert(1)</script>.txt",
    "/back\\slash.txt",
    "/double//slash.txt",
    "/größe-日本語-🎈.txt",
    "/עברית \u{202e}txt.exe",
    "/...dots.../.hidden",
    "/tilde~star*(paren)!.txt",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_exact_bytes_of_every_key() {
    let world = World::new().await;
    let storage = world.connect(&world.typed("Keys", "team")).await;
    for (number, key) in KEYS.iter().enumerate() {
        let key = format!("team{key}");
        let bytes = [number as u8, 0, 255, b'\r', b'\n'];
        world.customer.put_object(&world.bucket, &key, bytes).await;
    }
    let path = format!("/v1/storages/{storage}/files/sign");
    let body = json!({"keys": KEYS, "method": "GET"});
    let signed = world.app.post(&path, &world.workspace.member, &body).await;
    let signed = signed.expect(200);
    browser::run("hostile_keys", async |browsers| {
        let page = browsers.open().await;
        // A page of the product, which has another Content-Security-Policy than ours.
        page.session
            .devtools("Page.setBypassCSP", json!({"enabled": true}))
            .await;
        world.goto(&page, "/signed-out").await;
        let read = "const answer = await fetch(arguments[0]);
            return [answer.status, [...new Uint8Array(await answer.arrayBuffer())]];";
        for (number, key) in KEYS.iter().enumerate() {
            let url = &signed["urls"][number];
            assert_eq!(url["key"], *key);
            let answer = page.eval_async(read, json!([url["url"]])).await;
            assert_eq!(answer, json!([200, [number, 0, 255, 13, 10]]), "{key}");
        }
    })
    .await;
}
