//! Who is calling, and what they may do.

use crate::application::error::{Error, Kind, Result};
use crate::domain::ids::{InstructionLinkId, KeyId, SessionId, StorageRef, TokenId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::Actor;
use crate::domain::people::reach::{Reach, Touch};
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::Role;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Operator,
    /// A key of the product's, in no workspace. Its scopes were compared with what the route needs.
    Key(KeyCaller),
    Workspace(Member),
    /// Whoever holds a link for the customer's AWS administrator: nobody of the workspace.
    InstructionLink {
        workspace: WorkspaceId,
        link: InstructionLinkId,
    },
}

/// A key of the product's, as whoever calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCaller {
    pub id: KeyId,
    pub name: Name,
}

/// Somebody who acts within one workspace, as a member at least. A use case that takes one has nothing
/// left to ask about permission, but for the storages and folders of its [`Reach`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub workspace: WorkspaceId,
    pub role: Role,
    pub credential: Credential,
    /// The person of the product's for whom this is done, where the product said so.
    pub on_behalf_of: Option<SubjectId>,
    pub reach: Reach,
}

/// What somebody proved who they are with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    Token(TokenId),
    /// A session on the pages.
    Session(SessionId),
    /// A key of the product's, which acts in the workspace that the request names.
    Key(KeyCaller),
    /// The operator's token, likewise.
    Operator,
}

impl Credential {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Token(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
            Self::Key(key) => key.id.as_str(),
            Self::Operator => "operator",
        }
    }

    /// The name that the audit log keeps.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Key(key) => Some(&key.name),
            Self::Token(_) | Self::Session(_) | Self::Operator => None,
        }
    }
}

/// A [`Member`] with the role `admin` who reaches the whole workspace. Made only by
/// [`Member::into_admin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(Writer);

/// A [`Member`] who writes files: an admin, or a member whose token names the folders for it. Made only by
/// [`Member::into_writer`]. Which files is for [`Member::admit`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer(Member);

impl Member {
    /// Whether this is an admin of the whole workspace.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.reach.is_everything()
    }

    /// The same caller as an admin; `None` for a member, and for a token that is narrowed.
    pub fn into_admin(self) -> Option<Admin> {
        self.is_admin().then_some(Admin(Writer(self)))
    }

    /// The same caller as one who writes files; `None` for a member whose token names no folders for it.
    pub fn into_writer(self) -> Option<Writer> {
        match self.role {
            Role::Admin => Some(Writer(self)),
            Role::Member if self.reach.names_write_folders() => Some(Writer(self)),
            Role::Member => None,
        }
    }

    /// Refuses what is outside of the caller's reach. Asked before anything is looked up, so the answer is
    /// the same whether the file or the storage exists or not.
    pub fn admit(&self, storage: &StorageRef, touched: &[Touch<'_>]) -> Result<()> {
        if self.reach.is_everything() {
            return Ok(());
        }
        let mut touched = touched.iter();
        match touched.find(|touch| !self.reach.covers(storage, **touch)) {
            None => Ok(()),
            Some(touch) if touch.writes() && self.role == Role::Member => Err(admin_required()),
            // Whoever browses learns where to begin.
            Some(Touch::List(_)) => {
                let listed = self.reach.listed_folders(storage).into_iter();
                let listed: Vec<String> = listed.map(ToString::to_string).collect();
                Err(outside_of_token().member("folders", listed))
            }
            Some(
                Touch::Storage
                | Touch::Read(_)
                | Touch::Write(_)
                | Touch::WriteIn(_)
                | Touch::Delete(_),
            ) => Err(outside_of_token()),
        }
    }

    /// The product's ID of the person for whom this is done.
    pub fn person(&self) -> Option<&str> {
        self.on_behalf_of.as_ref().map(SubjectId::as_str)
    }

    pub fn actor(&self) -> Actor {
        match &self.credential {
            Credential::Token(id) => Actor::Token(id.clone()),
            Credential::Session(id) => Actor::Session(id.clone()),
            Credential::Key(key) => Actor::Key(key.id.clone()),
            Credential::Operator => Actor::Operator,
        }
    }
}

impl Writer {
    pub fn workspace(&self) -> &WorkspaceId {
        &self.0.workspace
    }

    pub fn member(&self) -> &Member {
        &self.0
    }
}

impl Admin {
    pub fn workspace(&self) -> &WorkspaceId {
        self.0.workspace()
    }

    pub fn member(&self) -> &Member {
        self.0.member()
    }

    /// An admin writes files.
    pub fn writer(&self) -> &Writer {
        &self.0
    }
}

/// The answer to a member who wants to do what admins do, or to write where their token does not.
pub fn admin_required() -> Error {
    Error::new(
        Kind::Forbidden,
        "admin_required",
        "Only an admin of the workspace may do this; this token's role is `member`.",
    )
    .remedy("Ask an admin of the workspace, or use a token with the role `admin`.")
}

/// The answer to a token that is narrowed to other storages, folders or operations.
pub fn outside_of_token() -> Error {
    Error::new(
        Kind::Forbidden,
        "outside_of_token",
        "This token is narrowed to certain storages, folders or operations, and this is outside of them.",
    )
    .remedy("Use a token that reaches it. A token says what it is narrowed to when it is listed.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::files::file_key::{FileKey, Folder};
    use crate::domain::people::reach::Bounds;

    fn member(role: Role, reach: Reach) -> Member {
        Member {
            workspace: WorkspaceId::generate(),
            role,
            credential: Credential::Token(TokenId::generate()),
            on_behalf_of: None,
            reach,
        }
    }

    #[test]
    fn a_narrowed_admin_is_none_and_a_member_writes_where_the_token_says() {
        let export = || {
            Reach::within(Bounds {
                write_folders: Some(vec![Folder::parse("/export/").unwrap()]),
                ..Bounds::default()
            })
        };
        let (inside, outside) = (
            FileKey::parse("/export/a").unwrap(),
            FileKey::parse("/a").unwrap(),
        );
        let admin = member(Role::Admin, export());
        assert!(!admin.is_admin() && admin.clone().into_admin().is_none());
        let annotator = member(Role::Member, export());
        for (who, code) in [(admin, "outside_of_token"), (annotator, "admin_required")] {
            let writer = who.into_writer().unwrap();
            let admit = |touch| writer.member().admit(&StorageRef::BuiltIn, &[touch]);
            assert!(admit(Touch::Write(&inside)).is_ok() && admit(Touch::Read(&outside)).is_ok());
            let refused = admit(Touch::Write(&outside)).unwrap_err();
            assert_eq!((refused.kind, refused.code), (Kind::Forbidden, code));
        }
        let plain = member(Role::Member, Reach::everything());
        assert!(plain.into_writer().is_none());
        assert!(
            member(Role::Admin, Reach::everything())
                .into_admin()
                .is_some()
        );
    }
}
