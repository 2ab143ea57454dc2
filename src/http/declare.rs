//! How routes are registered: each says whether it changes something, and what the audit log calls it.

use crate::application::people::admission::Gate;
use crate::http::face::{Face, RouteEffect};
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, web};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa_actix_web::OpenApiFactory;

/// Where an operation's effect is kept until the document is complete. It is taken out before anybody
/// sees the document.
const EFFECT: &str = "x-effect";

/// The operations of one address.
#[derive(Debug)]
pub struct Address {
    pub pattern: String,
    pub face: &'static Face,
    /// What the audit log calls what is done here, where it does not go by operation.
    pub action: Option<String>,
    pub operations: Vec<Declared>,
}

/// One operation.
#[derive(Debug)]
pub struct Declared {
    pub method: Method,
    /// Its ID in the OpenAPI document; a page's operations have none.
    pub id: Option<String>,
    /// Whom it is for. `None`: the face asks for no token.
    pub gate: Option<Gate>,
    /// `None`: its registration says nothing.
    pub effect: Option<RouteEffect>,
    /// The names of its query parameters, where only those are taken.
    pub query: Option<Vec<String>>,
    /// Whether a repetition with the same `Idempotency-Key` gets the first answer again.
    pub takes_idempotency_key: bool,
}

/// An operation of the API with its effect.
pub struct WithEffect<T> {
    route: T,
    effect: RouteEffect,
}

/// Registers an operation of the API that may change something.
pub fn changes<T>(route: T) -> WithEffect<T> {
    let effect = RouteEffect::Changes;
    WithEffect { route, effect }
}

/// Registers an operation of the API that may change files of a bucket. Its handler names them.
pub fn changes_files<T>(route: T) -> WithEffect<T> {
    let effect = RouteEffect::ChangesFiles;
    WithEffect { route, effect }
}

/// Registers an operation of the API that only asks, by a method that could change something.
pub fn asks<T>(route: T) -> WithEffect<T> {
    let effect = RouteEffect::Asks;
    WithEffect { route, effect }
}

impl<T: HttpServiceFactory> HttpServiceFactory for WithEffect<T> {
    fn register(self, config: &mut AppService) {
        self.route.register(config);
    }
}

impl<T: OpenApiFactory> OpenApiFactory for WithEffect<T> {
    fn paths(&self) -> Paths {
        let mut paths = self.route.paths();
        for item in paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.head,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let note = ExtensionsBuilder::new().add(EFFECT, word(self.effect));
                operation.extensions = Some(note.build());
            }
        }
        paths
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        self.route.schemas(schemas);
    }
}

fn word(effect: RouteEffect) -> &'static str {
    match effect {
        RouteEffect::Shows => "shows",
        RouteEffect::Asks => "asks",
        RouteEffect::Changes => "changes",
        RouteEffect::ChangesFiles => "changes_files",
    }
}

/// Takes the effect out of an operation of the document.
pub fn take_effect(operation: &mut Operation) -> Option<RouteEffect> {
    let note = operation.extensions.take()?;
    let noted = note.get(EFFECT)?.as_str()?;
    [
        RouteEffect::Shows,
        RouteEffect::Asks,
        RouteEffect::Changes,
        RouteEffect::ChangesFiles,
    ]
    .into_iter()
    .find(|effect| word(*effect) == noted)
}

/// The routes of pages, gathered before they are registered.
pub struct PageRoutes {
    face: &'static Face,
    routes: Vec<PageRoute>,
}

/// The routes of one page's address.
pub struct PageRoute {
    pattern: String,
    action: Option<String>,
    operations: Vec<Declared>,
    resource: Resource,
}

impl PageRoutes {
    pub fn of(face: &'static Face) -> Self {
        let routes = Vec::new();
        Self { face, routes }
    }

    pub fn add(&mut self, route: PageRoute) -> &mut Self {
        self.routes.push(route);
        self
    }

    pub fn register(self, config: &mut web::ServiceConfig) {
        for route in self.routes {
            config.service(route.resource);
        }
    }

    pub fn addresses(self) -> Vec<Address> {
        let face = self.face;
        let routes = self.routes.into_iter();
        routes
            .map(|route| Address {
                pattern: route.pattern,
                face,
                action: route.action,
                operations: route.operations,
            })
            .collect()
    }
}

impl PageRoute {
    /// The address of a page, with what the audit log calls what is done there.
    pub fn at(pattern: &str, action: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            action: Some(action.to_owned()),
            operations: Vec::new(),
            resource: web::resource(pattern),
        }
    }

    /// The address of a page that anybody may see and that changes nothing: it is never written.
    pub fn public<F, Args>(pattern: &str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self {
            action: None,
            ..Self::at(pattern, "").shows(handler)
        }
    }

    /// GET shows something.
    pub fn shows<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::GET, RouteEffect::Shows, handler)
    }

    /// GET changes something.
    pub fn changes_by_get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::GET, RouteEffect::Changes, handler)
    }

    /// POST only asks.
    pub fn asks<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::POST, RouteEffect::Asks, handler)
    }

    /// POST changes something.
    pub fn changes<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::POST, RouteEffect::Changes, handler)
    }

    /// POST changes files of a bucket; its handler names them.
    pub fn changes_files<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.operation(Method::POST, RouteEffect::ChangesFiles, handler)
    }

    fn operation<F, Args>(mut self, method: Method, effect: RouteEffect, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = web::method(method.clone()).to(handler);
        self.resource = self.resource.route(route);
        self.operations.push(Declared {
            method,
            id: None,
            gate: None,
            effect: Some(effect),
            query: None,
            takes_idempotency_key: false,
        });
        self
    }
}
