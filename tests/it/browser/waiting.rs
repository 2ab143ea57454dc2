//! Connecting by an account alone: the page waits for the role, and goes on by itself.

use crate::it::browser::dialog;
use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::emulator::{VENDOR_ACCOUNT, trust_policy};
use serde_json::{Value, json};

/// The documents of the setup, and the name of the role that they make.
async fn wanted(world: &World, setup: &str) -> (Value, String) {
    let path = format!("/v1/storage-setups/{setup}/documents");
    let documents = world.app.get(&path, &world.workspace.admin).await;
    let documents = documents.expect(200);
    let role = world.setup(setup).await["expected_role_arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let name = role.rsplit('/').next().unwrap().to_owned();
    (documents, name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_appears_while_the_page_waits_turns_it_green() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("role_appears", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_by(&page, "AWS CLI").await;
        dialog::enter_account(&page, &world.customer.account).await;
        page.see("Waiting for the role").await;
        let counts = "return /Not there yet, or it refuses us · [1-9][0-9]* s/.test(document.body.innerText);";
        page.wait("the seconds", counts, json!([])).await;
        let (documents, name) = wanted(&world, &setup).await;
        page.see(&name).await;
        // Waiting is no failure, and nothing can be added yet.
        assert!(!page.has("#verdict[data-ended], li[data-kind=bad]").await);
        assert!(page.has(".add button[disabled]").await);

        // Elsewhere, the customer's administrator applies everything, and makes the role last.
        world.apply(&setup).await;
        let trust = &documents["trust_policy"];
        let permissions = &documents["permission_policy"];
        world.customer.put_role(&name, trust, permissions).await;
        page.see("Connected").await;
        page.press("Add storage").await;
        page.at("/settings/storages/sto_").await;
        page.see("The storage was added.").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_appears_and_lets_everybody_in_is_refused() {
    let world = World::new().await;
    browser::run("role_appears_open", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_by(&page, "CloudFormation").await;
        dialog::enter_account(&page, &world.customer.account).await;
        page.see("Waiting for the role").await;
        let (documents, name) = wanted(&world, &setup).await;
        let open = trust_policy(VENDOR_ACCOUNT, None);
        let permissions = &documents["permission_policy"];
        world.customer.put_role(&name, &open, permissions).await;
        page.find_within("#verdict[data-ended=bad]", 60).await;
        page.see("This role does not require your external ID")
            .await;
        assert!(page.has(".add button[disabled]").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_appears_without_its_permissions_is_found_and_its_check_says_what_is_missing() {
    let world = World::new().await;
    browser::run("role_appears_bare", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_by(&page, "CloudFormation").await;
        dialog::enter_account(&page, &world.customer.account).await;
        page.see("Waiting for the role").await;
        let (documents, name) = wanted(&world, &setup).await;
        let trust = &documents["trust_policy"];
        let nothing = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetBucketCORS", "Resource": "*"},
        ]});
        world.customer.put_role(&name, trust, &nothing).await;
        // The check ends at once: nothing about these answers changes by waiting.
        page.find_within("#verdict[data-ended=bad]", 60).await;
        dialog::see_step(&page, "assume_role", "good").await;
        dialog::see_step(&page, "list_bucket", "bad").await;
        assert!(page.has(".add button[disabled]").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_never_appears_is_given_up_by_a_click_and_without_scripts_by_a_check() {
    let world = World::new().await;
    browser::run("role_never", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_by(&page, "Terraform").await;
        dialog::enter_account(&page, &world.customer.account).await;
        page.see("Waiting for the role").await;
        // After a minute, both reasons for the one answer of AWS, and what to look at.
        assert!(page.has("#not-there[hidden]").await);
        page.find_within("#not-there:not([hidden])", 75).await;
        page.see("There is no role").await;
        page.see("its trust policy does not let us in").await;
        page.press("Stop").await;
        page.see("The page has stopped waiting.").await;

        let plain = browsers.open_without_scripts().await;
        world.sign_in(&plain).await;
        world
            .goto(&plain, &format!("/settings/setups/{setup}?step=check"))
            .await;
        plain.see("Waiting for the role").await;
        plain.press("Look again").await;
        plain.see("Not there yet, or it refuses us").await;
        plain.press("Check connection").await;
        plain.find("#verdict[data-ended=bad]").await;
        // Both causes: AWS gives the same answer for either.
        plain
            .see("AWS gives the same answer while there is no such role")
            .await;
        plain.find(".causes li:nth-child(2)").await;
        let typed = world.setup(&setup).await;
        assert_eq!(typed["customer_account_id"], json!(world.customer.account));
    })
    .await;
}
