//! A signed link, for somebody to pass on.

use crate::application::bucket::sign::SignedUrl;
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::moment::Moment;
use askama::Template;

/// Shows a signed link once. Nothing keeps it.
#[derive(Template)]
#[template(path = "pages/signed_link.html")]
pub struct SignedLinkPage {
    chrome: Chrome,
    name: String,
    url: String,
    expires: Moment,
    back: String,
}

impl SignedLinkPage {
    pub fn new(chrome: Chrome, name: String, signed: SignedUrl, back: String) -> Self {
        Self {
            chrome,
            name,
            url: signed.url,
            expires: Moment(signed.expires_at),
            back,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_link_is_whole_and_its_end_is_told() {
        let signed = SignedUrl {
            url: "https://acme.s3.amazonaws.com/a%20b?X-Amz-Date=1&X-Amz-Signature=2".into(),
            method: "GET",
            headers: Vec::new(),
            expires_at: datetime!(2026-03-01 12:00 UTC),
        };
        let page = SignedLinkPage::new(Chrome::bare(), "<i>".into(), signed, "/back".into());
        let html = page.render().unwrap();
        assert!(html.contains("a%20b?X-Amz-Date=1&#38;X-Amz-Signature=2"));
        assert!(html.contains("2026-03-01T12:00:00Z") && html.contains("1 Mar 2026, 12:00 UTC"));
        assert!(!html.contains("<i>"));
    }
}
