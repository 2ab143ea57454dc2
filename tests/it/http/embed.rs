//! The script that pages of the product's own load.

use crate::it::support::app::TestApp;
use reqwest::Method;

const PATH: &str = "/embed/picker.js";
/// Of the script as it is sent, in bytes.
const LARGEST: usize = 20 * 1024;

#[tokio::test]
async fn the_picker_is_small_and_for_pages_of_any_origin() {
    let app = TestApp::spawn_with(|options| {
        options.lifecycle_folders = Some(".product/temp,results".into());
    })
    .await;
    let script = app.get(PATH, "").await;
    assert_eq!(script.status, 200);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(script.header(name), Some(value), "{name}");
    }
    assert_eq!(script.header("access-control-allow-credentials"), None);
    assert!(script.header("set-cookie").is_none());
    assert!(script.text.contains(r#"".product/temp/,results/""#));
    assert!(!script.text.contains("@working_folders@"));
    // Under a policy of the page's that forbids them.
    for forbidden in ["innerHTML", "eval(", "<style", "style="] {
        assert!(!script.text.contains(forbidden), "{forbidden}");
    }

    let packed = app.request(Method::GET, PATH, "");
    let packed = packed.header("accept-encoding", "gzip");
    let packed = packed.send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let size = packed.bytes().await.unwrap().len();
    assert!(size < LARGEST, "{size}");

    let kept = script.header("cache-control").unwrap();
    assert!(kept.starts_with("public, max-age="), "{kept}");
    let tag = script.header("etag").unwrap();
    for (known, status) in [(tag, 304), (r#"W/"other""#, 200)] {
        let again = app.request(Method::GET, PATH, "");
        let again = again.header("if-none-match", known).send().await.unwrap();
        assert_eq!(again.status(), status);
        assert_eq!(again.headers()["access-control-allow-origin"], "*");
        assert_eq!(again.headers()["etag"], tag);
    }
}
