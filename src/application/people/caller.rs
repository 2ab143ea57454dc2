//! Who is calling, and what they may do.

use crate::domain::ids::{InstructionLinkId, SessionId, TokenId, WorkspaceId};
use crate::domain::people::audit::Actor;
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::Role;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Operator,
    Workspace(Member),
    /// Whoever holds a link for the customer's AWS administrator: nobody of the workspace.
    InstructionLink {
        workspace: WorkspaceId,
        link: InstructionLinkId,
    },
}

/// Somebody who acts within one workspace, as a member at least. A use case that takes one has nothing
/// left to ask about permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub workspace: WorkspaceId,
    pub role: Role,
    pub credential: Credential,
    /// The person of the product's for whom this is done, where the product said so.
    pub on_behalf_of: Option<SubjectId>,
}

/// What somebody proved who they are with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    Token(TokenId),
    /// A session on the pages.
    Session(SessionId),
}

impl Credential {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Token(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
        }
    }
}

/// A [`Member`] with the role `admin`. Made only by [`Member::into_admin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(Member);

impl Member {
    /// The same caller as an admin; `None` for a member.
    pub fn into_admin(self) -> Option<Admin> {
        (self.role == Role::Admin).then_some(Admin(self))
    }

    pub fn actor(&self) -> Actor {
        match &self.credential {
            Credential::Token(id) => Actor::Token(id.clone()),
            Credential::Session(id) => Actor::Session(id.clone()),
        }
    }
}

impl Admin {
    pub fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    pub fn member(&self) -> &Member {
        &self.0
    }
}
