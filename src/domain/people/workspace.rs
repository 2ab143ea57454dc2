//! Workspaces and their API tokens.

use crate::domain::Invalid;
use crate::domain::ids::{StorageRef, TokenId, WorkspaceId};
use crate::domain::invalid::shown;
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::product_id;
use crate::domain::people::reach::Bounds;
use crate::domain::people::standing::Standing;
use time::OffsetDateTime;

/// A tenant. Nothing of it is visible to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: Name,
    /// The product's own ID of the workspace. No two workspaces have the same.
    pub external_id: Option<WorkspaceExternalId>,
    pub metadata: Metadata,
    /// The storage that a request without one means.
    pub default_storage: StorageRef,
    /// Whether it is used, and how much it may do.
    pub standing: Standing,
    pub created_at: OffsetDateTime,
}

/// The ID that the product knows a workspace by: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceExternalId(String);

impl WorkspaceExternalId {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        product_id::parse(value, "invalid_external_id", "workspace").map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a token lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Browses, reads, and creates projects.
    Member,
    /// Also sets up, changes and deletes storages.
    Admin,
}

impl Role {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            other => Err(Invalid::new(
                "unknown_role",
                format!("`{}` is not a role: use `admin` or `member`.", shown(other)),
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }
}

/// An API token, as kept: the secret itself is only in its holder's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub workspace: WorkspaceId,
    pub name: Name,
    pub role: Role,
    /// What it is narrowed to.
    pub bounds: Bounds,
    pub created_at: OffsetDateTime,
    /// `None`: until it is revoked.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within ten minutes. `None`: never, or before releases noted it.
    pub last_used_at: Option<OffsetDateTime>,
}
