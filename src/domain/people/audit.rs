//! The audit log's entries: who did, or was refused, what, when, from where.

use crate::domain::ids::{AuditId, InstructionLinkId, SessionId, TokenId, WorkspaceId};
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: OffsetDateTime,
    /// `None` for what concerns no single workspace.
    pub workspace: Option<WorkspaceId>,
    pub actor: Actor,
    /// The operation's ID in the OpenAPI document, like `create_workspace`.
    pub action: String,
    /// The ID of what it was done to.
    pub target: Option<String>,
    pub result: AuditResult,
    /// The error's code, where it was refused or failed.
    pub code: Option<String>,
    /// The caller's address.
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    Operator,
    Token(TokenId),
    /// Somebody who signed in to the pages.
    Session(SessionId),
    /// Whoever holds a link for the customer's AWS administrator.
    InstructionLink(InstructionLinkId),
    /// The service itself, as in a scheduled check.
    Service,
}

impl Actor {
    /// As stored and shown: `operator`, `service`, `anonymous`, or the ID of a token, session or link.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Operator => "operator",
            Self::Service => "service",
            Self::Token(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
            Self::InstructionLink(id) => id.as_str(),
        }
    }

    pub fn parse(value: &str) -> Result<Self, crate::domain::Invalid> {
        match value {
            "anonymous" => Ok(Self::Anonymous),
            "operator" => Ok(Self::Operator),
            "service" => Ok(Self::Service),
            id if id.starts_with(SessionId::PREFIX) => SessionId::parse(id).map(Self::Session),
            id if id.starts_with(InstructionLinkId::PREFIX) => {
                InstructionLinkId::parse(id).map(Self::InstructionLink)
            }
            token => TokenId::parse(token).map(Self::Token),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditResult {
    Done,
    Refused,
    Failed,
}

impl AuditResult {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    pub fn parse(value: &str) -> Result<Self, crate::domain::Invalid> {
        match value {
            "done" => Ok(Self::Done),
            "refused" => Ok(Self::Refused),
            "failed" => Ok(Self::Failed),
            _ => Err(crate::domain::Invalid::new(
                "unknown_audit_result",
                "Not an audit result.",
            )),
        }
    }
}
