//! Connections that must not be added, and the words about them.

use crate::domain::check::StepName;
use crate::it::browser::dialog;
use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::emulator::{VENDOR_ACCOUNT, random_name, trust_policy};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_anybody_may_assume_is_refused_and_a_guarded_one_then_taken() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("insecure_role", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_to_role(&page).await;
        // CORS and lifecycle as they should be, but a role made by hand.
        let documents = dialog::download_documents(&page, &setup).await;
        let guarded = world.apply_documents(documents.as_bytes()).await;
        let documents: Value = serde_json::from_str(&documents).unwrap();
        let unguarded = world
            .customer
            .put_role(
                &random_name("careless"),
                &trust_policy(VENDOR_ACCOUNT, None),
                &documents["permission_policy"],
            )
            .await;
        dialog::enter_role(&page, &unguarded).await;
        dialog::check(&page).await;
        dialog::see_step(&page, "assume_role", "good").await;
        dialog::see_step(&page, "refuses_missing_external_id", "bad").await;
        dialog::see_step(&page, "refuses_wrong_external_id", "bad").await;
        page.see("2 of").await;
        page.see("checks failed").await;
        page.see("What to change:").await;
        page.see("sts:ExternalId").await;
        // Each step is there once, although those with a problem were sent twice, and each of the two
        // problems is told once, with the change to copy.
        let steps = page
            .eval("document.querySelectorAll('.checklist > li[id^=\"step-\"]').length")
            .await;
        assert_eq!(steps, StepName::ALL.len());
        let told = page
            .eval("[...document.querySelectorAll('.problem .title')].length")
            .await;
        assert_eq!(told, 2);
        page.see("Replace the role’s trust policy with").await;
        page.see("aws iam update-assume-role-policy").await;
        // A phone shows all of it without scrolling sideways, with what is folded opened.
        page.appearance("light", 360, 800).await;
        page.eval("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            .await;
        let beyond = page
            .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            .await;
        assert_eq!(beyond, 0);
        page.appearance("light", 1200, 800).await;
        assert!(page.has(".add button[disabled]").await);
        let storages = world.app.get("/v1/storages", &world.workspace.admin).await;
        assert!(!storages.text.contains(&unguarded));

        page.press("Set up AWS").await;
        dialog::at_step(&page, "role").await;
        dialog::go_to_role(&page).await;
        dialog::enter_role(&page, &guarded).await;
        dialog::check(&page).await;
        page.see("Connected").await;
        page.press("Add storage").await;
        page.see("The storage was added.").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_cors_the_browser_s_own_step_fails_with_the_words_for_it() {
    let world = World::new().await;
    browser::run("cors_removed", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::reach_check(&world, &page, "").await;
        let documents = dialog::download_documents(&page, &setup).await;
        dialog::check(&page).await;
        page.see("Connected").await;
        world.remove_cors().await;
        page.expect_console("CORS policy");
        page.expect_console("net::ERR_FAILED");
        page.press("Try from this browser").await;
        page.find("#browser-step[data-kind=bad]").await;
        let origin = world.url("");
        page.see(&format!(
            "the bucket’s CORS configuration does not let {origin} use PUT"
        ))
        .await;
        let failed_at = page.path().await;

        // The way to what is to be applied, and back to another try once it is.
        page.press("Show the CORS configuration").await;
        dialog::at_step(&page, "role").await;
        page.see("AllowedOrigins").await;
        world.goto(&page, &failed_at).await;
        page.find("#browser-step[data-kind=bad]").await;
        world.apply_documents(documents.as_bytes()).await;
        page.press("Try again").await;
        page.find("#browser-step[data-kind=good]").await;
        page.see("This browser put, read and deleted a probe file from")
            .await;
        world.remove_cors().await;

        // The server's own step says the same, and nothing typed is lost.
        dialog::check_again(&page).await;
        page.find("#step-cors:is([data-kind=bad], [data-kind=warn])")
            .await;
        page.see("CORS").await;
    })
    .await;
}
