//! The dialog without a mouse.

use crate::it::browser::dialog;
use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::{ENTER, Page, TAB};
use serde_json::json;

/// More than any page has to step through.
const FAR: usize = 60;

/// Presses Tab until the element with the focus says this, or is labelled so. At each stop the focus
/// must be visible.
async fn tab_to(page: &Page, name: &str) {
    let stop = "const e = document.activeElement;
        const label = e.labels?.length ? e.labels[0] : e;
        const style = getComputedStyle(e);
        const shown = e.checkVisibility() && (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== 'none');
        return [(e.getAttribute('aria-label') || label.innerText || '').trim().replace(/\\s+/g, ' '), shown, e.outerHTML.slice(0, 200)];";
    let mut stops = Vec::new();
    for _ in 0..FAR {
        page.keys(TAB).await;
        let at = page.script(stop, json!([])).await.unwrap();
        assert_eq!(at[1], true, "the focus cannot be seen on {}", at[2]);
        let text = at[0].as_str().unwrap().to_owned();
        if text.starts_with(name) {
            return;
        }
        stops.push(text);
    }
    panic!("Tab never comes to {name:?}, but to {stops:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialog_is_done_by_the_keyboard_alone() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("keyboard", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(422);
        world.sign_in(&page).await;
        page.keys(TAB).await;
        assert_eq!(
            page.eval("document.activeElement.innerText").await,
            "Skip to the content"
        );
        page.keys(ENTER).await;
        tab_to(&page, "Add").await;
        page.keys(ENTER).await;
        page.at("/settings/setups/set_").await;
        let setup = page
            .path()
            .await
            .split(['/', '?'])
            .nth(3)
            .unwrap()
            .to_owned();

        // Nothing typed: the error's field gets the focus.
        tab_to(&page, "Display name").await;
        page.keys(ENTER).await;
        page.find("#bucket[aria-invalid=true]").await;
        let focus = "return document.activeElement.id === 'bucket';";
        page.wait("the focus on the first error", focus, json!([]))
            .await;
        page.keys(&world.bucket).await;
        tab_to(&page, "Prefix").await;
        page.keys("team").await;
        page.keys(ENTER).await;
        dialog::at_step(&page, "role").await;
        let role_arn = world.apply(&setup).await;
        tab_to(&page, "AWS CLI").await;
        page.keys(ENTER).await;
        page.see("Run the script").await;
        tab_to(&page, "Continue").await;
        page.keys(ENTER).await;
        dialog::at_step(&page, "check").await;
        tab_to(&page, "Use another role").await;
        page.keys(ENTER).await;
        tab_to(&page, "Role ARN").await;
        page.keys(&role_arn).await;
        page.keys(ENTER).await;
        // The page begins by itself.
        page.find("#verdict[data-ended]").await;
        page.see("Connected").await;
        tab_to(&page, "Add storage").await;
        page.keys(ENTER).await;
        page.see("The storage was added.").await;
    })
    .await;
}
