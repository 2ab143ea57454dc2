//! What the tests do in the dialog that adds a storage, as people do it.

use crate::it::browser::world::World;
use crate::it::support::browser::Page;
use serde_json::json;

/// Opens the dialog from the list. Gives the setup's ID.
pub async fn open(page: &Page) -> String {
    let add = page
        .find("form[action='/settings/storages/add'] button")
        .await;
    page.click(&add).await;
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
    at_step(page, "role").await;
}

pub async fn at_step(page: &Page, step: &str) {
    let script = "return new URLSearchParams(location.search).get('step') === arguments[0] && document.readyState === 'complete';";
    page.wait(&format!("the step {step}"), script, json!([step]))
        .await;
}

/// Chooses a way to set up AWS, and opens its page.
pub async fn go_by(page: &Page, way: &str) {
    page.see("How do you want to set up AWS?").await;
    page.press(way).await;
    page.wait(
        "the page of the way",
        "return new URLSearchParams(location.search).has('way') && document.readyState === 'complete';",
        json!([]),
    )
    .await;
}

/// Reads what is to be done by hand.
pub async fn go_to_role(page: &Page) {
    go_by(page, "AWS console, by hand").await;
    page.see("CORS").await;
    page.see("s3:GetObject").await;
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

/// Goes on to the last step, and enters the ARN of a role there.
pub async fn enter_role(page: &Page, role_arn: &str) {
    page.press("Continue").await;
    at_step(page, "check").await;
    enter(page, "Role ARN", role_arn).await;
}

/// Goes on to the last step, and enters the account that the role is in.
pub async fn enter_account(page: &Page, account: &str) {
    page.press("Continue").await;
    at_step(page, "check").await;
    enter(page, "AWS account ID", account).await;
}

/// Fills a field of the last step, also where it is folded away, and sends it.
async fn enter(page: &Page, field: &str, text: &str) {
    let unfold =
        "document.querySelectorAll('#setup-form details').forEach((one) => { one.open = true; });";
    page.script(unfold, json!([])).await.unwrap();
    page.fill(field, text).await;
    let send = page.find("#setup-form .go button").await;
    page.click(&send).await;
    page.find("#check-card").await;
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

/// Checks, and waits for the end of it. With a script the page begins by itself.
pub async fn check(page: &Page) {
    let begins = "document.documentElement.classList.contains('js') && document.querySelector('form[data-wait]') !== null";
    if page.eval(begins).await != true {
        press_check(page).await;
    }
    // The service goes on for half a minute where permissions may still spread.
    page.find_within("#verdict[data-ended]", 60).await;
}

/// Waits for a step of the check to be in this state: `good`, `bad`, `warn` or `none`.
pub async fn see_step(page: &Page, name: &str, kind: &str) {
    page.find(&format!("#step-{name}[data-kind={kind}]")).await;
}

/// Checks once more, on a page that shows the result of an earlier check.
pub async fn check_again(page: &Page) {
    page.script(
        "delete document.getElementById('verdict').dataset.ended;",
        json!([]),
    )
    .await
    .unwrap();
    press_check(page).await;
    page.find("#verdict[data-ended]").await;
}

/// "Check connection", or "Check again" after the first time.
async fn press_check(page: &Page) {
    let button = page.find("form[data-check] button").await;
    page.click(&button).await;
}
