//! The audit log's entries: who did, or was refused, what, when, from where.

use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, InstructionLinkId, KeyId, SessionId, TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::subject::SubjectId;
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: OffsetDateTime,
    /// `None` for what concerns no single workspace.
    pub workspace: Option<WorkspaceId>,
    pub actor: Actor,
    /// The name that a product's key had then.
    pub actor_name: Option<Name>,
    /// The person of the product's for whom it was done, where the product said so.
    pub on_behalf_of: Option<SubjectId>,
    /// The operation's ID in the OpenAPI document, like `create_workspace`; or what the service did by itself,
    /// like `storage.health_changed`.
    pub action: String,
    /// The ID of what it was done to.
    pub target: Option<String>,
    pub result: AuditResult,
    /// The error's code, where it was refused or failed.
    pub code: Option<String>,
    /// The caller's address.
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
    /// The files that it is about. A list of entries holds the first few of each.
    pub files: Vec<AuditedFile>,
    /// How many files it is about.
    pub file_count: u64,
    pub signed: Option<SignedUrls>,
    /// What the target's state was before, and is since, where the entry is about that.
    pub state: Option<StateChange>,
}

/// A state before and after, in the words of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    pub before: String,
    pub after: String,
}

/// A file that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedFile {
    pub file: NamedFile,
    /// What became of this one.
    pub result: AuditResult,
    pub code: Option<String>,
}

/// A file, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    pub key: FileKey,
    pub part: FilePart,
    pub version_id: Option<String>,
}

impl NamedFile {
    pub fn new(key: &FileKey, part: FilePart) -> Self {
        Self {
            key: key.clone(),
            part,
            version_id: None,
        }
    }
}

/// What a request does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePart {
    /// It is the only kind of file in the request.
    File,
    /// It is copied or moved.
    From,
    /// It is where a copy or a moved file goes.
    To,
}

impl FilePart {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::From => "from",
            Self::To => "to",
        }
    }

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "file" => Ok(Self::File),
            "from" => Ok(Self::From),
            "to" => Ok(Self::To),
            _ => Err(Invalid::new(
                "unknown_file_part",
                "Not a file's part in a request.",
            )),
        }
    }
}

/// Signed URLs that were given out for the entry's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrls {
    /// The method that they let their holder use.
    pub method: String,
    /// When the last of them stops working; `None` where none was given out.
    pub until: Option<OffsetDateTime>,
}

/// A change under way, written down before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditIntent {
    pub id: AuditId,
    pub begun_at: OffsetDateTime,
    pub deed: Deed,
}

/// What is done, without what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Whose workspace it concerns, if a single one's.
    pub workspace: Option<WorkspaceId>,
    pub actor: Actor,
    /// The name of a product's key.
    pub actor_name: Option<Name>,
    /// The person of the product's for whom it is done.
    pub on_behalf_of: Option<SubjectId>,
    pub action: String,
    /// The ID of what it is done to.
    pub target: Option<String>,
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
    pub files: Vec<NamedFile>,
    pub signed: Option<SignedUrls>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    Operator,
    Token(TokenId),
    /// A key of the product's.
    Key(KeyId),
    /// Somebody who signed in to the pages.
    Session(SessionId),
    /// Whoever holds a link for the customer's AWS administrator.
    InstructionLink(InstructionLinkId),
    /// The service itself, as in a scheduled check.
    Service,
}

impl Actor {
    /// As stored and shown: `operator`, `service`, `anonymous`, or the ID of a token, key, session or link.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Operator => "operator",
            Self::Service => "service",
            Self::Token(id) => id.as_str(),
            Self::Key(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
            Self::InstructionLink(id) => id.as_str(),
        }
    }

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "anonymous" => Ok(Self::Anonymous),
            "operator" => Ok(Self::Operator),
            "service" => Ok(Self::Service),
            id if id.starts_with(SessionId::PREFIX) => SessionId::parse(id).map(Self::Session),
            id if id.starts_with(InstructionLinkId::PREFIX) => {
                InstructionLinkId::parse(id).map(Self::InstructionLink)
            }
            id if id.starts_with(KeyId::PREFIX) => KeyId::parse(id).map(Self::Key),
            token => TokenId::parse(token).map(Self::Token),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "done" => Ok(Self::Done),
            "refused" => Ok(Self::Refused),
            "failed" => Ok(Self::Failed),
            _ => Err(Invalid::new(
                "unknown_audit_result",
                "A result is `done`, `refused` or `failed`.",
            )),
        }
    }
}
