//! The audit log: written for every change and every refusal, changed by nobody.

use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::kept::store::{Store, Window};
use crate::application::people::caller::Admin;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use std::sync::Arc;

/// Whose entries a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogReader {
    /// Every workspace's.
    Operator,
    /// Those of the own workspace.
    Admin(Admin),
}

impl LogReader {
    /// `None`: all.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Operator => None,
            Self::Admin(admin) => Some(admin.workspace()),
        }
    }
}

/// The audit log, for those who write to it and read it.
pub struct AuditLog {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

/// What an entry says besides its ID and its time.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Whose workspace it concerns, if a single one's.
    pub workspace: Option<WorkspaceId>,
    pub actor: Actor,
    pub action: String,
    /// The ID of what it was done to.
    pub target: Option<String>,
    pub result: AuditResult,
    /// The problem's code, where it was refused or failed.
    pub code: Option<String>,
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
}

impl AuditLog {
    /// Newest first.
    pub async fn list(&self, reader: &LogReader, window: &Window) -> Result<Vec<AuditEntry>> {
        Ok(self.store.list_audit(reader.workspace(), window).await?)
    }

    /// Writes an entry. One that cannot be written goes to the log instead, whole: it is never lost
    /// silently, and the change that it reports has already happened.
    pub async fn record(&self, deed: Deed) {
        let entry = AuditEntry {
            id: AuditId::generate(),
            at: self.clock.now(),
            workspace: deed.workspace,
            actor: deed.actor,
            action: deed.action,
            target: deed.target,
            result: deed.result,
            code: deed.code,
            remote_addr: deed.remote_addr,
            request_id: deed.request_id,
        };
        if let Err(error) = self.store.append_audit(&entry).await {
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
}
