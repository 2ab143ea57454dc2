//! What the customer's documents grant.

use crate::domain::connection::access::Access;

/// What the customer grants below the bucket prefix: what every document is rendered for, and what a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grants {
    pub access: Access,
    /// Reading, and with access to write changing, who may use an object (ACLs).
    pub acls: bool,
    /// The versions that a bucket keeps of an object.
    pub versions: bool,
}

/// An optional part of what is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    Acls,
    Versions,
}

impl Feature {
    /// The setting that turns it on and off.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Acls => "object_acls",
            Self::Versions => "object_versions",
        }
    }
}

impl Grants {
    /// What is granted unless the customer says otherwise: ACLs and versions with access to write alone.
    pub fn usual(access: Access) -> Self {
        Self {
            access,
            acls: access.writes(),
            versions: access.writes(),
        }
    }

    /// Everything that a connection with this access can be granted.
    pub fn all(access: Access) -> Self {
        Self {
            access,
            acls: true,
            versions: true,
        }
    }

    pub fn writes(self) -> bool {
        self.access.writes()
    }

    /// Whether what needs this feature is granted. `None`: it needs none.
    pub fn has(self, feature: Option<Feature>) -> bool {
        match feature {
            None => true,
            Some(Feature::Acls) => self.acls,
            Some(Feature::Versions) => self.versions,
        }
    }
}
