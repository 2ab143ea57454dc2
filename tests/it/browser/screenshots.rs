//! The documentation's pictures of the main pages, and pictures of everything for whoever works on them.

use crate::it::browser::catalogue::{Entry, Extremes, Furnished};
use crate::it::support::browser;
use crate::it::support::browser::Page;
use crate::it::support::emulator::{Emulator, REGION};
use std::path::{Path, PathBuf};

/// Larger ones do not belong into the repository.
const LARGEST: usize = 256 * 1024;

/// A desk's width, and a phone's; the tallest picture of each.
const DESK: (u32, u64) = (1200, 1100);
const DESK_WHOLE: (u32, u64) = (1200, 3000);
const PHONE_WHOLE: (u32, u64) = (360, 6000);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes files: `make screenshots` runs it"]
async fn take_the_pictures() {
    let folder = PathBuf::from(std::env::var("SALLYPORT_SCREENSHOTS").unwrap());
    let every = std::env::var_os("SALLYPORT_SCREENSHOTS_EVERY").is_some();
    let extremes = match every {
        true => Extremes::With,
        false => Extremes::Without,
    };
    let customer = Emulator::customer();
    let bucket = customer.create_bucket_in("acme-data", REGION).await;
    let furnished = Furnished::of(customer, bucket, extremes, |options| {
        // Only its name is shown.
        options.built_in_bucket = Some("sallyport-built-in".into());
    })
    .await;
    browser::run("screenshots", async |browsers| {
        let page = browsers.open().await;
        // Pages about errors are pages too.
        page.expect_console("Failed to load resource");
        let mut last = None;
        for entry in &furnished.entries {
            let looks: &[(&str, &str, (u32, u64))] = match (every, entry.pictured) {
                (true, _) => &[
                    ("light", "light", DESK_WHOLE),
                    ("dark", "dark", DESK_WHOLE),
                    ("phone", "light", PHONE_WHOLE),
                ],
                (false, true) => &[("light", "light", DESK), ("dark", "dark", DESK)],
                (false, false) => &[],
            };
            for (look, scheme, (width, tallest)) in looks {
                page.appearance(scheme, *width, 800).await;
                furnished.open(&page, entry, &mut last).await;
                let picture = picture(&page, scheme, *width, *tallest).await;
                assert!(every || picture.len() <= LARGEST, "{}", entry.name);
                std::fs::write(file(&folder, entry, look), picture).unwrap();
            }
        }
    })
    .await;
}

/// The page from its top, as high as it is.
async fn picture(page: &Page, scheme: &str, width: u32, tallest: u64) -> Vec<u8> {
    let height = page.eval("document.documentElement.scrollHeight").await;
    let height = height.as_u64().unwrap().clamp(500, tallest);
    page.appearance(scheme, width, u32::try_from(height).unwrap())
        .await;
    page.screenshot().await
}

fn file(folder: &Path, entry: &Entry, look: &str) -> PathBuf {
    folder.join(format!("{}-{look}.png", entry.name))
}
