//! What other sites' pages cannot do, and who may embed the pages.

use crate::it::browser::elsewhere::Elsewhere;
use crate::it::browser::world::World;
use crate::it::support::browser;
use serde_json::json;

/// A page that sends a form as soon as it is loaded.
fn posting(action: &str) -> String {
    format!(
        r#"<!doctype html><title>Elsewhere</title><form method="post" action="{action}"><input name="csrf" value="guessed"></form><script>document.forms[0].submit()</script>"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_origin_changes_nothing() {
    let world = World::new().await;
    let elsewhere = Elsewhere::serve(posting(&world.url("/settings/storages/add")));
    browser::run("csrf_origin", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(403);
        world.sign_in(&page).await;
        // The cookie travels from the same site; the origin is another.
        page.goto(&elsewhere.same_site()).await;
        page.at("/settings/storages/add").await;
        page.see("This came from another site’s page, and was refused.")
            .await;
        // From another site, the cookie does not even travel.
        page.expect_status(401);
        page.goto(&elsewhere.cross_site()).await;
        page.at("/settings/storages/add").await;
        page.see("Please sign in again").await;
        let setups = world.app.get("/v1/storage-setups", &world.workspace.admin);
        assert_eq!(setups.await.expect(200)["storage_setups"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_session_s_token_changes_nothing() {
    let world = World::new().await;
    browser::run("csrf_token", async |browsers| {
        let (page, other) = (browsers.open().await, browsers.open().await);
        page.expect_status(403);
        world.sign_in(&page).await;
        world.sign_in(&other).await;
        let foreign = other.eval("document.querySelector('[name=csrf]').value");
        let foreign = foreign.await;
        let post = "const body = new URLSearchParams(arguments[0]);
            const answer = await fetch('/settings/storages/add', {method: 'POST', body});
            return [answer.status, await answer.text()];";
        for fields in [json!({}), json!({"csrf": ""}), json!({"csrf": foreign})] {
            let answer = page.eval_async(post, json!([fields])).await;
            assert_eq!(answer[0], 403, "{fields}");
            assert!(
                answer[1]
                    .as_str()
                    .unwrap()
                    .contains("not of your present session")
            );
        }
        let setups = world.app.get("/v1/storage-setups", &world.workspace.admin);
        assert_eq!(setups.await.expect(200)["storage_setups"], json!([]));
    })
    .await;
}

fn framing(url: &str) -> String {
    format!(r#"<!doctype html><title>Product</title><iframe src="{url}"></iframe>"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_origins_embed_the_pages() {
    // The frame's address is only known with the service's; the service wants the product's first.
    let product = Elsewhere::serve("<!doctype html><title>Product</title>");
    let allowed = product.same_site();
    let world = World::with(|options| options.frame_ancestors = Some(allowed.clone())).await;
    browser::run("frame_ancestors", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        page.goto(&allowed).await;
        let frame = "const frame = document.createElement('iframe');
            frame.src = arguments[0]; document.body.append(frame);
            await new Promise((loaded) => frame.addEventListener('load', loaded)); return true;";
        let storages = world.url("/settings/storages");
        page.eval_async(frame, json!([storages])).await;
        let element = page.find("iframe").await;
        page.enter_frame(&element).await;
        page.see("Storages").await;
        page.leave_frame().await;
        // An error is shown there as well.
        page.expect_status(404);
        page.goto(&allowed).await;
        page.eval_async(frame, json!([world.url("/settings/nothing")]))
            .await;
        let element = page.find("iframe").await;
        page.enter_frame(&element).await;
        page.see("There is nothing here").await;
        page.leave_frame().await;

        page.expect_console("frame-ancestors");
        let other = Elsewhere::serve(framing(&storages));
        page.goto(&other.same_site()).await;
        let element = page.find("iframe").await;
        page.enter_frame(&element).await;
        let text = page.text().await;
        assert!(!text.contains("Storages"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_no_controls_of_an_admin_and_is_refused_their_addresses() {
    let world = World::new().await;
    browser::run("member", async |browsers| {
        let (admin, page) = (browsers.open().await, browsers.open().await);
        world.sign_in(&admin).await;
        assert!(admin.has_button("Add storage").await);
        page.expect_status(403);
        world.sign_in_as_member(&page).await;
        world.goto(&page, "/settings/storages").await;
        page.see("Storages").await;
        assert!(!page.has_button("Add storage").await);
        assert!(!page.has_button("Check now").await);
        let post =
            "const body = new URLSearchParams({csrf: document.querySelector('[name=csrf]').value});
            return (await fetch('/settings/storages/add', {method: 'POST', body})).status;";
        assert_eq!(page.eval_async(post, json!([])).await, 403);
    })
    .await;
}
