//! The pages in a frame of the product's.

use crate::it::browser::elsewhere::Elsewhere;
use crate::it::browser::world::World;
use crate::it::support::app::OPERATOR;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::{Value, json};

/// As high as a page with long documents makes it.
const HEIGHT: u32 = 6_000;

/// Waits for the dialog, and gives its place: the tops of the link that opens it and of the dialog, the dialog's bottom
/// and the height of the frame.
async fn place(page: &Page) -> [f64; 4] {
    let script = "const dialog = document.getElementById('close-setup');
        if (!dialog.open) return null;
        const [of, own] = [document.querySelector('[data-dialog]'), dialog].map((one) => one.getBoundingClientRect());
        return [of.top, own.top, own.bottom, innerHeight];";
    let found = page.wait("the dialog", script, json!([])).await;
    [0, 1, 2, 3].map(|at: usize| found[at].as_f64().unwrap())
}

async fn shut(page: &Page) {
    page.press("Go on").await;
    let script = "return !document.getElementById('close-setup').open;";
    page.wait("no dialog", script, json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_of_a_tall_frame_opens_where_it_was_asked_for() {
    let product = Elsewhere::serve("<!doctype html><title>Product</title>");
    let origin = product.same_site();
    let world = World::with(|options| options.frame_ancestors = Some(origin.clone())).await;
    let path = format!("/v1/workspaces/{}/sign-in-links", world.workspace.id);
    let body = json!({"role": "admin", "purpose": "add_storage", "embed": true});
    let made = world.app.post(&path, OPERATOR, &body).await.expect(201);
    let link: &Value = &made["url"];
    browser::run("tall_frame", async |browsers| {
        let page = browsers.open().await;
        page.goto(&origin).await;
        let frame = "const frame = document.createElement('iframe');
            frame.width = 1000; frame.height = arguments[1]; frame.src = arguments[0];
            document.body.append(frame);";
        page.script(frame, json!([link, HEIGHT])).await.unwrap();
        let frame = page.find("iframe").await;
        page.enter_frame(&frame).await;
        page.find("a[data-dialog=close-setup]").await;
        page.press("Save and close").await;
        let [link, top, bottom, height] = place(&page).await;
        assert_eq!(height, f64::from(HEIGHT));
        assert!((top - link).abs() < 40.0, "{top} is not near {link}");
        assert!(bottom < height / 2.0, "{bottom}");
        shut(&page).await;

        // At the very end of the frame it is whole nevertheless.
        let down = "const link = document.querySelector('[data-dialog]');
            Object.assign(link.style, {position: 'absolute', top: `${innerHeight - 50}px`, left: '0'});
            document.body.append(link);";
        page.script(down, json!([])).await.unwrap();
        page.press("Save and close").await;
        let [link, top, bottom, height] = place(&page).await;
        assert!(top < link && bottom <= height, "{top} to {bottom}");
        assert!(link - top < 500.0, "{top} is not near {link}");
        page.leave_frame().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_of_a_window_is_in_its_middle() {
    let world = World::new().await;
    let setup = world.open_setup(&json!({})).await;
    browser::run("dialog_in_window", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let path = format!("/settings/setups/{setup}");
        world.goto(&page, &path).await;
        page.press("Save and close").await;
        let [_, top, bottom, height] = place(&page).await;
        assert!(
            (top + bottom - height).abs() < 2.0,
            "{top} to {bottom} of {height}"
        );
        shut(&page).await;
    })
    .await;
}
