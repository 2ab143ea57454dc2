//! Files that the page of a folder sends in parts.

use crate::it::browser::world::World;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::json;
use std::time::Duration;

/// The size of a file that goes in parts: five of 8 MiB.
const LARGE: usize = 40 << 20;
const KEY: &str = "team/large.bin";
/// How long an upload that is given up may take to be gone from the bucket.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Drops a file on the page: a name, and how many bytes it has.
const DROP: &str = "const bytes = new Uint8Array(arguments[1]);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = at % 251;
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], arguments[0]));
    dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, cancelable: true}));";

/// Stands between the page and its server. `tries` has the number of each part that was to be sent.
/// `breaks(number, tries)` says whether the connection breaks there, and `holds(path, number)` whether the
/// request waits until `release()`.
const BETWEEN: &str = "const {open, send, abort} = XMLHttpRequest.prototype;
    const held = [];
    Object.assign(window, {tries: [], breaks: () => false, holds: () => false, release: () => {
      window.holds = () => false;
      for (const go of held.splice(0)) go();
    }});
    XMLHttpRequest.prototype.open = function (method, url) {
      this.path = new URL(url, location).pathname;
      return open.apply(this, arguments);
    };
    XMLHttpRequest.prototype.send = function (form) {
      const number = this.path.endsWith('/part') ? Number(form.get('number')) : 0;
      if (number) window.tries.push(number);
      if (number && window.breaks(number, window.tries)) {
        setTimeout(() => this.dispatchEvent(new ProgressEvent('error')));
        return;
      }
      if (!window.holds(this.path, number)) return send.call(this, form);
      this.held = true;
      held.push(() => {
        if (this.held) send.call(this, form);
        this.held = false;
      });
    };
    XMLHttpRequest.prototype.abort = function () {
      if (!this.held) return abort.call(this);
      this.held = false;
      this.dispatchEvent(new ProgressEvent('abort'));
    };";

/// Keeps the percentages that the queue shows, in `seen`.
const WATCH: &str = "window.seen = [];
    new MutationObserver(() => {
      const shown = /^(\\d+) %/.exec(document.querySelector('[data-rate]')?.textContent ?? '');
      if (shown && window.seen.at(-1) !== Number(shown[1])) window.seen.push(Number(shown[1]));
    }).observe(document.querySelector('[data-queue]'), {subtree: true, childList: true, characterData: true});";

/// A workspace with a storage, and its admin on the page of the storage's files.
async fn on_the_page(world: &World, page: &Page) {
    let storage = world.connect(&world.typed("Acme's data", "team")).await;
    page.expect_status(412);
    world.sign_in(page).await;
    let files = format!("/storages/{storage}/files");
    world.goto(page, &files).await;
    page.at(&files).await;
    run(page, BETWEEN).await;
    run(page, WATCH).await;
}

async fn run(page: &Page, script: &str) {
    page.script(script, json!([])).await.unwrap();
}

async fn drop_file(page: &Page, size: usize) {
    page.script(DROP, json!(["large.bin", size])).await.unwrap();
}

/// How many uploads in parts the bucket holds.
async fn open_uploads(world: &World) -> usize {
    let s3 = world.customer.s3();
    let uploads = s3.list_multipart_uploads().bucket(&world.bucket);
    uploads.send().await.unwrap().uploads().len()
}

/// The object's bytes; `None` where there is none.
async fn object(world: &World) -> Option<Vec<u8>> {
    let s3 = world.customer.s3();
    let answer = s3.get_object().bucket(&world.bucket).key(KEY).send().await;
    match answer {
        Ok(answer) => Some(answer.body.collect().await.unwrap().to_vec()),
        Err(error) => {
            assert!(error.into_service_error().is_no_such_key());
            None
        }
    }
}

/// Waits until the bucket holds nothing of the upload.
async fn nothing_left(world: &World) {
    let gone = async {
        while open_uploads(world).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GONE_WITHIN, gone).await.unwrap();
    assert!(object(world).await.is_none());
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_up_in_parts_and_a_part_that_breaks_alone_goes_again() {
    let world = World::new().await;
    browser::run("large_file", async |browsers| {
        let page = browsers.open().await;
        on_the_page(&world, &page).await;
        let once = "window.breaks = (number, tries) => number === 3 && tries.length === 3;";
        run(&page, once).await;
        drop_file(&page, LARGE).await;
        page.see("1 file uploaded").await;
        assert_eq!(page.eval("window.tries").await, json!([1, 2, 3, 3, 4, 5]));
        let seen = page.eval("window.seen").await;
        let seen: Vec<u64> = seen
            .as_array()
            .unwrap()
            .iter()
            .map(|percent| percent.as_u64().unwrap())
            .collect();
        assert!(seen.len() > 4, "{seen:?}");
        assert!(seen.is_sorted(), "{seen:?}");
        assert!(object(&world).await.unwrap() == content(LARGE));
        assert_eq!(open_uploads(&world).await, 0);
        // The folder below is the present one.
        page.see("41.9 MB").await;

        // A small one goes as a whole.
        let names = page.eval("window.tries.length").await;
        let small = "window.paths = [];
            const {open} = XMLHttpRequest.prototype;
            XMLHttpRequest.prototype.open = function (method, url) { window.paths.push(url); return open.apply(this, arguments); };";
        run(&page, small).await;
        page.script(DROP, json!(["small.bin", 1000])).await.unwrap();
        page.see("2 files uploaded").await;
        assert_eq!(page.eval("window.tries.length").await, names);
        let paths = page.eval("window.paths.length").await;
        assert_eq!(paths, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_that_is_cancelled_leaves_nothing() {
    let world = World::new().await;
    browser::run("cancel_large", async |browsers| {
        let page = browsers.open().await;
        on_the_page(&world, &page).await;
        run(&page, "window.holds = (path, number) => number === 4;").await;
        drop_file(&page, LARGE).await;
        page.see("60 %").await;
        // All bytes of the third part have left; its answer comes later.
        while page.eval("window.tries.length").await != json!(4) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(open_uploads(&world).await, 1);
        page.press("Cancel large.bin").await;
        page.see("1 cancelled").await;
        nothing_left(&world).await;
        assert_eq!(page.eval("window.tries").await, json!([1, 2, 3, 4]));

        // Cancelled between parts, and all at once.
        run(&page, "window.tries = []; window.breaks = () => true;").await;
        page.press("Retry large.bin").await;
        page.see("trying again").await;
        page.press("Cancel all").await;
        page.see("1 cancelled").await;
        nothing_left(&world).await;

        run(&page, "window.breaks = () => false; release();").await;
        page.press("Retry large.bin").await;
        page.see("1 file uploaded").await;
        assert!(object(&world).await.unwrap() == content(LARGE));
        assert_eq!(open_uploads(&world).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_that_fails_leaves_nothing_and_is_tried_again() {
    let world = World::new().await;
    browser::run("retry_large", async |browsers| {
        let page = browsers.open().await;
        on_the_page(&world, &page).await;
        run(&page, "window.breaks = (number) => number === 2;").await;
        drop_file(&page, LARGE).await;
        page.see("1 failed").await;
        page.see("The connection broke each time. Nothing was stored.")
            .await;
        assert_eq!(page.eval("window.tries").await, json!([1, 2, 2, 2, 2]));
        nothing_left(&world).await;
        run(&page, "window.breaks = () => false;").await;
        page.press("Retry large.bin").await;
        page.see("1 file uploaded").await;
        assert!(object(&world).await.unwrap() == content(LARGE));
        assert_eq!(open_uploads(&world).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_asks_before_it_replaces_a_file() {
    let world = World::new().await;
    browser::run("replace_large", async |browsers| {
        let page = browsers.open().await;
        on_the_page(&world, &page).await;
        let completes = "window.holds = (path) => path.endsWith('/complete');";
        run(&page, completes).await;
        drop_file(&page, LARGE).await;
        page.see("Storing…").await;
        // Somebody else stores the file while the last part is on its way.
        let s3 = world.customer.s3();
        let other = s3.put_object().bucket(&world.bucket).key(KEY);
        other.body(b"other".to_vec().into()).send().await.unwrap();
        run(&page, "release();").await;
        page.see("A file with this name exists").await;
        assert_eq!(object(&world).await.unwrap(), b"other");
        assert_eq!(open_uploads(&world).await, 0);

        // Another one asks before anything is sent.
        run(&page, "window.tries = [];").await;
        drop_file(&page, LARGE).await;
        page.see("2 exist already").await;
        assert_eq!(page.eval("window.tries").await, json!([]));
        page.press("Replace large.bin").await;
        page.see("1 file uploaded").await;
        assert!(object(&world).await.unwrap() == content(LARGE));
        assert_eq!(open_uploads(&world).await, 0);
    })
    .await;
}
