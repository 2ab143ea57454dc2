//! The link for the customer's AWS administrator.

use crate::it::browser::dialog;
use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::emulator::VENDOR_ACCOUNT;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_link_shows_the_instructions_takes_the_role_and_can_do_nothing_else() {
    let world = World::new().await;
    world.put_samples().await;
    browser::run("administrator", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        let setup = dialog::open(&page).await;
        dialog::describe_bucket(&world, &page, "team").await;
        dialog::go_by(&page, "Send to my administrator").await;
        page.press("Create a setup link").await;
        page.see("Send this link to your AWS administrator.").await;
        let link = page
            .eval("document.querySelector('#link-panel code').textContent")
            .await;
        let link = link.as_str().unwrap().to_owned();
        assert!(link.starts_with(&world.url("/instructions/")), "{link}");

        let outside = browsers.open().await;
        outside.expect_status(401);
        outside.expect_status(404);
        outside.expect_status(422);
        outside.goto(&link).await;
        for words in [
            "asks you to connect a bucket to Sallyport",
            VENDOR_ACCOUNT,
            "What you grant",
            "team/temp/ and team/export/",
            "How to take it back",
            "What a careful administrator asks",
        ] {
            outside.see(words).await;
        }
        outside.press("AWS console, by hand").await;
        let external_id = world.setup(&setup).await["external_id"].clone();
        outside.see(external_id.as_str().unwrap()).await;
        // The secret is in a cookie that no script reads, and not in the address.
        let address = outside.eval("location.href").await;
        let secret = link.rsplit('/').next().unwrap();
        assert!(!address.as_str().unwrap().contains(secret), "{address}");
        let cookies = outside.cookies().await;
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        assert_eq!(cookies[0]["httpOnly"], true, "{cookies:?}");

        // Nothing else is reached with it.
        for path in [
            "/settings/storages".to_owned(),
            format!("/settings/setups/{setup}"),
            format!("/settings/setups/{setup}/documents"),
        ] {
            world.goto(&outside, &path).await;
            outside.see("Please sign in again").await;
        }

        outside.goto(&link).await;
        outside.press("Use another role").await;
        outside
            .fill("Role ARN", "arn:aws:iam::123:user/somebody")
            .await;
        outside.press("Connect").await;
        outside.find("#role_arn[aria-invalid=true]").await;
        assert_eq!(
            outside.value("Role ARN").await,
            "arn:aws:iam::123:user/somebody"
        );
        let download = "return await (await fetch(arguments[0])).text();";
        let documents = outside.eval_async(download, json!([format!("{link}/documents")]));
        let documents = documents.await;
        let role_arn = world
            .apply_documents(documents.as_str().unwrap().as_bytes())
            .await;
        outside.fill("Role ARN", &role_arn).await;
        outside.press("Connect").await;
        // Their own check, which begins by itself; nothing is called saved.
        outside.find("#verdict[data-ended=good]").await;
        outside
            .see("The person who sent you the link sees this too")
            .await;
        outside.see_no("Saved").await;
        assert!(!outside.has_button("Add storage").await);
        assert_eq!(world.setup(&setup).await["role_arn"], role_arn);

        // The product's side sees it without a reload.
        page.see("The role has been entered").await;
        // The admin goes on, and takes the link back.
        page.press("Revoke the link").await;
        page.see("The link was revoked.").await;
        outside.reload().await;
        outside
            .see("This setup link has expired or was revoked")
            .await;
        page.press("Continue").await;
        dialog::at_step(&page, "check").await;
        // The administrator's check counts.
        page.see("Connected").await;
        page.press("Add storage").await;
        page.see("The storage was added.").await;
    })
    .await;
}
