//! What the tests do in the dialog that adds a storage, as people do it.

use crate::it::browser::world::World;
use crate::it::support::browser::Page;
use serde_json::json;

/// Opens the dialog from the list. Gives the setup's ID.
pub async fn open(page: &Page) -> String {
    page.press("Add external object storage").await;
    let path = page.at("/settings/setups/set_").await;
    at_step(page, "bucket").await;
    id_in(&path)
}

fn id_in(path: &str) -> String {
    let id = path.split(['/', '?']).nth(3).unwrap();
    assert!(id.starts_with("set_"), "{path}");
    id.to_owned()
}

/// Types the first step and goes on to the second.
pub async fn describe_bucket(world: &World, page: &Page, prefix: &str) {
    page.fill("Bucket", &world.bucket).await;
    page.fill("Prefix", prefix).await;
    page.choose("Read and write").await;
    page.fill("Display name", "Acme's data").await;
    page.press("Continue").await;
    at_step(page, "cors").await;
}

pub async fn at_step(page: &Page, step: &str) {
    let script = "return new URLSearchParams(location.search).get('step') === arguments[0] && document.readyState === 'complete';";
    page.wait(&format!("the step {step}"), script, json!([step]))
        .await;
}

/// From the second step to the fourth, reading what each asks for.
pub async fn go_to_role(page: &Page) {
    page.see("CORS").await;
    page.press("Continue").await;
    at_step(page, "policy").await;
    page.see("s3:GetObject").await;
    page.press("Continue").await;
    at_step(page, "role").await;
    page.see("External ID").await;
}

/// The documents of a setup, as the page's download gives them.
pub async fn download_documents(page: &Page, setup: &str) -> String {
    let download = "const answer = await fetch(arguments[0]);
        return [answer.status, answer.headers.get('content-disposition'), await answer.text()];";
    let path = format!("/settings/setups/{setup}/documents");
    let answer = page.eval_async(download, json!([path])).await;
    assert_eq!(answer[0], 200, "{answer}");
    assert!(answer[1].as_str().unwrap().starts_with("attachment"));
    answer[2].as_str().unwrap().to_owned()
}

/// Enters the role's ARN in the fourth step, and goes on to the last.
pub async fn enter_role(page: &Page, role_arn: &str) {
    page.fill("Role ARN", role_arn).await;
    page.press("Continue").await;
    at_step(page, "check").await;
}

/// The whole way to the last step, by the documents that the page gives. Gives the setup's ID.
pub async fn reach_check(world: &World, page: &Page, prefix: &str) -> String {
    let setup = open(page).await;
    describe_bucket(world, page, prefix).await;
    go_to_role(page).await;
    let documents = download_documents(page, &setup).await;
    let role_arn = world.apply_documents(documents.as_bytes()).await;
    enter_role(page, &role_arn).await;
    setup
}

/// Checks, and waits for the end of it.
pub async fn check(page: &Page) {
    press_check(page).await;
    page.find("#outcome .notice").await;
}

/// Waits for a step of the check to be in this state: `good`, `bad`, `warn` or `none`.
pub async fn see_step(page: &Page, name: &str, kind: &str) {
    page.find(&format!("#step-{name}[data-kind={kind}]")).await;
}

/// Checks once more, on a page that shows the result of an earlier check.
pub async fn check_again(page: &Page) {
    page.script(
        "document.getElementById('outcome').replaceChildren();",
        json!([]),
    )
    .await
    .unwrap();
    press_check(page).await;
    page.find("#outcome .notice").await;
}

/// "Check connection", or "Check again" after the first time.
async fn press_check(page: &Page) {
    let button = page.find("form[action$='/check'] button").await;
    page.click(&button).await;
}
