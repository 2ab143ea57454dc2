//! What a product's key may do.

use crate::domain::Invalid;
use crate::domain::invalid::shown;

/// Makes the enum and its words of one list.
macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident $word:literal,)+) => {
        /// One permission of a product's key. Each route needs exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            $($(#[$doc])* $scope),+
        }

        impl Scope {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$scope),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$scope => $word),+
                }
            }
        }
    };
}

scopes! {
    /// Makes workspaces, and changes their names, external IDs and metadata.
    WorkspacesCreate "workspaces:create",
    /// Reads workspaces, and who is signed in to them.
    WorkspacesRead "workspaces:read",
    /// Makes links that sign people in, and links for administrators; ends them, and the sessions that they began.
    LinksCreate "links:create",
    /// Reads storages, setups, documents and checks.
    StoragesRead "storages:read",
    /// Connects, checks, changes and deletes storages.
    StoragesWrite "storages:write",
    /// Lists, reads and signs URLs that read files; reads projects.
    FilesRead "files:read",
    /// Stores, changes and deletes files, and signs URLs that do.
    FilesWrite "files:write",
    /// Creates, changes and deletes projects.
    ProjectsWrite "projects:write",
    /// Reads events, and manages webhooks.
    EventsRead "events:read",
    /// Reads the audit log.
    AuditRead "audit:read",
    /// Everything that the operator's token may do, other scopes included.
    Operator "operator",
}

impl Scope {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.as_str() == value).ok_or_else(|| {
            let known = Self::ALL.map(|scope| format!("`{}`", scope.as_str()));
            Invalid::new(
                "unknown_scope",
                format!(
                    "`{}` is not a scope. The scopes are {}.",
                    shown(value),
                    known.join(", ")
                ),
            )
        })
    }
}

/// The scopes of a key: at least one, each once, in the order of [`Scope::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, Invalid> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        match scopes.is_empty() {
            false => Ok(Self(scopes)),
            true => Err(Invalid::new(
                "no_scopes",
                "A key has at least one scope: without one it may do nothing.",
            )),
        }
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub fn from_text(text: &str) -> Result<Self, Invalid> {
        let scopes = text.split(' ').map(Scope::parse);
        Self::new(scopes.collect::<Result<Vec<_>, _>>()?)
    }

    /// The words, with a space between two.
    pub fn to_text(&self) -> String {
        self.words().join(" ")
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.as_str()).collect()
    }

    /// Whether a route that needs `scope` may be called.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_read_as_it_is_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Ok(scope));
        }
        for text in ["", "Operator", "files", "files:read "] {
            assert!(Scope::parse(text).is_err(), "{text:?}");
        }
        let all = Scopes::new(Scope::ALL).unwrap();
        assert_eq!(Scopes::from_text(&all.to_text()), Ok(all));
        assert!(Scopes::new([]).is_err());
        assert!(Scopes::from_text("").is_err());
    }

    #[test]
    fn a_scope_allows_itself_and_the_operator_s_allows_all() {
        for scope in Scope::ALL {
            let one = Scopes::new([scope, scope]).unwrap();
            for other in Scope::ALL {
                let expected = scope == other || scope == Scope::Operator;
                assert_eq!(one.allow(other), expected, "{scope:?} {other:?}");
            }
        }
    }
}
