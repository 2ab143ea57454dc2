//! IDs in paths.

use crate::application::error::Error;
use crate::application::people::workspaces;
use crate::application::setups::instructions;
use crate::domain::Invalid;
use crate::domain::ids::{
    AuditId, CheckId, DeliveryId, InstructionLinkId, KeyId, ProjectId, SessionId, SetupId,
    StorageId, StorageRef, TokenId, WebhookId, WorkspaceId,
};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// What a path's segment can be parsed as.
pub trait PathId: Sized {
    /// The segment's name in the route's pattern, as in `/v1/storages/{storage_id}`.
    const PARAMETER: &'static str;

    fn parse(text: &str) -> Result<Self, Invalid>;

    /// The use cases' answer when nothing has the ID.
    fn absent() -> Error;
}

macro_rules! path_id {
    ($($type:ty, $parameter:literal, $absent:expr;)*) => {$(
        impl PathId for $type {
            const PARAMETER: &'static str = $parameter;

            fn parse(text: &str) -> Result<Self, Invalid> {
                <$type>::parse(text)
            }

            fn absent() -> Error {
                $absent
            }
        }
    )*};
}

path_id! {
    WorkspaceId, "workspace_id", workspaces::absent();
    TokenId, "token_id", Error::not_found("token");
    KeyId, "key_id", Error::not_found("key");
    SetupId, "setup_id", Error::not_found("setup");
    StorageId, "storage_id", Error::not_found("storage");
    StorageRef, "storage_id", Error::not_found("storage");
    CheckId, "check_id", Error::not_found("check");
    ProjectId, "project_id", Error::not_found("project");
    InstructionLinkId, "link_id", instructions::absent();
    SessionId, "session_id", Error::not_found("session");
    AuditId, "audit_event_id", Error::not_found("audit event");
    WebhookId, "webhook_id", Error::not_found("webhook");
    DeliveryId, "delivery_id", Error::not_found("delivery");
}

/// An ID from the path. An ill-formed one is answered like an absent one.
pub struct Id<T>(pub T);

impl<T: PathId> FromRequest for Id<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = match request.match_info().get(T::PARAMETER) {
            Some(text) => T::parse(text).map(Self).map_err(|_| T::absent().into()),
            None => Err(Error::bug(format!("the route has no {{{}}}", T::PARAMETER)).into()),
        };
        ready(id)
    }
}
