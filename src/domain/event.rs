//! What the product learns of: changes of storages, setups and projects, in the order in which they were stored.

use crate::domain::Invalid;
use crate::domain::ids::{EventId, WorkspaceId};
use crate::domain::invalid::shown;
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// A change that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub kind: EventType,
    pub workspace: WorkspaceId,
    /// When it was written.
    pub at: OffsetDateTime,
    /// IDs of what changed, as clients get them.
    pub data: Map<String, Value>,
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $variant),+
        }

        impl EventType {
            /// Every type, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

event_types! {
    /// A setup has become a storage.
    StorageCreated = "storage.created",
    /// Its name or the connection in use is another.
    StorageUpdated = "storage.updated",
    StorageDeleted = "storage.deleted",
    /// A check found that it works again.
    StorageHealthy = "storage.healthy",
    /// A check found that it works in part.
    StorageDegraded = "storage.degraded",
    /// A check found that it does not work.
    StorageBroken = "storage.broken",
    /// A check found that its role lets others in.
    StorageQuarantined = "storage.quarantined",
    /// The role that a setup waits for has let the service in.
    SetupRoleAppeared = "setup.role_appeared",
    SetupCompleted = "setup.completed",
    /// It was closed or discarded.
    SetupClosed = "setup.closed",
    /// Its time ended while it was open.
    SetupExpired = "setup.expired",
    /// Its files are all there.
    ProjectReady = "project.ready",
    /// Its import failed.
    ProjectFailed = "project.failed",
    /// It has come from a file of `GET /v1/export`, with all that is in it.
    WorkspaceImported = "workspace.imported",
}

impl EventType {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == value);
        found.copied().ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            Invalid::new(
                "unknown_event_type",
                format!(
                    "`{}` is no type of event. The types are {}.",
                    shown(value),
                    words.join(", ")
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_a_word_of_its_own() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Ok(*kind));
        }
        assert_eq!(EventType::ALL.len(), 14);
        for word in ["", "storage", "storage.Created", "webhook.test"] {
            assert!(EventType::parse(word).is_err(), "{word:?}");
        }
    }
}
