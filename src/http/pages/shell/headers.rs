//! The security headers of pages.

use crate::http::pages::shell::session::Visitor;
use crate::http::state::{Services, Site};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;

/// Origins besides our own that one page needs: the bucket's, for pictures by signed URL or for the
/// probe in the browser. A handler puts it into the response's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlsoAllowed {
    /// Pictures, and the frames of previews.
    pub pictures: Vec<String>,
    /// What scripts may fetch from.
    pub fetches: Vec<String>,
    /// Where a form may lead: back to the product.
    pub forms: Vec<String>,
}

impl AlsoAllowed {
    /// A form of this page may end at the product: browsers hold a redirect after a form to the form's rules.
    pub fn to_the_product(visitor: &Visitor) -> Self {
        let back = visitor.session.way_back.return_url.as_ref();
        Self {
            forms: back
                .map(|url| url.origin().to_string())
                .into_iter()
                .collect(),
            ..Self::default()
        }
    }
}

/// Gives every page its Content-Security-Policy: nothing from elsewhere, no inline script, and embedded
/// by nobody but the origins that the operator lists.
pub async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let services = request.app_data::<web::Data<Services>>().cloned();
    let mut response = next.call(request).await?.map_into_boxed_body();
    let allowed = response
        .response()
        .extensions()
        .get::<AlsoAllowed>()
        .cloned()
        .unwrap_or_default();
    let site = services.as_ref().map(|services| &services.site);
    let ancestors = site.map_or_else(Vec::new, ancestors);
    // Without a referrer, browsers call the origin of our own forms `null`, and they would be refused.
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy(&allowed, &ancestors)) {
        let headers = response.headers_mut();
        if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    Ok(response)
}

/// Who may embed the pages.
pub fn ancestors(site: &Site) -> Vec<String> {
    let origins = site.frame_ancestors.iter();
    origins.map(ToString::to_string).collect()
}

pub fn policy(allowed: &AlsoAllowed, ancestors: &[String]) -> String {
    let also = |origins: &[String]| {
        origins
            .iter()
            .map(|origin| format!(" {origin}"))
            .collect::<String>()
    };
    let pictures = also(&allowed.pictures);
    let fetches = also(&allowed.fetches);
    let forms = also(&allowed.forms);
    let ancestors = match ancestors {
        [] => " 'none'".to_owned(),
        some => also(some),
    };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{pictures}; media-src 'self'{pictures}; connect-src 'self'{fetches}; form-action 'self'{forms}; base-uri 'none'; frame-ancestors{ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_elsewhere_unless_it_is_named() {
        let strict = policy(&AlsoAllowed::default(), &[]);
        assert!(
            strict.contains("script-src 'self';") && strict.ends_with("frame-ancestors 'none'")
        );
        let allowed = AlsoAllowed {
            pictures: vec!["https://acme.s3.amazonaws.com".into()],
            fetches: Vec::new(),
            forms: vec!["https://back.example.com".into()],
        };
        let policy = policy(&allowed, &["https://app.example.com".into()]);
        assert!(policy.contains("img-src 'self' https://acme.s3.amazonaws.com;"));
        assert!(policy.contains("form-action 'self' https://back.example.com;"));
        assert!(policy.ends_with("frame-ancestors https://app.example.com"));
    }
}
