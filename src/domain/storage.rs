//! An external object storage: a connection that has passed its check.

use crate::domain::Invalid;
use crate::domain::check::Verdict;
use crate::domain::connection::{ConnectedBucket, Connection, Owner};
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::names::Name;
use time::OffsetDateTime;

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
        }
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

/// What the latest check that could tell said, and since when that has been so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: HealthState,
    pub since: OffsetDateTime,
    /// The code of the problem that decided the state; `None` where there is none.
    pub code: Option<String>,
    /// The latest check, also one that could not tell.
    pub last_check: Option<CheckId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthState {
    Healthy,
    Degraded,
    Broken,
    Unknown,
}

impl HealthState {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "healthy" => Ok(Self::Healthy),
            "degraded" => Ok(Self::Degraded),
            "broken" => Ok(Self::Broken),
            "unknown" => Ok(Self::Unknown),
            _ => Err(Invalid::new("unknown_health", "Not a health state.")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

impl HealthState {
    /// What a check makes of a storage's health. `None`: it proved nothing, and the health stays as it was.
    pub fn after(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Works => Some(Self::Healthy),
            Verdict::WorksWithWarnings => Some(Self::Degraded),
            Verdict::OpenToOthers(_) | Verdict::RefusesUs | Verdict::Broken => Some(Self::Broken),
            Verdict::Undecided => Some(Self::Unknown),
            Verdict::Nothing => None,
        }
    }
}
