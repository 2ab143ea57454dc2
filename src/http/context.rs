//! What is noted about a request on its way, for what is done around it.

use crate::application::people::caller::Caller;
use crate::domain::people::audit_action::AuditAction;
use actix_web::{HttpMessage, HttpRequest};
use std::cell::OnceCell;
use std::rc::Rc;

/// The request's ID, in the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The caller, in the request's extensions. It outlives a request that is lost in a panic.
#[derive(Clone, Default)]
pub struct SeenCaller(Rc<OnceCell<Caller>>);

impl SeenCaller {
    pub fn get(&self) -> Option<&Caller> {
        self.0.get()
    }

    /// Keeps the caller, unless one is known.
    pub fn set(&self, caller: &Caller) {
        self.0.get_or_init(|| caller.clone());
    }

    /// Notes who calls. The first word counts.
    pub fn note(request: &HttpRequest, caller: &Caller) {
        if let Some(seen) = request.extensions().get::<Self>() {
            seen.set(caller);
        }
    }
}

/// Left in a response's extensions: what the audit log calls what was done, where one address does
/// several things.
pub struct AuditedAs(pub AuditAction);

/// Left in a response's extensions: the ID of what was made, where the response does not lead there.
pub struct AuditedTarget(pub String);

/// Left in a response's extensions: the request could have changed something and has not. Only what a
/// page sends by itself says so; what a person does is written whatever came of it.
pub struct NothingChanged;
