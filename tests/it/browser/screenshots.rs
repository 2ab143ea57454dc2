//! The documentation's pictures of the main pages.

use super::catalogue::Furnished;
use crate::support::browser;
use crate::support::emulator::{Emulator, REGION};
use std::path::PathBuf;

/// Larger ones do not belong into the repository.
const LARGEST: usize = 150 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes files: `make screenshots` runs it"]
async fn take_the_pictures() {
    let folder = PathBuf::from(std::env::var("SALLYPORT_SCREENSHOTS").unwrap());
    let customer = Emulator::customer();
    let bucket = customer.create_bucket_in("acme-data", REGION).await;
    let furnished = Furnished::of(customer, bucket).await;
    browser::run("screenshots", async |browsers| {
        let page = browsers.open().await;
        let mut last = None;
        for entry in furnished.entries.iter().filter(|entry| entry.pictured) {
            for scheme in ["light", "dark"] {
                page.appearance(scheme, 1200, 800).await;
                furnished.open(&page, entry, &mut last).await;
                let height = page.eval("document.documentElement.scrollHeight").await;
                let height = height.as_u64().unwrap().clamp(500, 1400);
                page.appearance(scheme, 1200, u32::try_from(height).unwrap())
                    .await;
                let picture = page.screenshot().await;
                assert!(
                    picture.len() <= LARGEST,
                    "{}: {}",
                    entry.name,
                    picture.len()
                );
                let file = folder.join(format!("{}-{scheme}.png", entry.name));
                std::fs::write(file, picture).unwrap();
            }
        }
    })
    .await;
}
