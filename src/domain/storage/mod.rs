//! An external object storage: a connection that has passed its check.

mod health;

pub use health::{Health, HealthChange, HealthReports, HealthState, Quarantining, quarantining};

use crate::domain::connection::{ConnectedBucket, Connection, Owner};
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use time::OffsetDateTime;

/// After how many days an access key should have been replaced, as AWS's own checks have it (AWS Security Hub,
/// "IAM.3").
const LONGEST_KEY_USE_DAYS: i64 = 90;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub id: StorageId,
    pub workspace: WorkspaceId,
    /// The setup it came from.
    pub setup: SetupId,
    pub display_name: Name,
    pub connection: Connection,
    /// Grows with each change of the connection.
    pub revision: i64,
    /// The revision that the last passed check was made at. The storage may be used only while this is
    /// the present one.
    pub verified_revision: i64,
    pub health: Health,
    /// The storage is not used while this is there.
    pub quarantine: Option<Quarantine>,
    /// Since when the storage has the access key that it uses. `None`: it has none, or an earlier release did
    /// not write it down.
    pub access_key_set_at: Option<OffsetDateTime>,
    /// How many projects use it.
    pub project_count: i64,
    pub created_at: OffsetDateTime,
}

impl Storage {
    pub fn connected(&self) -> ConnectedBucket {
        ConnectedBucket {
            owner: Owner::Storage(self.workspace.clone(), self.id.clone()),
            revision: self.revision,
            connection: self.connection.clone(),
            attributed: None,
        }
    }

    /// For how many days the storage has had its access key, where that is longer than a key should be used.
    /// The key itself may be older: AWS tells that to its owner alone.
    pub fn old_access_key_days(&self, now: OffsetDateTime) -> Option<i64> {
        let days = (now - self.access_key_set_at?).whole_days();
        (days > LONGEST_KEY_USE_DAYS).then_some(days)
    }

    /// Whether a check of exactly the present connection has passed.
    pub fn is_verified(&self) -> bool {
        self.revision == self.verified_revision
    }
}

/// Why a storage is not used: a check found that its role lets others in. It ends with the next check that
/// passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    pub since: OffsetDateTime,
    /// The check that found it.
    pub check: CheckId,
    /// The code of the problem in its report.
    pub code: String,
}

/// A change of a storage's connection that has not passed a check. Until it has, the storage uses the
/// connection that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingConnection {
    pub storage: StorageId,
    pub workspace: WorkspaceId,
    /// The whole connection that the storage will have.
    pub connection: Connection,
    /// Which change it is. No other change of the storage has ever had the number, and no connection that
    /// it used: a check of an earlier change proves nothing about a later one.
    pub revision: i64,
    /// The storage's revision that it was made of.
    pub replaces: i64,
    pub last_check: Option<CheckId>,
    pub changed_at: OffsetDateTime,
}

impl PendingConnection {
    /// What the secret of a storage's pending change is sealed for. It is another place than the
    /// storage's own, so a secret that nothing has proved cannot be opened for the storage.
    pub fn sealed_for(storage: &StorageId) -> String {
        format!("{storage}/pending")
    }

    pub fn connected(&self) -> ConnectedBucket {
        ConnectedBucket {
            owner: Owner::Pending(self.workspace.clone(), self.storage.clone()),
            revision: self.revision,
            connection: self.connection.clone(),
            attributed: None,
        }
    }
}
