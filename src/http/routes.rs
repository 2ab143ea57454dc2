//! Which addresses there are, by the OpenAPI document.

use crate::http::problem::Problem;
use actix_web::dev::ResourceDef;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

/// The address patterns with their operations.
pub struct Routes(Vec<Route>);

struct Route {
    pattern: ResourceDef,
    operations: Vec<(Method, Option<String>)>,
}

impl Routes {
    pub fn of(document: &OpenApi) -> Self {
        let routes = document
            .paths
            .paths
            .iter()
            .map(|(path, item)| Route {
                pattern: ResourceDef::new(path.as_str()),
                operations: operations(item)
                    .map(|(method, operation)| (method, operation.operation_id.clone()))
                    .collect(),
            })
            .collect();
        Self(routes)
    }

    /// The operation's ID, as in the OpenAPI document.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&str> {
        self.matching(path)
            .flat_map(|route| &route.operations)
            .find(|(m, _)| m == method)
            .and_then(|(_, id)| id.as_deref())
    }

    /// The path's values by their names in the pattern, in their order.
    pub fn parameters(&self, path: &str) -> Vec<(String, String)> {
        let mut found = actix_web::dev::Path::new(path);
        for route in &self.0 {
            if route.pattern.capture_match_info(&mut found) {
                break;
            }
        }
        found
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn methods(&self, path: &str) -> Vec<&Method> {
        self.matching(path)
            .flat_map(|route| &route.operations)
            .map(|(method, _)| method)
            .collect()
    }

    fn matching<'a, 'p>(&'a self, path: &'p str) -> impl Iterator<Item = &'a Route> + use<'a, 'p> {
        self.0.iter().filter(move |r| r.pattern.is_match(path))
    }
}

/// The operations of a path, with their methods.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::HEAD, &item.head),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// The answer where no handler is: 405 when another method would have one, else 404.
pub async fn nothing_here(
    request: HttpRequest,
    routes: web::Data<Routes>,
) -> Result<HttpResponse, Problem> {
    let methods = routes.methods(request.path());
    if methods.is_empty() {
        return Err(Problem::bare(StatusCode::NOT_FOUND));
    }
    let allowed: Vec<&str> = methods.iter().map(|m| m.as_str()).collect();
    let allowed = allowed.join(", ");
    let problem = Problem::http(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("This address answers to {allowed}."),
    );
    Err(match HeaderValue::from_str(&allowed) {
        Ok(value) => problem.header(header::ALLOW, value),
        Err(_) => problem,
    })
}
