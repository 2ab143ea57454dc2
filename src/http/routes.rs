//! Which addresses there are, and what is done there.
//!
//! Paths here are those that the router matches, as in a request's `match_info`: percent-encoded letters
//! are decoded, an encoded slash is not. The path as it was sent would name other addresses than the
//! router does: `/v1/%73torages` is `/v1/storages`.

use crate::application::error::Error;
use crate::application::people::admission::Gate;
use crate::domain::Invalid;
use crate::domain::invalid::shown;
use crate::domain::people::audit_action::AuditAction;
use crate::http::declare::{Address, Declared};
use crate::http::face::{Actions, Callers, Face, RouteEffect};
use crate::http::problem::Problem;
use crate::http::route_tree::{self, RouteTree};
use actix_web::dev::{Path, ResourceDef};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use std::collections::BTreeSet;

/// Every address that the API's document or a page has.
pub struct Routes {
    routes: Vec<Route>,
    tree: RouteTree,
    /// What an address without a route belongs to: the first face that covers it.
    faces: Vec<&'static Face>,
}

struct Route {
    address: Address,
    /// `None`: what the tree finds fits. An expression takes some 20 KiB of memory, and there are hundreds of routes.
    expression: Option<ResourceDef>,
}

impl Route {
    fn fits(&self, path: &str) -> bool {
        let expression = self.expression.as_ref();
        expression.is_none_or(|expression| expression.is_match(path))
    }

    /// The path's values by their names in the pattern, in their order; `None` where it does not fit.
    fn values(&self, path: &str) -> Option<Vec<(String, String)>> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        match &self.expression {
            None => Some(
                route_tree::values(&self.address.pattern, path)
                    .map(owned)
                    .collect(),
            ),
            Some(expression) => {
                let mut found = Path::new(path);
                expression
                    .capture_match_info(&mut found)
                    .then(|| found.iter().map(owned).collect())
            }
        }
    }
}

/// What the audit log is to know of a request.
pub struct Audited<'a> {
    pub action: &'a str,
    pub effect: RouteEffect,
    pub actions: Actions,
}

impl Routes {
    /// Fails where an operation that may change something does not declare whether it does, and where one that
    /// needs a token does not say whom it is for.
    pub fn of(addresses: Vec<Address>, faces: Vec<&'static Face>) -> Result<Self, Error> {
        for address in &addresses {
            for operation in &address.operations {
                if operation.effect.is_none() && may_change(&operation.method) {
                    return Err(Error::bug(format!(
                        "{} {} does not declare whether it changes something",
                        operation.method, address.pattern
                    )));
                }
                if operation.gate.is_none() && address.face.callers == Callers::Tokens {
                    return Err(Error::bug(format!(
                        "{} {} does not say in `http::gates` whom it is for",
                        operation.method, address.pattern
                    )));
                }
            }
        }
        let mut tree = RouteTree::default();
        let routes = addresses
            .into_iter()
            .enumerate()
            .map(|(number, address)| {
                let is_sure = tree.add(&address.pattern, number);
                Route {
                    expression: (!is_sure).then(|| ResourceDef::new(address.pattern.as_str())),
                    address,
                }
            })
            .collect();
        Ok(Self {
            routes,
            tree,
            faces,
        })
    }

    /// The face that a path belongs to, also where nothing is.
    pub fn face(&self, path: &str) -> Option<&'static Face> {
        let routed = self.matching(path).next();
        routed.map(|route| route.address.face).or_else(|| {
            let mut faces = self.faces.iter();
            faces.find(|face| face.covers(path)).copied()
        })
    }

    /// Whether only whoever has a token may call this address. One that does not exist is open to
    /// anybody, who learns that it does not exist.
    pub fn needs_token(&self, path: &str) -> bool {
        let mut routes = self.matching(path);
        routes.any(|route| route.address.face.callers == Callers::Tokens)
    }

    /// Whether there is a page at the address: something that people look at, and that the API's document leaves out.
    pub fn is_page(&self, path: &str) -> bool {
        self.matching(path).next().is_some_and(|route| {
            let operations = &route.address.operations;
            route.address.face.callers == Callers::Anybody
                && operations.iter().all(|operation| operation.id.is_none())
        })
    }

    /// Whom an operation is for; `None` where the address has no such operation.
    pub fn gate(&self, method: &Method, path: &str) -> Option<Gate> {
        self.matching(path)
            .flat_map(|route| &route.address.operations)
            .find(|operation| operation.method == *method)?
            .gate
    }

    /// The pattern of the address.
    pub fn pattern(&self, path: &str) -> Option<&str> {
        let route = self.matching(path).next()?;
        Some(&route.address.pattern)
    }

    /// The query parameters that an operation takes; `None` where any are taken.
    pub fn query(&self, method: &Method, path: &str) -> Option<&[String]> {
        self.matching(path)
            .flat_map(|route| &route.address.operations)
            .find(|operation| operation.method == *method)?
            .query
            .as_deref()
    }

    /// What the audit log calls a request; `None` where it has no name for it.
    pub fn audited(&self, method: &Method, path: &str) -> Option<Audited<'_>> {
        let actions = self.face(path)?.actions;
        match actions {
            Actions::ByOperation => {
                let operation = self
                    .matching(path)
                    .flat_map(|route| &route.address.operations)
                    .find(|operation| operation.method == *method)?;
                Some(Audited {
                    action: operation.id.as_deref()?,
                    effect: effect(Some(operation), method),
                    actions,
                })
            }
            Actions::ByAddress => {
                let address = &self.matching(path).next()?.address;
                let mut operations = address.operations.iter();
                Some(Audited {
                    action: address.action.as_deref()?,
                    effect: effect(operations.find(|o| o.method == *method), method),
                    actions,
                })
            }
        }
    }

    /// Everything that an entry of the audit log may be called, in the order of the alphabet.
    fn actions(&self) -> BTreeSet<&str> {
        let of_routes = self
            .routes
            .iter()
            .flat_map(|route| match route.address.face.actions {
                Actions::ByOperation => {
                    let operations = route.address.operations.iter();
                    operations
                        .filter_map(|o| o.id.as_deref())
                        .collect::<Vec<&str>>()
                }
                Actions::ByAddress => Vec::from_iter(route.address.action.as_deref()),
            });
        let others = AuditAction::ALL.iter().map(|action| action.as_str());
        of_routes.chain(others).collect()
    }

    /// The name of an action, if an entry of the audit log may have it.
    pub fn action(&self, name: &str) -> Result<String, Invalid> {
        let known = self.actions();
        match known.contains(name) {
            true => Ok(name.to_owned()),
            false => {
                let known = Vec::from_iter(known).join(", ");
                let name = shown(name);
                Err(Invalid::new(
                    "unknown_action",
                    format!("`{name}` is no action of the audit log. The actions are {known}."),
                ))
            }
        }
    }

    /// Whether it is a POST of the API that changes something, and that does not take an idempotency key.
    pub fn ignores_idempotency_key(&self, method: &Method, path: &str) -> bool {
        *method == Method::POST
            && self
                .matching(path)
                .filter(|route| route.address.face.callers == Callers::Tokens)
                .flat_map(|route| &route.address.operations)
                .find(|operation| operation.method == *method)
                .is_some_and(|operation| {
                    matches!(
                        effect(Some(operation), method),
                        RouteEffect::Changes | RouteEffect::ChangesFiles
                    ) && !operation.takes_idempotency_key
                })
    }

    /// The path's values by their names in the pattern, in their order.
    pub fn parameters(&self, path: &str) -> Vec<(String, String)> {
        self.candidates(path)
            .find_map(|route| route.values(path))
            .unwrap_or_default()
    }

    fn methods(&self, path: &str) -> Vec<&Method> {
        self.matching(path)
            .flat_map(|route| &route.address.operations)
            .map(|operation| &operation.method)
            .collect()
    }

    fn matching<'a, 'p>(&'a self, path: &'p str) -> impl Iterator<Item = &'a Route> + use<'a, 'p> {
        self.candidates(path).filter(move |route| route.fits(path))
    }

    fn candidates<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Route> + use<'a> {
        let numbers = self.tree.candidates(path).into_iter();
        numbers.filter_map(|number| self.routes.get(number))
    }
}

/// What an operation does: as declared, else by its method.
fn effect(operation: Option<&Declared>, method: &Method) -> RouteEffect {
    let declared = operation.and_then(|operation| operation.effect);
    declared.unwrap_or(match may_change(method) {
        true => RouteEffect::Changes,
        false => RouteEffect::Shows,
    })
}

fn may_change(method: &Method) -> bool {
    matches!(
        *method,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    )
}

/// The answer where no handler is: 405 when another method would have one, else 404.
pub async fn nothing_here(
    request: HttpRequest,
    routes: web::Data<Routes>,
) -> Result<HttpResponse, Problem> {
    let methods = routes.methods(request.match_info().as_str());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::face::ErrorLook;
    use crate::http::gates;

    static API: Face = Face {
        root: "/v1/",
        callers: Callers::Tokens,
        errors: ErrorLook::Problem,
        actions: Actions::ByOperation,
        is_cacheable: false,
    };
    static PAGES: Face = Face {
        root: "/",
        callers: Callers::Anybody,
        errors: ErrorLook::PageForBrowsers,
        actions: Actions::ByAddress,
        is_cacheable: true,
    };

    fn address(face: &'static Face, method: Method, effect: Option<RouteEffect>) -> Address {
        Address {
            pattern: format!("{}things/{{thing_id}}", face.root),
            face,
            action: (face.actions == Actions::ByAddress).then(|| "change_thing".to_owned()),
            operations: vec![Declared {
                method,
                id: Some("put_thing".to_owned()),
                gate: gates::of("get_storage"),
                effect,
                query: None,
                takes_idempotency_key: false,
            }],
        }
    }

    #[test]
    fn an_operation_that_may_change_something_declares_whether_it_does() {
        let faces = || vec![&API, &PAGES];
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(Routes::of(vec![address(&API, method, None)], faces()).is_err());
        }
        assert!(Routes::of(vec![address(&API, Method::GET, None)], faces()).is_ok());
    }

    #[test]
    fn an_operation_that_needs_a_token_says_whom_it_is_for() {
        for (face, is_known) in [(&API, false), (&PAGES, true)] {
            let mut address = address(face, Method::GET, None);
            address.operations[0].gate = None;
            let routes = Routes::of(vec![address], vec![&API, &PAGES]);
            assert_eq!(routes.is_ok(), is_known, "{}", face.root);
        }
    }

    #[test]
    fn an_api_s_action_is_the_operation_s_and_a_page_s_the_address_s() {
        let addresses = vec![
            address(&API, Method::PUT, Some(RouteEffect::Asks)),
            address(&PAGES, Method::POST, Some(RouteEffect::Asks)),
        ];
        let routes = Routes::of(addresses, vec![&API, &PAGES]).unwrap();
        let audited = |method: Method, path: &str| {
            let audited = routes.audited(&method, path)?;
            Some((audited.action.to_owned(), audited.effect))
        };
        let put = audited(Method::PUT, "/v1/things/1");
        assert_eq!(put, Some(("put_thing".to_owned(), RouteEffect::Asks)));
        assert_eq!(audited(Method::POST, "/v1/things/1"), None);
        let change = "change_thing".to_owned();
        let of_page = |method| audited(method, "/things/1");
        assert_eq!(
            of_page(Method::POST),
            Some((change.clone(), RouteEffect::Asks))
        );
        assert_eq!(
            of_page(Method::DELETE),
            Some((change.clone(), RouteEffect::Changes))
        );
        assert_eq!(of_page(Method::GET), Some((change, RouteEffect::Shows)));
        assert_eq!(audited(Method::POST, "/elsewhere"), None);
        assert_eq!(routes.face("/v1/elsewhere").unwrap().root, "/v1/");
        assert_eq!(routes.face("/elsewhere").unwrap().root, "/");
    }
}
