//! The list of storages, and what an admin does from it.

use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::json;

/// Opens the menu of a storage in the list.
async fn open_menu(page: &Page, name: &str) {
    page.press(&format!("More about {name}")).await;
    page.find("details.menu[open]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_done_from_the_list() {
    let world = World::with(|options| options.built_in_bucket = Some("built-in".into())).await;
    world.put_samples().await;
    browser::run("storages", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        page.see("Connect a bucket of your own").await;
        let storage = world.connect(&world.typed("Acme's data", "team")).await;
        let broken = world.connect(&world.typed("Archive", "archive")).await;
        world.withdraw_role(&broken).await;
        page.reload().await;
        page.see("Healthy").await;
        page.see("checked").await;
        page.see_no("Connect a bucket of your own").await;

        // Escape closes the menu and gives the focus back.
        open_menu(&page, "Acme's data").await;
        page.keys("\u{E00C}").await;
        let closed = "return !document.querySelector('details.menu[open]') && document.activeElement.localName === 'summary';";
        page.wait("the closed menu", closed, json!([])).await;

        open_menu(&page, "Acme's data").await;
        page.press("Set as default").await;
        page.see("The default storage was changed.").await;
        page.see("Acme's data Default").await;

        open_menu(&page, "Acme's data").await;
        page.press("Show the documents").await;
        page.at(&format!("/settings/storages/{storage}")).await;
        page.press("Permission policy").await;
        page.see("s3:GetObject").await;

        world.goto(&page, "/settings/storages").await;
        page.press("Check now Acme's data").await;
        page.see("The connection was checked: it works.").await;
        // What is wrong leads to what is to be changed.
        page.press("Check now Archive").await;
        page.at(&format!("/settings/storages/{broken}")).await;
        page.see("The connection was checked: it does not work.").await;
        page.see("What to change:").await;
        assert!(page.has(".notice-bad[role=status]").await);

        world.goto(&page, "/settings/storages").await;
        page.see("Broken").await;
        open_menu(&page, "Archive").await;
        page.press("Delete…").await;
        page.see("Delete Archive?").await;
        page.press("Delete").await;
        page.see("The storage was deleted.").await;
        page.see_no("Archive").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_in_the_viewer_s_zone() {
    let world = World::new().await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("zones", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let mut shown = Vec::new();
        for zone in ["Asia/Tokyo", "America/New_York"] {
            page.zone(zone).await;
            world.goto(&page, &format!("/settings/storages/{storage}")).await;
            let same = "return [...document.querySelectorAll('main time:not([data-ago])')].every((time) => time.title.endsWith(' UTC') && time.textContent === new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short', timeZone: arguments[0]}).format(new Date(time.dateTime)));";
            page.wait(zone, same, json!([zone])).await;
            shown.push(page.eval("document.querySelector('main time').textContent").await);
        }
        assert_ne!(shown[0], shown[1]);
    })
    .await;
}
