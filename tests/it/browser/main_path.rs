//! The main job: connect a bucket, and use its files.

use crate::it::browser::dialog;
use crate::it::browser::world::World;
use crate::it::support::browser;
use serde_json::{Value, json};

/// Notes how many steps have ended, whenever the page changes.
const WATCH: &str = "window.ended = new Set();
const count = () => ended.add(document.querySelectorAll('li[id^=step-]:is([data-kind=good],[data-kind=bad],[data-kind=warn])').length);
new MutationObserver(count).observe(document.body, {subtree: true, childList: true, attributes: true});
return true;";

#[tokio::test(flavor = "multi_thread")]
async fn from_the_sign_in_link_to_an_opened_file() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("main_path", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        page.fill("Bucket", &world.bucket).await;
        page.fill("Prefix", "team").await;
        page.choose("Read and write").await;
        page.fill("Display name", "Acme's data").await;
        // The consequence, while one types.
        page.see(&format!("In {}, below team/", world.bucket)).await;
        page.see("S3 deletes files after 7 days").await;
        page.see("team/temp/ and team/export/").await;
        page.press("Continue").await;
        dialog::at_step(&page, "role").await;
        dialog::go_to_role(&page).await;
        page.see(&world.url("")).await;
        let external_id = world.setup(&setup).await["external_id"].clone();
        page.see(external_id.as_str().unwrap()).await;

        let documents = dialog::download_documents(&page, &setup).await;
        let role_arn = world.apply_documents(documents.as_bytes()).await;
        dialog::enter_role(&page, &role_arn).await;
        dialog::check(&page).await;

        // A check of a few milliseconds may arrive as one piece: then it is made again.
        let mut shown = 0;
        for _ in 0..20 {
            page.script(WATCH, json!([])).await.unwrap();
            dialog::check_again(&page).await;
            let between = "[...ended].filter((n) => n > 0 && n < 10).length";
            shown = page.eval(between).await.as_u64().unwrap();
            if shown >= 2 {
                break;
            }
        }
        assert!(shown >= 2, "the steps came all at once: {shown}");
        page.see("Connected").await;
        page.see("All 10 checks passed").await;
        // What has passed is not asked for again first.
        assert!(!page.has("#verdict button.primary").await);
        assert_eq!(
            page.eval("document.querySelectorAll('li[id^=step-]').length")
                .await,
            10
        );
        assert_eq!(
            page.eval("document.querySelectorAll('li[id^=step-][data-kind=good]').length")
                .await,
            10
        );
        page.press("Try from this browser").await;
        page.find("#browser-step[data-kind=good]").await;
        page.see("This browser put, read and deleted a probe file from")
            .await;

        page.press("Add storage").await;
        page.at("/settings/storages/sto_").await;
        page.see("The storage was added.").await;
        page.see("Healthy").await;
        page.see("Open files").await;
        let storages = world.app.get("/v1/storages", &world.workspace.member).await;
        let storages = storages.expect(200);
        let added: Vec<&Value> = storages["storages"].as_array().unwrap().iter().collect();
        assert!(
            added.iter().any(|s| s["role_arn"] == role_arn.as_str()),
            "{added:?}"
        );
        assert_eq!(
            left_behind(&world).await,
            Vec::<String>::new(),
            "probe objects were left"
        );
    })
    .await;
}

/// What is below `temp/`.
async fn left_behind(world: &World) -> Vec<String> {
    let listed = world
        .customer
        .s3()
        .list_objects_v2()
        .bucket(&world.bucket)
        .prefix("team/temp/")
        .send()
        .await
        .unwrap();
    listed
        .contents()
        .iter()
        .map(|o| o.key().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_without_scripts() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("no_scripts", async |browsers| {
        let page = browsers.open_without_scripts().await;
        world.sign_in(&page).await;
        assert_eq!(
            page.eval("document.documentElement.classList.contains('js')")
                .await,
            false
        );
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_to_role(&page).await;
        let role_arn = world.apply(&setup).await;
        dialog::enter_role(&page, &role_arn).await;
        dialog::check(&page).await;
        page.see("Connected").await;
        dialog::see_step(&page, "cors", "good").await;
        page.press("Add storage").await;
        page.see("The storage was added.").await;

        // Closing is a page of its own.
        world.goto(&page, "/settings/storages").await;
        dialog::open(&page).await;
        page.press("Save and close").await;
        page.see("Keep this setup for later?").await;
        page.press("Discard").await;
        page.see("The setup was closed.").await;
        assert!(!page.text().await.contains("in progress"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_setup_is_resumed_with_all_that_was_typed() {
    let world = World::new().await;
    browser::run("resumed", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        let external_id = world.setup(&setup).await["external_id"].clone();
        dialog::describe_bucket(&world, &page, "team/größe").await;
        dialog::go_to_role(&page).await;
        let role_arn = "arn:aws:iam::123456789012:role/of/acme/sallyport";
        dialog::enter_role(&page, role_arn).await;
        page.press("Save and close").await;
        page.see("Keep this setup for later?").await;
        page.press("Keep for later").await;
        page.at("/settings/storages").await;
        page.see("The setup was kept.").await;
        page.see("1 setup in progress").await;

        // Another day, another browser.
        let later = browsers.open().await;
        world.sign_in(&later).await;
        later.press("Acme's data").await;
        later.at(&format!("/settings/setups/{setup}")).await;
        later.press("Bucket").await;
        dialog::at_step(&later, "bucket").await;
        assert_eq!(later.value("Bucket").await, world.bucket);
        assert_eq!(later.value("Prefix").await, "team/größe/");
        assert_eq!(later.value("Display name").await, "Acme's data");
        later.press("Set up AWS").await;
        dialog::at_step(&later, "role").await;
        dialog::go_to_role(&later).await;
        later.see(external_id.as_str().unwrap()).await;
        later.press("Continue").await;
        dialog::at_step(&later, "check").await;
        later.see(role_arn).await;
        later.press("Use another account or role").await;
        assert_eq!(later.value("Role ARN").await, role_arn);

        later.press("Save and close").await;
        later.press("Discard").await;
        later.see("The setup was closed.").await;
        later.see_no("setup in progress").await;
        assert_eq!(world.setup(&setup).await["status"], "closed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_accepted_is_kept_beside_its_error() {
    let world = World::new().await;
    browser::run("typed", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(422);
        world.sign_in(&page).await;
        dialog::open(&page).await;
        page.fill("Bucket", "Not A Bucket").await;
        page.fill("Prefix", "team").await;
        page.press("Continue").await;
        page.find("#bucket[aria-invalid=true]").await;
        assert_eq!(page.value("Bucket").await, "Not A Bucket");
        assert_eq!(page.value("Prefix").await, "team");
        let described = page.eval(
            "document.getElementById('bucket').getAttribute('aria-describedby').split(' ')
                .map((id) => document.getElementById(id)?.innerText ?? '').join(' ')",
        );
        let described = described.await;
        assert!(described.as_str().unwrap().contains("letters, digits"), "{described}");
        // The focus is where something is to be done.
        page.wait("the focus", "return document.activeElement.id === 'bucket';", json!([]))
            .await;
        // A reload loses nothing either.
        page.goto(&page.url().await).await;
        page.find("#bucket").await;
        page.wait(
            "what was typed",
            "return document.getElementById('bucket').value === 'Not A Bucket' && document.getElementById('prefix').value.startsWith('team');",
            json!([]),
        )
        .await;
    })
    .await;
}
