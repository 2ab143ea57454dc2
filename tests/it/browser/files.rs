//! Browsing, projects, and opened files.

use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::json;

const TEXTS: [(&str, &str); 4] = [
    ("with space.txt", "a space"),
    ("a+b=c.txt", "a plus sign"),
    ("100%25 & more?.txt", "a percent sign"),
    ("größe-日本語.txt", "Größe, 日本語"),
];

/// Waits until the page's picture has come from the bucket.
async fn see_picture(page: &Page) {
    let script = "const image = [...document.images].find((i) => i.checkVisibility()); return image && image.complete && image.naturalWidth;";
    let width = page.wait("the picture", script, json!([])).await;
    assert_eq!(width, 256);
}

/// Follows a link by the whole name that it shows.
async fn follow(page: &Page, name: &str) {
    let script = "return [...document.querySelectorAll('a.name')].find((a) => a.querySelector('bdi').textContent === arguments[0]) || null;";
    let what = format!("the link {name:?}");
    let link = page.wait(&what, script, json!([name])).await;
    page.click_value(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_browsed_and_odd_keys_opened() {
    let world = World::new().await;
    world.put_samples().await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("browse", async |browsers| {
        let page = browsers.open().await;
        world.sign_in(&page).await;
        page.press("Files of Acme's data").await;
        page.at(&format!("/storages/{storage}/files")).await;
        page.see("readme.txt").await;
        // What is beside the prefix is not there.
        let text = page.text().await;
        assert!(
            !text.contains("payroll") && !text.contains("team-b"),
            "{text}"
        );
        follow(&page, "images").await;
        follow(&page, "rings.png").await;
        page.at(&format!("/storages/{storage}/file")).await;
        see_picture(&page).await;
        page.see("/images/rings.png").await;
        for (name, text) in TEXTS {
            world
                .goto(&page, &format!("/storages/{storage}/files"))
                .await;
            follow(&page, "odd keys").await;
            follow(&page, name).await;
            page.see(&format!("/odd keys/{name}")).await;
            page.see(text).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_ticked_files_shows_them() {
    let world = World::new().await;
    world.put_samples().await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("project", async |browsers| {
        let page = browsers.open().await;
        // Members may do all of this.
        world.sign_in_as_member(&page).await;
        page.press("Create a project").await;
        page.at("/projects/new").await;
        let choose = "document.getElementById('storage_id').value = arguments[0];";
        page.script(choose, json!([storage])).await.unwrap();
        page.fill("Name", "Rings <and> chequers").await;
        page.press("select them in the storage").await;
        page.at(&format!("/storages/{storage}/files")).await;
        follow(&page, "images").await;
        page.see("chequers.png").await;
        assert!(!page.has("#upload").await);
        page.choose("Select rings.png").await;
        page.choose("Select chequers.png").await;
        let create = page.find(".chosen button:not(.danger)").await;
        page.click(&create).await;
        page.at("/projects/new").await;
        assert_eq!(page.value("Name").await, "Rings <and> chequers");
        let create = page.find("form .actions button.primary").await;
        page.click(&create).await;
        page.at("/projects/prj_").await;
        page.see("Rings <and> chequers").await;
        page.see("rings.png").await;
        page.press("Show preview of rings.png").await;
        see_picture(&page).await;
        follow(&page, "rings.png").await;
        page.at(&format!("/storages/{storage}/file")).await;
        see_picture(&page).await;
        world.goto(&page, "/projects").await;
        page.see("Rings <and> chequers").await;
        world.goto(&page, "/projects/new").await;
        assert_eq!(page.value("Name").await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_keys_are_listed_before_anything_is_created() {
    let world = World::new().await;
    world.put_samples().await;
    world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("missing_keys", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(422);
        world.sign_in_as_member(&page).await;
        world.goto(&page, "/projects/new").await;
        page.fill("Name", "Texts").await;
        let choose = "const s = document.getElementById('storage_id');
            s.value = [...s.options].find((o) => o.text.includes('Acme')).value;";
        page.script(choose, json!([])).await.unwrap();
        let keys = "/texts/01.txt\n/texts/Missing.txt\ntexts/02.txt";
        page.fill("File keys", keys).await;
        let create = page.find("form .actions button.primary").await;
        page.click(&create).await;
        page.see("1 file is not in the storage").await;
        page.see("/texts/Missing.txt").await;
        assert_eq!(page.value("File keys").await, keys);
        let projects = world.app.get("/v1/projects", &world.workspace.member).await;
        assert_eq!(projects.expect(200)["projects"], json!([]));
        page.press("Create without them").await;
        page.at("/projects/prj_").await;
        page.see("1 file was left out").await;
    })
    .await;
}

/// Drops files on the page: empty ones of these names.
const DROP: &str = "const transfer = new DataTransfer();
    for (const name of arguments[0]) transfer.items.add(new File(['x'], name));
    dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, cancelable: true}));";

#[tokio::test(flavor = "multi_thread")]
async fn each_of_two_hundred_dropped_files_has_its_result() {
    let world = World::new().await;
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("drop", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(412);
        page.expect_status(422);
        world.sign_in(&page).await;
        world
            .goto(&page, &format!("/storages/{storage}/files"))
            .await;
        let ended = "return document.querySelector('[data-queue]').dataset.left === '0';";
        let there = json!([["n060.txt", "n120.txt"]]);
        page.script(DROP, there).await.unwrap();
        page.wait("the first files", ended, json!([])).await;
        page.see("2 files uploaded").await;
        page.reload().await;

        // Two are there already, and three have names that no file can have.
        let mut names: Vec<String> = (0..197).map(|n| format!("n{n:03}.txt")).collect();
        for at in [40, 80, 150] {
            names.insert(at, "..".into());
        }
        page.script(DROP, json!([names])).await.unwrap();
        page.wait("all files", ended, json!([])).await;
        page.see("195 files uploaded · 2 exist already · 3 failed")
            .await;
        let why = page
            .eval("document.querySelector('.up .why').textContent")
            .await;
        assert!(
            why.as_str().unwrap().contains("browsers fold it away"),
            "{why}"
        );
        page.press("Replace all").await;
        page.see("197 files uploaded · 3 failed").await;
        let path = format!("/v1/storages/{storage}/files?page_size=1000");
        let listed = world.app.get(&path, &world.workspace.member).await;
        let files = listed.expect(200)["files"].as_array().unwrap().len();
        assert_eq!(files, 197);
        // The folder below is the present one.
        page.see("n000.txt").await;
    })
    .await;
}

/// Markdown with what must not run or load.
const NOTES: &str =
    "# Notes\n\n<script>document.title = 'run'</script>\n\n![spy](https://a.example/spy.png)\n";

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_small_in_the_list_and_markdown_is_rendered() {
    let world = World::new().await;
    world.put_samples().await;
    let put = world.customer.s3().put_object().bucket(&world.bucket);
    let put = put.key("team/notes.md").content_type("text/markdown");
    put.body(NOTES.as_bytes().to_vec().into())
        .send()
        .await
        .unwrap();
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    browser::run("small_pictures", async |browsers| {
        let page = browsers.open().await;
        world.sign_in_as_member(&page).await;
        let folder = format!("/storages/{storage}/files?folder=%2Fimages%2F");
        world.goto(&page, &folder).await;
        let script = "const all = [...document.querySelectorAll('img.thumb')];
            return all.length === 3 && all.every((i) => i.complete && i.naturalWidth && i.clientWidth === 40);";
        page.wait("three small pictures", script, json!([])).await;
        // A download leaves the page as it is: its form can be sent again.
        let script = "const form = document.querySelector('form[data-selection]');
            const button = form.querySelector('[data-download]');
            form.addEventListener('submit', (event) => event.preventDefault());
            form.querySelector('input[name=key]').click();
            button.click();
            return !('sent' in form.dataset) && !button.disabled;";
        page.wait("a form that can be sent again", script, json!([])).await;

        let notes = format!("/storages/{storage}/file?key=%2Fnotes.md");
        world.goto(&page, &notes).await;
        let script = "const shown = document.querySelector('.markdown');
            return shown && shown.querySelector('h3').textContent === 'Notes'
              && !shown.querySelector('img, script') && document.title !== 'run'
              && shown.querySelector('a').textContent === 'Picture: spy';";
        page.wait("the rendered text", script, json!([])).await;
    })
    .await;
}
