//! The security headers of every answer. Pages add their own Content-Security-Policy.

use crate::http::request_id::REQUEST_ID;
use crate::http::state::Site;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What the headers depend on, besides the answer.
#[derive(Debug, Clone, Copy)]
pub struct Hardening {
    is_https: bool,
    /// Whether browsers take the rule that keeps windows apart: over https and from the machine itself. They complain
    /// elsewhere.
    keeps_apart: bool,
}

impl Hardening {
    pub fn of(site: &Site) -> Self {
        Self {
            is_https: site.is_https(),
            keeps_apart: site.takes_embedded_cookies(),
        }
    }

    /// Adds the headers. What a handler has set stays.
    pub fn apply(self, headers: &mut HeaderMap, id: &str, is_cacheable: bool) {
        let is_document = is_document(headers);
        let mut default = |name: HeaderName, value: &'static str| {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        };
        default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        default(header::REFERRER_POLICY, "no-referrer");
        default(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        );
        if !is_cacheable {
            default(header::CACHE_CONTROL, "no-store");
        }
        if self.is_https {
            default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        if is_document {
            default(
                header::PERMISSIONS_POLICY,
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            );
            if self.keeps_apart {
                default(header::CROSS_ORIGIN_OPENER_POLICY, "same-origin");
            }
        }
        let policy = headers.get(header::CONTENT_SECURITY_POLICY);
        let policy = policy.and_then(|policy| policy.to_str().ok());
        // The older header knows no list of origins, and would contradict one.
        if !policy.is_some_and(lets_others_frame) && !headers.contains_key(header::X_FRAME_OPTIONS)
        {
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(REQUEST_ID, id);
        }
    }
}

/// Whether browsers make a document of it. `Permissions-Policy` and `Cross-Origin-Opener-Policy` are rules for
/// documents and their windows (Permissions Policy, section 6; HTML, section 7.1.3); JSON, scripts, style sheets and
/// downloads have none. The content of files is never sent as HTML.
fn is_document(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether a Content-Security-Policy names somebody who may embed the page.
fn lets_others_frame(policy: &str) -> bool {
    policy
        .split(';')
        .filter_map(|directive| directive.trim().strip_prefix("frame-ancestors "))
        .any(|ancestors| ancestors.trim() != "'none'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardened(mut headers: HeaderMap, is_https: bool, keeps_apart: bool) -> HeaderMap {
        let hardening = Hardening {
            is_https,
            keeps_apart,
        };
        hardening.apply(&mut headers, "id-of-a-request", false);
        headers
    }

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn framing_is_denied_unless_the_policy_names_somebody() {
        for (policy, others) in [
            ("default-src 'none'; frame-ancestors 'none'", false),
            ("default-src 'none'", false),
            (
                "default-src 'none'; frame-ancestors https://app.example.com",
                true,
            ),
        ] {
            assert_eq!(lets_others_frame(policy), others, "{policy}");
            let headers = with(header::CONTENT_SECURITY_POLICY, policy);
            let headers = hardened(headers, true, true);
            assert_eq!(headers.contains_key(header::X_FRAME_OPTIONS), !others);
            assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        }
        let headers = hardened(HeaderMap::new(), false, false);
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn documents_are_kept_apart() {
        let both = [
            header::PERMISSIONS_POLICY,
            header::CROSS_ORIGIN_OPENER_POLICY,
        ];
        for (kind, is_document) in [
            ("text/html; charset=utf-8", true),
            ("application/problem+json", false),
            ("text/css", false),
        ] {
            let headers = hardened(with(header::CONTENT_TYPE, kind), true, true);
            for name in &both {
                assert_eq!(headers.contains_key(name), is_document, "{kind}: {name}");
            }
        }
        let html = with(header::CONTENT_TYPE, "text/html");
        let headers = hardened(html, false, false);
        assert!(headers.contains_key(&both[0]) && !headers.contains_key(&both[1]));
    }
}
