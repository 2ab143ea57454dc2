//! The product's own look, from settings.

use crate::it::support::app::TestApp;
use crate::settings::Options;

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

#[tokio::test]
async fn pages_have_the_product_s_name_logo_colour_and_support() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("our-logo");
    std::fs::write(&logo, LOGO).unwrap();
    let app = TestApp::spawn_with(|options: &mut Options| {
        options.brand_name = Some("Annotate & Co".into());
        options.brand_logo = logo.to_str().map(str::to_owned);
        options.brand_colour = Some("#ffe600".into());
        options.brand_support_url = Some("mailto:help@annotate.example".into());
    })
    .await;
    for path in ["/", "/signed-out"] {
        let page = app.get(path, "").await;
        assert!(
            page.text.contains("Annotate &#38; Co"),
            "{path}: {}",
            page.text
        );
        assert!(page.text.contains("mailto:help@annotate.example"), "{path}");
        // An image by its address, never a part of the page.
        assert!(!page.text.contains("alert(1)"), "{path}");
    }
    let html = app.get("/", "").await.text;
    let asset = |end: &str| {
        let mut parts = html.split('"');
        parts.find(|part| part.starts_with("/static/") && part.ends_with(end))
    };
    let logo = app.get(asset("logo.svg").unwrap(), "").await;
    assert_eq!((logo.status.as_u16(), logo.text.as_str()), (200, LOGO));
    assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
    assert_eq!(logo.header("x-content-type-options"), Some("nosniff"));
    let policy = logo.header("content-security-policy").unwrap();
    assert!(
        policy.contains("sandbox") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    let style = app.get(asset("brand.css").unwrap(), "").await;
    assert!(style.text.contains("--accent:#"), "{}", style.text);
    let other = app.get("/static/0000000000000000/logo.svg", "").await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn without_settings_the_pages_are_the_service_s_own() {
    let app = TestApp::spawn().await;
    let page = app.get("/", "").await;
    assert!(page.text.contains("Sallyport") && !page.text.contains("brand.css"));
    assert!(!page.text.contains("logo.svg"), "{}", page.text);
}
