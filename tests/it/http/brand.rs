//! The product's own look, from settings.

use crate::it::setups::pages::{Browser, shows};
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

/// What somebody reads on a page: without its tags, and without code.
fn words(html: &str) -> String {
    let (mut words, mut code) = (String::new(), 0_u32);
    for piece in html.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        match tag.split_whitespace().next().unwrap_or_default() {
            "pre" | "code" => code += 1,
            "/pre" | "/code" => code -= 1,
            _ => {}
        }
        if code == 0 {
            words.push_str(text);
        }
    }
    words
}

/// A customer knows the product, and has never heard of the service behind it.
#[tokio::test]
async fn no_page_calls_the_product_by_our_name() {
    let app = TestApp::spawn_with(|options: &mut Options| {
        options.brand_name = Some("Annotate & Co".into());
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let bucket = [("step", "bucket"), ("bucket", "acme-data")];
    admin.post(&setup, &bucket).await;
    let made = admin
        .post(&format!("{setup}/link"), &[("step", "role")])
        .await;
    let (_, after) = made.text.split_once("/instructions/").unwrap();
    let link = format!("/instructions/{}", after.split('<').next().unwrap());
    let mut somebody = Browser::anonymous(&app);
    let link = somebody.open_link(&link).await;
    shows(
        &somebody.get(&link).await,
        200,
        "asks you to connect a bucket",
    );

    let mut pages = Vec::new();
    for step in ["bucket", "role", "check"] {
        pages.push(admin.get(&format!("{setup}?step={step}")).await);
    }
    for way in ["cloudformation", "cli", "terraform", "console"] {
        pages.push(admin.get(&format!("{setup}?step=role&way={way}")).await);
        pages.push(somebody.get(&format!("{link}?way={way}")).await);
    }
    for path in ["close", "doctor", "choose"] {
        pages.push(admin.get(&format!("{setup}/{path}")).await);
    }
    for path in ["storages", "tokens", "sessions", "webhooks", "audit-log"] {
        pages.push(admin.get(&format!("/settings/{path}")).await);
    }
    for page in &pages {
        assert_eq!(page.status, 200, "{}", page.text);
    }
    // Errors too, and the pages of somebody who is not signed in.
    let outside = Browser::anonymous(&app);
    for path in ["/", "/signed-out", "/settings/storages", "/instructions/x"] {
        pages.push(outside.get(path).await);
    }
    for page in &pages {
        let words = words(&page.text);
        assert!(words.contains("Annotate &#38; Co"), "{}", page.text);
        assert!(!words.contains("Sallyport"), "{words}");
    }
}
