//! The audit log: written for every change and every refusal, changed by nobody.

use crate::application::error::Result;
use crate::application::kept::store::{Store, Window};
use crate::application::people::caller::Admin;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::audit::AuditEntry;

/// Whose entries a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Every workspace's.
    Operator,
    /// Those of the own workspace.
    Admin(Admin),
}

impl Reader {
    /// `None`: all.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Operator => None,
            Self::Admin(admin) => Some(admin.workspace()),
        }
    }
}

/// Newest first.
pub async fn list(store: &dyn Store, reader: &Reader, window: &Window) -> Result<Vec<AuditEntry>> {
    Ok(store.list_audit(reader.workspace(), window).await?)
}

/// Writes an entry. One that cannot be written goes to the log instead, whole: it is never lost
/// silently, and the change that it tells of has already happened.
pub async fn record(store: &dyn Store, entry: AuditEntry) {
    if let Err(error) = store.append_audit(&entry).await {
        tracing::error!(
            %error,
            id = %entry.id,
            at = %entry.at,
            workspace = entry.workspace.as_ref().map(WorkspaceId::as_str),
            actor = entry.actor.as_str(),
            action = entry.action,
            target = entry.target,
            result = entry.result.as_str(),
            code = entry.code,
            remote_addr = entry.remote_addr,
            request_id = entry.request_id,
            "an audit entry could not be stored"
        );
    }
}
