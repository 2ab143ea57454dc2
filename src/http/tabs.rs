//! Takes the workspace out of the address of a page, so that everything behind it sees the page's own path, and puts
//! it into the address that a redirect leads to. The path of the public URL, which the proxy takes out, is put into
//! such an address here too, and into that of what the API has made.

use crate::http::routes::Routes;
use crate::http::state::Services;
use crate::http::tenant;
use crate::http::tenant::{Place, Tenant};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse, Url};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

/// Pages that are reached by a secret in their path, whatever the workspace: they are not below `/w/`.
const BY_SECRET: [&str; 2] = ["/sign-in/", "/instructions/"];

/// Serves `/w/SHORT/PAGE` as `/PAGE` in that workspace. What is not a page, like the API, is not there.
pub async fn tenants(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let sent = request.uri().clone();
    let named = Tenant::in_path(sent.path());
    if let Some(inner) = named.as_ref().and_then(|(_, rest)| with_path(&sent, rest)) {
        lead_to(&mut request, inner);
        if !is_page(&request) {
            lead_to(&mut request, sent.clone());
        }
    }
    let tenant = named.map(|(tenant, _)| tenant);
    let place = match request.app_data::<web::Data<Services>>() {
        Some(services) => {
            Place::new(services.site.base(), tenant.as_ref()).of_product(&services.site.brand.name)
        }
        None => Place::new("", tenant.as_ref()),
    };
    if let Some(tenant) = tenant {
        request.extensions_mut().insert(tenant);
    }
    let base = place.base().to_owned();
    let work = tenant::scope(place, next.call(request));
    let mut response = work.await?.map_into_boxed_body();
    stay(response.headers_mut(), &base);
    Ok(response)
}

fn is_page(request: &ServiceRequest) -> bool {
    let path = request.match_info().as_str();
    let routes = request.app_data::<web::Data<Routes>>();
    routes.is_some_and(|routes| routes.is_page(path))
        && !BY_SECRET.iter().any(|start| path.starts_with(start))
}

/// The same address with another path.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Makes the router, and everything else, see this address.
fn lead_to(request: &mut ServiceRequest, uri: Uri) {
    request.match_info_mut().set(Url::new(uri.clone()));
    request.head_mut().uri = uri;
}

/// Keeps a redirect to one of the service's own pages in the workspace, and below the path of the public URL.
fn stay(headers: &mut HeaderMap, base: &str) {
    let location = headers
        .get(header::LOCATION)
        .and_then(|to| to.to_str().ok());
    let whole = location.map(|to| tenant::after(base, to));
    if let Some(location) = whole.and_then(|whole| HeaderValue::from_str(&whole).ok()) {
        headers.insert(header::LOCATION, location);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_in_the_workspace_unless_it_leaves_the_service() {
        let led = |to: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(to));
            stay(&mut headers, "/w/9a520c8c2f6f6b1e");
            let led = headers.get(header::LOCATION).unwrap();
            led.to_str().unwrap().to_owned()
        };
        assert_eq!(led("/projects?a=1#b"), "/w/9a520c8c2f6f6b1e/projects?a=1#b");
        for elsewhere in ["https://app.example.com/back", "//evil.example/"] {
            assert_eq!(led(elsewhere), elsewhere);
        }
        let mut none = HeaderMap::new();
        stay(&mut none, "/w/9a520c8c2f6f6b1e");
        assert!(none.is_empty());
    }

    #[test]
    fn the_query_stays_with_the_path() {
        let sent = Uri::from_static("/w/9a520c8c2f6f6b1e/storages/x/file?key=%2Fa+b");
        let inner = with_path(&sent, "/storages/x/file").unwrap();
        assert_eq!(inner, Uri::from_static("/storages/x/file?key=%2Fa+b"));
    }
}
