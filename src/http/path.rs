//! IDs in paths.

use crate::application::error::Error;
use crate::domain::Invalid;
use crate::domain::ids::{
    AuditId, CheckId, ProjectId, SetupId, StorageId, StorageRef, TokenId, WorkspaceId,
};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// What a path's segment can be parsed as.
pub trait PathId: Sized {
    /// The segment's name in the route's pattern, as in `/v1/storages/{storage_id}`.
    const PARAMETER: &'static str;
    /// What it names, in words.
    const WHAT: &'static str;

    fn parse(text: &str) -> Result<Self, Invalid>;
}

macro_rules! path_id {
    ($($type:ty, $parameter:literal, $what:literal;)*) => {$(
        impl PathId for $type {
            const PARAMETER: &'static str = $parameter;
            const WHAT: &'static str = $what;

            fn parse(text: &str) -> Result<Self, Invalid> {
                <$type>::parse(text)
            }
        }
    )*};
}

path_id! {
    WorkspaceId, "workspace_id", "workspace";
    TokenId, "token_id", "token";
    SetupId, "setup_id", "storage setup";
    StorageId, "storage_id", "storage";
    StorageRef, "storage_id", "storage";
    CheckId, "check_id", "check";
    ProjectId, "project_id", "project";
    AuditId, "audit_event_id", "audit event";
}

/// An ID from the path. An ill-formed one is answered like an absent one.
pub struct Id<T>(pub T);

impl<T: PathId> FromRequest for Id<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = match request.match_info().get(T::PARAMETER) {
            Some(text) => T::parse(text)
                .map(Self)
                .map_err(|_| Error::not_found(T::WHAT).into()),
            None => Err(Error::bug(format!("the route has no {{{}}}", T::PARAMETER)).into()),
        };
        ready(id)
    }
}
