//! Two workspaces in the tabs of one browser.

use crate::it::browser::catalogue::{Furnished, Who};
use crate::it::browser::dialog;
use crate::it::browser::elsewhere::Elsewhere;
use crate::it::browser::world::World;
use crate::it::support::app::{OPERATOR, TestWorkspace};
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::{Value, json};

/// What the tab's address begins with, where it names its workspace.
async fn base_of(page: &Page) -> String {
    let path = page.at("/w/").await;
    let parts: Vec<&str> = path.splitn(4, '/').take(3).collect();
    parts.join("/")
}

/// What the page leads to, or asks, that is outside of the workspace.
async fn led_out(page: &Page, base: &str) -> Value {
    let script = "const [base] = arguments;
        const names = ['href', 'action', 'formaction', 'src', 'hx-get', 'hx-post', 'data-wait', 'data-upload'];
        const out = [];
        for (const element of document.querySelectorAll('*')) for (const name of names) {
            const value = element.getAttribute(name);
            if (!value || !value.startsWith('/') || value.startsWith('/static/')) continue;
            if (!value.startsWith(`${base}/`) || value.startsWith(`${base}/w/`)) out.push(`${name}=${value}`);
        }
        if (!location.pathname.startsWith(`${base}/`)) out.push(location.pathname);
        if (document.body.dataset.base !== base) out.push(`data-base=${document.body.dataset.base}`);
        return out;";
    page.script(script, json!([base])).await.unwrap()
}

/// A setup in this workspace, by whose name its pages are told apart.
async fn named_setup(world: &World, workspace: &TestWorkspace, name: &str) {
    let typed = json!({"display_name": name});
    let made = world
        .app
        .post("/v1/storage-setups", &workspace.admin, &typed);
    made.await.expect(201);
}

async fn setups(world: &World, workspace: &TestWorkspace) -> usize {
    let listed = world.app.get("/v1/storage-setups", &workspace.admin).await;
    listed.expect(200)["storage_setups"]
        .as_array()
        .unwrap()
        .len()
}

async fn sign_out(page: &Page) {
    page.press("Your session").await;
    page.press("Sign out").await;
    page.see("You are signed out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tab_stays_in_its_workspace() {
    let world = World::new().await;
    let second = &world.app.workspace().await;
    let first = &world.workspace;
    named_setup(&world, first, "Of the first").await;
    named_setup(&world, second, "Of the second").await;
    browser::run("two_tabs", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(401);
        world.sign_in(&page).await;
        let of_first = page.tab().await;
        let of_second = page.open_tab().await;
        page.goto(&world.link_of(second, "admin", "settings").await)
            .await;
        let base = base_of(&page).await;
        page.at(&format!("{base}/settings/storages")).await;
        page.see("Of the second").await;
        page.see_no("Of the first").await;

        // The first tab is as it was: its links, its forms, and loaded again.
        page.to_tab(&of_first).await;
        page.press("Projects").await;
        page.at("/projects").await;
        page.press("Storages").await;
        page.at("/settings/storages").await;
        page.see("Of the first").await;
        page.see_no("Of the second").await;
        dialog::open(&page).await;

        page.to_tab(&of_second).await;
        page.press("Projects").await;
        page.at(&format!("{base}/projects")).await;
        page.press("Storages").await;
        page.at(&format!("{base}/settings/storages")).await;
        let add = format!("form[action='{base}/settings/storages/add'] button");
        let add = page.find(&add).await;
        page.click(&add).await;
        page.at(&format!("{base}/settings/setups/set_")).await;
        assert_eq!(setups(&world, first).await, 2);
        assert_eq!(setups(&world, second).await, 2);

        // Whoever leaves one stays in the other.
        sign_out(&page).await;
        page.at(&format!("{base}/signed-out")).await;
        world
            .goto(&page, &format!("{base}/settings/storages"))
            .await;
        page.see("Please sign in again").await;
        page.to_tab(&of_first).await;
        world.goto(&page, "/settings/storages").await;
        page.see("Of the first").await;

        // An old tab of the one that was left does not become the other one.
        sign_out(&page).await;
        page.to_tab(&of_second).await;
        page.goto(&world.link_of(second, "admin", "settings").await)
            .await;
        page.at(&format!("{base}/settings/storages")).await;
        page.see("Of the second").await;
        page.to_tab(&of_first).await;
        world.goto(&page, "/settings/storages").await;
        page.see("Please sign in again").await;
        // The start page says where the browser is signed in.
        page.press("Go to the start").await;
        page.see("Workspaces that you are signed in to").await;
        page.press("Acme").await;
        page.at(&format!("{base}/settings/storages")).await;
        page.see("Of the second").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_from_elsewhere_leaves_its_tab_to_nobody() {
    let world = World::new().await;
    let second = world.app.workspace().await;
    browser::run("ended_tab", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(401);
        world.sign_in(&page).await;
        let of_first = page.tab().await;
        let path = format!("/v1/workspaces/{}", world.workspace.id);
        world.app.delete(&path, OPERATOR).await.expect(204);
        page.open_tab().await;
        page.goto(&world.link_of(&second, "admin", "settings").await)
            .await;
        base_of(&page).await;
        page.see("Storages").await;
        page.to_tab(&of_first).await;
        page.reload().await;
        page.see("Please sign in again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_leads_on_in_its_workspace() {
    let furnished = Furnished::new().await;
    let first = furnished.world.app.workspace().await;
    browser::run("pages_beside", async |browsers| {
        let page = browsers.open().await;
        // Pages about errors are pages too.
        page.expect_console("Failed to load resource");
        let (mut last, mut seen) = (None, 0);
        for entry in &furnished.entries {
            // Addresses with a secret, or for nobody, are the same for everybody.
            if entry.who == Who::Nobody || entry.path.starts_with("/instructions/") {
                continue;
            }
            let base = furnished.open_beside(&page, entry, &first, &mut last).await;
            let out = led_out(&page, &base).await;
            assert_eq!(out, json!([]), "{} ({})", entry.name, entry.path);
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_shows_its_steps_and_adds_the_storage_in_its_workspace() {
    let world = World::new().await;
    world.put_samples().await;
    let first = world.app.workspace().await;
    let setup = world.applied_setup(&world.typed("Beside", "team")).await;
    browser::run("check_beside", async |browsers| {
        let page = browsers.open().await;
        page.goto(&world.link_of(&first, "admin", "settings").await)
            .await;
        page.at("/settings/storages").await;
        page.goto(&world.link("admin", "settings").await).await;
        let base = base_of(&page).await;
        let path = format!("{base}/settings/setups/{setup}?step=check");
        world.goto(&page, &path).await;
        dialog::check(&page).await;
        dialog::see_step(&page, "list_bucket", "good").await;
        // What the stream has brought leads on in the workspace as well.
        assert_eq!(led_out(&page, &base).await, json!([]));
        page.press("Add storage").await;
        page.at(&format!("{base}/settings/storages/sto_")).await;
        page.see("Beside").await;
        assert_eq!(led_out(&page, &base).await, json!([]));
    })
    .await;
    let storages = world.app.get("/v1/storages", &first.admin).await;
    let names = storages.expect(200)["storages"].to_string();
    assert!(!names.contains("Beside"), "{names}");
}

/// A link whose pages are shown in a frame.
async fn link_for_frame(world: &World, workspace: &TestWorkspace) -> String {
    let path = format!("/v1/workspaces/{}/sign-in-links", workspace.id);
    let body = json!({"role": "admin", "purpose": "settings", "embed": true});
    let made = world.app.post(&path, OPERATOR, &body).await.expect(201);
    made["url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_frames_stay_in_their_workspaces() {
    let product = Elsewhere::serve("<!doctype html><title>Product</title>");
    let origin = product.same_site();
    let world = World::with(|options| options.frame_ancestors = Some(origin.clone())).await;
    let second = &world.app.workspace().await;
    let first = &world.workspace;
    named_setup(&world, first, "Of the first").await;
    named_setup(&world, second, "Of the second").await;
    // Both begin at once.
    let frames = "const load = ([id, address]) => {
            const frame = document.createElement('iframe');
            frame.id = id; frame.width = 1000; frame.height = 600; frame.src = address;
            const loaded = new Promise((done) => frame.addEventListener('load', done));
            document.body.append(frame);
            return loaded;
        };
        await Promise.all(arguments[0].map(load)); return true;";
    browser::run("two_frames", async |browsers| {
        let page = browsers.open().await;
        page.goto(&origin).await;
        let links = json!([[
            ["first", link_for_frame(&world, first).await],
            ["second", link_for_frame(&world, second).await],
        ]]);
        page.eval_async(frames, links).await;
        for (id, own, other) in [
            ("first", "Of the first", "Of the second"),
            ("second", "Of the second", "Of the first"),
        ] {
            let element = page.find(&format!("iframe#{id}")).await;
            page.enter_frame(&element).await;
            page.see(own).await;
            // By a link of the page, and back by the address that it came from.
            page.press(own).await;
            page.wait(
                "the setup",
                "return location.pathname.includes('/settings/setups/set_') && document.readyState === 'complete';",
                json!([]),
            )
            .await;
            let back = "location.assign(`${document.body.dataset.base}/settings/storages`);";
            page.script(back, json!([])).await.unwrap();
            page.wait(
                "the list",
                "return location.pathname.endsWith('/settings/storages') && document.readyState === 'complete';",
                json!([]),
            )
            .await;
            page.see(own).await;
            page.see_no(other).await;
            let begins_so = page.eval("location.pathname.startsWith('/w/')").await;
            assert_eq!(begins_so, true, "{id}");
            page.leave_frame().await;
        }
    })
    .await;
}
