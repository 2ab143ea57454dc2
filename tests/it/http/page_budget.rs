//! What the first load of each page costs, and that it stays within the budget.

use crate::it::browser::catalogue::Furnished;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Of everything that a first load fetches from the service, compressed, with headers.
const LARGEST: u64 = 100 * 1024;
/// Cumulative layout shift: below 0.1 counts as good (web.dev, CLS); ours is half of that.
const SHIFT: f64 = 0.05;

/// What the browser fetched for the page, how the page loads its scripts, and how much it moved.
const LOADED: &str = r"
const shifts = await new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 100)));
});
const fetched = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
// The small pictures of a folder are the customer's own files, as large as those are, and come after the page.
const isPicture = (e) => new URL(e.name).pathname.endsWith('/file/thumbnail');
const own = fetched.filter((e) => new URL(e.name).origin === location.origin && !isPicture(e));
return {
  shifts,
  own: own.map((e) => [new URL(e.name).pathname, e.transferSize, e.decodedBodySize]),
  foreign: fetched.filter((e) => !own.includes(e) && !isPicture(e)).map((e) => [e.initiatorType, new URL(e.name).origin]),
  blocking: [...document.scripts]
    .filter((s) => !s.type || s.type === 'text/javascript' || s.type === 'module')
    .filter((s) => !(s.src && (s.defer || s.async || s.type === 'module'))).map((s) => s.outerHTML.slice(0, 200)),
};";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_within_the_budget() {
    let furnished = Furnished::new().await;
    let mut table = String::from(
        "| Page | Requests | Compressed | Uncompressed | Layout shift |\n|---|---:|---:|---:|---:|\n",
    );
    browser::run("page_budget", async |browsers| {
        let page = browsers.open().await;
        page.expect_console("Failed to load resource");
        let (mut last, mut faults) = (None, Vec::new());
        for entry in furnished.entries.iter().filter(|e| e.then.is_none()) {
            // As who the page is for, then as for the first time.
            furnished.open(&page, entry, &mut last).await;
            forget(&page).await;
            furnished.world.goto(&page, &entry.path).await;
            let loaded = page.eval_async(LOADED, json!([])).await;
            let sum = |column: usize| -> u64 {
                let own = loaded["own"].as_array().unwrap().iter();
                own.map(|file| file[column].as_u64().unwrap()).sum()
            };
            let (requests, bytes) = (loaded["own"].as_array().unwrap().len(), sum(1));
            let shift = loaded["shifts"].as_f64().unwrap();
            let kib = |bytes: u64| (bytes + 512) / 1024;
            writeln!(
                table,
                "| {} | {requests} | {} KiB | {} KiB | {shift:.3} |",
                entry.name,
                kib(bytes),
                kib(sum(2))
            )
            .unwrap();
            let mut check = |kept: bool, what: String| {
                if !kept {
                    faults.push(format!("{} ({}): {what}", entry.name, entry.path));
                }
            };
            check(bytes < LARGEST, format!("{bytes} bytes: {}", loaded["own"]));
            check(shift < SHIFT, format!("the layout shifts by {shift}"));
            let none = |value: &Value| value.as_array().unwrap().is_empty();
            check(
                none(&loaded["blocking"]),
                format!("blocking scripts: {}", loaded["blocking"]),
            );
            let foreign = loaded["foreign"].as_array().unwrap();
            // The bucket's own pictures, by signed URL, are no third party's.
            let bucket = crate::it::support::emulator::Emulator::url();
            check(
                foreign
                    .iter()
                    .all(|file| bucket.starts_with(file[1].as_str().unwrap())),
                format!("fetched from elsewhere: {foreign:?}"),
            );
        }
        eprintln!("{table}");
        if let Ok(file) = std::env::var("SALLYPORT_PAGE_BUDGET") {
            std::fs::write(file, &table).unwrap();
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    })
    .await;
}

/// Empties the browser's cache.
async fn forget(page: &Page) {
    page.session
        .devtools("Network.clearBrowserCache", json!({}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_loads_may_be_kept_for_ever_under_the_hash_in_its_name() {
    let world = crate::it::browser::world::World::new().await;
    let pages = ["/", "/docs"];
    let mut seen = 0;
    for path in pages {
        let html = world.app.get(path, "").await.text;
        for part in html
            .split(['"', '\''])
            .filter(|part| part.starts_with("/static/"))
        {
            let asset = world.app.get(part, "").await;
            assert_eq!(asset.status, 200, "{part}");
            let kept = asset.header("cache-control");
            assert_eq!(kept, Some("public, max-age=31536000, immutable"), "{part}");
            let hash = part.split('/').nth(2).unwrap();
            assert!(
                hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                "{part}"
            );
            let request = world
                .app
                .request(reqwest::Method::GET, part, "")
                .header("accept-encoding", "gzip");
            let packed = request.send().await.unwrap();
            assert_eq!(packed.headers()["content-encoding"], "gzip", "{part}");
            let size = packed.bytes().await.unwrap().len();
            assert!(size < asset.text.len(), "{part}: {size}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}
