//! Errors as pages, for whoever came with a browser.

use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::words::curly_for;
use crate::http::problem::Problem;
use crate::http::state::Site;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    chrome: Chrome,
    icon: &'static str,
    title: &'a str,
    detail: &'a str,
    remedy: Option<&'a str>,
    code: &'a str,
    request_id: &'a str,
    /// Whether the start page has anything for whoever sees this.
    leads_on: bool,
    /// Where a used or expired link is replaced.
    elsewhere: Option<&'a str>,
    /// That is a page of this service.
    signs_in: bool,
}

/// The page that says what went wrong. `is_beside`: the start page has workspaces that the browser is signed in to.
pub fn page(
    problem: &Problem,
    request_id: &str,
    site: &Site,
    is_beside: bool,
) -> Option<HttpResponse> {
    let (icon, title) = match problem.status {
        StatusCode::NOT_FOUND if problem.error.code == "instruction_link_unusable" => {
            ("link", "This setup link has expired or was revoked")
        }
        StatusCode::NOT_FOUND if problem.error.code == "instruction_link_not_opened" => {
            ("link", "Open the setup link again")
        }
        StatusCode::UNAUTHORIZED if problem.error.code == "sign_in_link_unusable" => {
            ("link", "This sign-in link cannot be used again")
        }
        StatusCode::NOT_FOUND => ("search", "There is nothing here"),
        StatusCode::UNAUTHORIZED => ("lock", "Please sign in again"),
        StatusCode::FORBIDDEN if problem.error.code == "no_workspace" => {
            ("lock", "No workspace is yours here")
        }
        StatusCode::FORBIDDEN => ("lock", "This is not allowed"),
        StatusCode::CONFLICT => ("triangle-alert", "This cannot be done now"),
        StatusCode::TOO_MANY_REQUESTS => ("hourglass", "Please wait a moment"),
        status if status.is_server_error() => ("circle-alert", "This did not work"),
        _ => ("circle-alert", "This cannot be accepted"),
    };
    let (detail, remedy) = (&problem.error.detail, &problem.error.remedy);
    // It may be made after the request's own work, where the page has no place.
    let product = site.brand.name.as_str();
    let remedy = remedy.as_deref().map(|text| curly_for(text, product));
    let elsewhere = problem.error.members.get("return_url");
    let elsewhere = elsewhere.and_then(|url| url.as_str());
    let html = ErrorPage {
        chrome: Chrome::of_site(site),
        icon,
        title,
        detail: &curly_for(detail, product),
        remedy: remedy.as_deref(),
        code: problem.error.code,
        request_id,
        leads_on: is_beside
            || problem.status != StatusCode::UNAUTHORIZED
            || problem.error.code == "sign_in_failed",
        elsewhere,
        signs_in: elsewhere.is_some_and(|url| url.starts_with(&site.url("/sign-in/"))),
    }
    .render()
    .ok()?;
    let mut response = HttpResponse::build(problem.status);
    if let Some(seconds) = problem.retry_after() {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    for (name, value) in &problem.headers {
        response.insert_header((name.clone(), value.clone()));
    }
    Some(
        response
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                crate::http::pages::shell::headers::policy(
                    &AlsoAllowed::default(),
                    &crate::http::pages::shell::headers::ancestors(site),
                ),
            ))
            .body(html),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tenant::{Place, Tenant, within};

    #[test]
    fn an_error_says_what_happened_and_where_to_go_on() {
        let html = |leads_on| {
            let page = ErrorPage {
                chrome: Chrome::bare(),
                icon: "lock",
                title: "This is not allowed",
                detail: "<script>alert('1')</script>",
                remedy: Some("Ask an admin."),
                code: "admin_required",
                request_id: "request-1",
                leads_on,
                elsewhere: (!leads_on).then_some("https://app.example.com/link?a=1&b=2"),
                signs_in: false,
            };
            page.render().unwrap()
        };
        let page = html(true);
        assert!(!page.contains("<script>alert") && page.contains("Ask an admin."));
        assert!(page.contains("data-copy=\"request-1\"") && page.contains("Go to the start"));
        // At an address of a workspace, in that workspace.
        let base = "/w/9a520c8c2f6f6b1e";
        let tenant = Tenant::parse("9a520c8c2f6f6b1e");
        let page = within(Place::new("", tenant.as_ref()), || html(true));
        assert!(page.contains(&format!("data-base=\"{base}\"")) && !page.contains("href=\"/\""));
        assert_eq!(
            page.matches(&format!("href=\"{base}/\"")).count(),
            2,
            "{page}"
        );
        let page = html(false);
        assert!(!page.contains("Go to the start"));
        let link = "href=\"https://app.example.com/link?a=1&#38;b=2\" target=\"_top\"";
        assert!(page.contains(link), "{page}");
        // Nobody is signed in, so the page may be in a frame of the product's: what leads elsewhere leaves it.
        let brand = "<a class=\"brand\" href=\"/\" target=\"_top\">";
        assert!(page.contains(brand), "{page}");
    }
}
