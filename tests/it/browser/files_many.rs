//! Names are found among thousands of files.

use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use futures_util::{StreamExt, stream};
use serde_json::json;

/// How many files the folder has.
const FILES: usize = 5_000;
/// How many of them are stored at the same time.
const AT_ONCE: usize = 64;

/// Puts a text in a field of the search form, as the only one, and searches.
async fn search(page: &Page, field: &str, text: &str) {
    let script = "const form = document.querySelector('form.finder');
        form.querySelector('details').open = true;
        for (const name of ['find', 'at']) form.elements[name].value = name === arguments[0] ? arguments[1] : '';";
    page.script(script, json!([field, text])).await.unwrap();
    let button = page.find("form.finder > button").await;
    page.click(&button).await;
}

/// Waits until the page lists so many rows, from the one name to the other.
async fn see_rows(page: &Page, number: usize, first: &str, last: &str) {
    let script = "const rows = [...document.querySelectorAll('table.files tbody tr')];
        const name = (row) => row && row.querySelector('bdi').textContent;
        return rows.length === arguments[0] && name(rows[0]) === arguments[1] && name(rows.at(-1)) === arguments[2];";
    let what = format!("{number} rows from {first} to {last}");
    page.wait(&what, script, json!([number, first, last])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_among_five_thousand_files() {
    let world = World::new().await;
    let s3 = world.customer.s3();
    stream::iter(0..FILES)
        .for_each_concurrent(AT_ONCE, |number| {
            let key = format!("team/many/scan-{number:04}.txt");
            let put = s3.put_object().bucket(&world.bucket).key(key);
            let put = put.body(vec![b'x'].into());
            async move {
                put.send().await.unwrap();
            }
        })
        .await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("files_many", async |browsers| {
        let page = browsers.open().await;
        world.sign_in_as_member(&page).await;
        let folder = format!("/storages/{storage}/files?folder=%2Fmany%2F");
        world.goto(&page, &folder).await;
        see_rows(&page, 100, "scan-0000.txt", "scan-0099.txt").await;
        page.press("Next page").await;
        see_rows(&page, 100, "scan-0100.txt", "scan-0199.txt").await;

        search(&page, "find", "scan-432").await;
        see_rows(&page, 10, "scan-4320.txt", "scan-4329.txt").await;
        search(&page, "find", "scan-4").await;
        see_rows(&page, 100, "scan-4000.txt", "scan-4099.txt").await;
        search(&page, "find", "nothing").await;
        page.see("No name begins like this").await;

        // To a name, and to where a name would be.
        search(&page, "at", "scan-4993.txt").await;
        see_rows(&page, 7, "scan-4993.txt", "scan-4999.txt").await;
        search(&page, "at", "scan-2500.a").await;
        see_rows(&page, 100, "scan-2500.txt", "scan-2599.txt").await;
    })
    .await;
}
