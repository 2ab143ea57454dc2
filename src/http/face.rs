//! The faces of the service, and what a route says of itself when it is registered.

/// One face: the addresses below a path, with what holds for all of them.
#[derive(Debug)]
pub struct Face {
    /// Where its addresses begin.
    pub root: &'static str,
    pub callers: Callers,
    pub errors: ErrorLook,
    pub actions: Actions,
    /// Whether caches may keep an answer that says nothing about it.
    pub is_cacheable: bool,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Whoever has a token. Asked before anything else of a request is read.
    Tokens,
    /// Anybody; a page's handler asks for its visitor.
    Anybody,
}

/// How errors look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorLook {
    /// `application/problem+json`.
    Problem,
    /// A page for a browser, else `application/problem+json`.
    PageForBrowsers,
}

/// What the audit log calls an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actions {
    /// By its ID in the OpenAPI document. A method that an address does not have is no operation.
    ByOperation,
    /// By the one action of its address, whatever the method.
    ByAddress,
}

/// What an operation does, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteEffect {
    /// It shows something: only a refusal of its caller (401, 403) is written.
    Shows,
    /// It changes nothing of ours, by a method that could, and comes often: written unless it succeeds.
    Asks,
    /// It may change something: written before it is done, and whatever came of it.
    Changes,
    /// The same for files of a bucket: its handler names them in the request's
    /// [`Trail`](crate::http::trail::Trail) before it changes them.
    ChangesFiles,
}

impl Face {
    pub fn covers(&self, path: &str) -> bool {
        path.starts_with(self.root)
    }
}
