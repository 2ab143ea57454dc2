//! The file picker on a page of the product's own, which is of another origin.

use crate::it::browser::accessibility::findings;
use crate::it::browser::elsewhere::Elsewhere;
use crate::it::browser::world::World;
use crate::it::support::app::OPERATOR;
use crate::it::support::browser;
use crate::it::support::browser::{ENTER, Page, TAB};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

// Keys that are no characters (WebDriver, "keyboard actions").
const DOWN: &str = "\u{E015}";
const END: &str = "\u{E010}";
const BACKSPACE: &str = "\u{E003}";
/// More than a page of a listing has.
const FILES: usize = 105;

/// A product's page: nothing may run, be fetched or be styled but by the service.
fn product(server: &str, attributes: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><title>Product</title><link rel=\"icon\" href=\"data:,\">
        <meta name=\"viewport\" content=\"width=device-width\">
        <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; script-src {server}; connect-src {server}\">
        <script src=\"{server}/embed/picker.js\" defer></script></head>
        <body><main><h1>Choose files</h1><sallyport-picker {attributes}></sallyport-picker></main></body></html>"
    )
}

/// Waits until an expression over the picker and what is in it is true, and gives its value.
async fn within(page: &Page, what: &str, expression: &str) -> Value {
    let script = format!(
        "const picker = document.querySelector('sallyport-picker');
        const root = picker.shadowRoot;
        if (!root) return null;
        const names = [...root.querySelectorAll('[role=option] bdi')].map((name) => name.textContent);
        const crumbs = [...root.querySelectorAll('nav button')].map((step) => step.textContent);
        const button = (words) => [...root.querySelectorAll('button')]
            .find((one) => one.checkVisibility() && one.textContent === words);
        const focus = root.activeElement?.querySelector('bdi')?.textContent;
        return ({expression});"
    );
    page.wait(what, &script, json!([])).await
}

/// Keeps the picker's events; the first two also when they come to the document.
async fn listen(page: &Page) {
    let script = "window.heard = [];
        const keep = (event) => heard.push({name: event.type, ...event.detail});
        for (const name of ['picked', 'uploaded']) document.addEventListener(name, keep);
        document.querySelector('sallyport-picker').addEventListener('error', keep);";
    page.script(script, json!([])).await.unwrap();
}

async fn heard(page: &Page, number: usize) -> Value {
    let what = format!("{number} events");
    within(
        page,
        &what,
        &format!("heard.length >= {number} && heard.splice(0)"),
    )
    .await
}

async fn press(page: &Page, words: &str) {
    let expression = format!(
        "button({}) ? (button({0}).click(), true) : false",
        json!(words)
    );
    within(page, words, &expression).await;
}

/// Chooses a file in the picker, as a person does in the system's dialog.
async fn upload(page: &Page, name: &str, text: &str) {
    let script = "const input = document.querySelector('sallyport-picker').shadowRoot.querySelector('input[type=file]');
        const chosen = new DataTransfer();
        chosen.items.add(new File([arguments[1]], arguments[0]));
        input.files = chosen.files;
        input.dispatchEvent(new Event('change'));";
    page.script(script, json!([name, text])).await.unwrap();
}

/// A storage with files of all kinds, for the pages of one other origin.
async fn furnished() -> (World, String) {
    let world = World::new().await;
    let put = async |key: &str| {
        let s3 = world.customer.s3();
        let put = s3.put_object().bucket(&world.bucket).key(key);
        put.body(b"x".to_vec().into()).send().await.unwrap();
    };
    for key in [
        "a.txt",
        "b.png",
        "temp/t.txt",
        "export/e.txt",
        "inner/deep/c.txt",
    ] {
        put(&format!("team/{key}")).await;
    }
    stream::iter(0..FILES)
        .for_each_concurrent(16, |number| {
            let put = &put;
            async move { put(&format!("team/many/scan-{number:03}.txt")).await }
        })
        .await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    (world, storage)
}

async fn embedded(world: &World, storage: &str, attributes: &str) -> Elsewhere {
    let server = world.url("");
    let attributes = format!("server=\"{server}\" storage=\"{storage}\" {attributes}");
    let elsewhere = Elsewhere::serve(product(&server, &attributes));
    let origins = json!({"origins": [elsewhere.cross_site()]});
    let set = world
        .app
        .put("/v1/workspace/origins", &world.workspace.admin, &origins);
    set.await.expect(200);
    elsewhere
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_chosen_by_the_keyboard_on_a_page_of_another_origin() {
    let (world, storage) = furnished().await;
    let token = &world.workspace.member;
    let attributes = format!("token=\"{token}\" multiple");
    let elsewhere = embedded(&world, &storage, &attributes).await;
    browser::run("picker", async |browsers| {
        let page = browsers.open().await;
        page.goto(&elsewhere.cross_site()).await;
        let top = "names.join() === 'inner,many,a.txt,b.png' && crumbs.join() === 'All files'";
        within(&page, "the storage's root", top).await;
        let left_out = "root.textContent.includes('2 working folders are not shown: export, temp')";
        within(&page, "what is left out", left_out).await;
        // A member who may not write is offered no upload.
        within(&page, "no upload", "!button('Upload files')").await;
        listen(&page).await;

        // To the list by Tab, into a folder, further down, and back.
        for _ in 0..10 {
            page.keys(TAB).await;
            if page
                .eval("document.activeElement.shadowRoot?.activeElement?.role === 'option'")
                .await
                == true
            {
                break;
            }
        }
        within(&page, "the focus on the first entry", "focus === 'inner'").await;
        page.keys(DOWN).await;
        within(&page, "the focus on the second entry", "focus === 'many'").await;
        page.keys(ENTER).await;
        let opened = "names.length === 100 && focus === 'scan-000.txt' && crumbs.join() === 'All files,many'";
        within(&page, "the folder's first page", opened).await;
        press(&page, "Show more").await;
        within(
            &page,
            "the second page",
            "names.length === 105 && focus === 'scan-100.txt' && !button('Show more')",
        )
        .await;

        // Two by the space bar, a third by Enter, which also picks.
        page.keys(" ").await;
        page.keys(DOWN).await;
        page.keys(" ").await;
        let two = "root.querySelectorAll('[aria-selected=true]').length === 2 && root.textContent.includes('2 files selected')";
        within(&page, "two selected", two).await;
        page.keys(END).await;
        page.keys(ENTER).await;
        let picked = heard(&page, 1).await;
        let keys = ["/many/scan-100.txt", "/many/scan-101.txt", "/many/scan-104.txt"];
        let wanted = json!([{"name": "picked", "storage_id": storage, "file_keys": keys}]);
        assert_eq!(picked, wanted);

        // A name's beginning; the rest of the folder is not read.
        page.script(
            "document.querySelector('sallyport-picker').shadowRoot.querySelector('[type=search]').focus();",
            json!([]),
        )
        .await
        .unwrap();
        page.keys("scan-09").await;
        within(&page, "what begins so", "names.length === 10 && names[0] === 'scan-090.txt'").await;
        page.keys("x").await;
        within(&page, "nothing", "root.textContent.includes('No name begins like this.')").await;
        page.keys(BACKSPACE).await;
        within(&page, "what begins so", "names.length === 10").await;
        // What was selected elsewhere stays selected.
        press(&page, "Choose").await;
        assert_eq!(heard(&page, 1).await[0]["file_keys"], json!(keys));

        // On a phone, in both schemes, and in German.
        for scheme in ["light", "dark"] {
            page.appearance(scheme, 360, 800).await;
            let found = findings(&page).await;
            assert!(found.is_empty(), "{scheme}: {}", found.join("\n"));
            let wide = page.eval("document.documentElement.scrollWidth").await;
            assert!(wide.as_u64().unwrap() <= 360, "{wide}");
        }
        page.script("document.querySelector('sallyport-picker').lang = 'de';", json!([]))
            .await
            .unwrap();
        within(&page, "German", "crumbs.join() === 'Alle Dateien' && button('Auswählen') && names.length === 4").await;

        // A token that ends: the page learns of it, and gives another.
        page.expect_status(401);
        let ends = "document.querySelector('sallyport-picker').setAttribute('token', 'spt_ended');
            document.querySelector('sallyport-picker').reload();";
        page.script(ends, json!([])).await.unwrap();
        let said = "root.querySelector('[role=alert]').textContent.includes('Ihr Zugang ist abgelaufen.')";
        within(&page, "that the access has ended", said).await;
        let error = heard(&page, 1).await;
        assert_eq!(
            (&error[0]["name"], &error[0]["code"], &error[0]["status"]),
            (&json!("error"), &json!("unauthenticated"), &json!(401))
        );
        let renews = "const picker = document.querySelector('sallyport-picker');
            window.asked = [];
            const [token] = arguments;
            picker.getToken = async ({expired}) => { asked.push(expired); return token; };";
        page.script(renews, json!([token])).await.unwrap();
        within(&page, "the folder again", "names.length === 4 && asked.join() === 'true'").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_uploaded_from_a_page_of_another_origin() {
    let (world, storage) = furnished().await;
    let token = &world.workspace.admin;
    let attributes = format!("token=\"{token}\" folder=\"/inner\" upload accept=\".txt\"");
    let elsewhere = embedded(&world, &storage, &attributes).await;
    browser::run("picker_uploads", async |browsers| {
        let page = browsers.open().await;
        page.goto(&elsewhere.cross_site()).await;
        // Nobody goes above the folder that the page names.
        within(
            &page,
            "the folder",
            "names.join() === 'deep' && crumbs.join() === 'inner' && !!button('Upload files')",
        )
        .await;
        listen(&page).await;
        upload(&page, "new.txt", "first").await;
        let uploaded = |key: &str| json!([{"name": "uploaded", "storage_id": storage, "file_key": key}]);
        assert_eq!(heard(&page, 1).await, uploaded("/inner/new.txt"));
        within(&page, "the new file", "names.includes('new.txt')").await;

        // Nothing is replaced unasked.
        page.expect_status(412);
        upload(&page, "new.txt", "second").await;
        within(&page, "that it exists", "!!button('Replace')").await;
        press(&page, "Keep both").await;
        assert_eq!(heard(&page, 1).await, uploaded("/inner/new (2).txt"));
        upload(&page, "new.txt", "third").await;
        press(&page, "Replace").await;
        assert_eq!(heard(&page, 1).await, uploaded("/inner/new.txt"));
        for (key, text) in [("new.txt", "third"), ("new (2).txt", "second")] {
            let s3 = world.customer.s3();
            let get = s3.get_object().bucket(&world.bucket);
            let found = get.key(format!("team/inner/{key}")).send().await.unwrap();
            let bytes = found.body.collect().await.unwrap().into_bytes();
            assert_eq!(bytes, text.as_bytes(), "{key}");
        }

        // What the page does not take can be seen and not chosen.
        upload(&page, "picture.png", "x").await;
        assert_eq!(heard(&page, 1).await, uploaded("/inner/picture.png"));
        let disabled = "[...root.querySelectorAll('[aria-disabled]')].map((one) => one.querySelector('bdi').textContent).join() === 'picture.png'";
        within(&page, "the picture, disabled", disabled).await;
        let found = findings(&page).await;
        assert!(found.is_empty(), "{}", found.join("\n"));

        // An origin that was taken out reads nothing any more.
        let none = json!({"origins": []});
        let set = world
            .app
            .put("/v1/workspace/origins", &world.workspace.admin, &none);
        set.await.expect(200);
        page.expect_console("blocked by CORS policy");
        page.expect_console("net::ERR_FAILED");
        page.script("document.querySelector('sallyport-picker').reload();", json!([]))
            .await
            .unwrap();
        let said = "root.querySelector('[role=alert]').textContent.includes('The service cannot be reached.')";
        within(&page, "that nothing is read", said).await;
    })
    .await;
}

/// Gives the picker another token.
async fn give(page: &Page, token: &str) {
    let script = "document.querySelector('sallyport-picker').setAttribute('token', arguments[0]);";
    page.script(script, json!([token])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_folders_begins_at_them() {
    let (world, storage) = furnished().await;
    let elsewhere = embedded(&world, &storage, "").await;
    let (app, workspace) = (&world.app, &world.workspace);
    let asked = json!({
        "storage_id": storage, "origin": elsewhere.cross_site(), "folder": "/inner/deep/",
    });
    let made = app.post("/v1/browser-tokens", &workspace.member, &asked);
    let of_one = made.await.expect(201)["token"].clone();
    let asked = json!({
        "name": "narrow", "role": "member", "folders": ["/many/", "/inner/deep/", "/inner/"],
    });
    let path = format!("/v1/workspaces/{}/tokens", workspace.id);
    let made = app.post(&path, OPERATOR, &asked).await;
    let of_two = made.expect(201)["token"].clone();
    browser::run("picker_narrowed", async |browsers| {
        // The root is asked for first.
        let page = browsers.open().await;
        page.expect_status(403);
        page.goto(&elsewhere.cross_site()).await;
        within(
            &page,
            "that it needs a token",
            "root.textContent.includes('a token')",
        )
        .await;
        listen(&page).await;
        give(&page, of_one.as_str().unwrap()).await;
        // Nobody goes above the one folder.
        let there = "names.join() === 'c.txt' && crumbs.join() === 'deep'";
        within(&page, "the token's folder", there).await;

        let page = browsers.open().await;
        page.expect_status(403);
        page.goto(&elsewhere.cross_site()).await;
        within(
            &page,
            "that it needs a token",
            "root.textContent.includes('a token')",
        )
        .await;
        listen(&page).await;
        give(&page, of_two.as_str().unwrap()).await;
        let both = "names.join() === 'inner,many' && crumbs.join() === 'All files'";
        within(&page, "the token's folders", both).await;
        let open = "root.querySelector('[role=option]').click() ?? true";
        within(&page, "the first of them", open).await;
        let there = "names.join() === 'deep' && crumbs.join() === 'All files,inner'";
        within(&page, "what is in it", there).await;
        press(&page, "All files").await;
        within(&page, "the token's folders again", both).await;
        // What is shown in place of a folder is no error.
        within(&page, "no error", "heard.length === 0").await;
        let found = findings(&page).await;
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}
