//! How a workspace stands: whether it is used at all, and how much it may do.

use crate::domain::Invalid;
use crate::domain::invalid::shown;
use time::OffsetDateTime;

/// Whether a workspace is used, and how much it may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// `None`: it is active.
    pub suspension: Option<Suspension>,
    pub limits: WorkspaceLimits,
}

impl Standing {
    pub fn state(&self) -> WorkspaceState {
        match self.suspension {
            None => WorkspaceState::Active,
            Some(_) => WorkspaceState::Suspended,
        }
    }
}

/// Whether a workspace is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceState {
    Active,
    /// Everything of it is refused, and nothing of it is deleted.
    Suspended,
}

impl WorkspaceState {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            other => Err(Invalid::new(
                "unknown_value",
                format!(
                    "`{}` is not a workspace's state: use `active` or `suspended`.",
                    shown(other)
                ),
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// Since when a workspace is suspended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    pub since: OffsetDateTime,
    /// For operators alone: the workspace does not see it.
    pub reason: Option<SuspensionReason>,
}

/// Why a workspace is suspended: 1 to 500 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspensionReason(String);

impl SuspensionReason {
    /// In characters.
    pub const LONGEST: usize = 500;

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let reason = value.trim();
        let length = reason.chars().count();
        if !(1..=Self::LONGEST).contains(&length) {
            let detail = format!("A reason has 1 to {} characters.", Self::LONGEST);
            return Err(Invalid::new("invalid_length", detail));
        }
        match reason.chars().any(char::is_control) {
            true => Err(Invalid::new(
                "invalid_value",
                "A reason is one line without control characters.",
            )),
            false => Ok(Self(reason.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a workspace may have and do at most. `None`: as much as the service allows every workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkspaceLimits {
    /// How many storages it has. Those that it has already stay.
    pub storages: Option<u32>,
    /// How many requests each replica of the service takes of it in a minute; at least 1.
    pub requests_per_minute: Option<u32>,
    /// How many files each replica passes through at the same time for it, in both directions together.
    pub transfers: Option<u32>,
}

impl WorkspaceLimits {
    /// The largest limit of each kind. A larger number would be no limit.
    pub const LARGEST: u32 = 1_000_000;
}

/// What is to be changed of how a workspace stands. `None`: it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StandingChange {
    pub state: Option<NewState>,
    /// `Some(None)` takes the limit away; the same below.
    pub storages: Option<Option<u32>>,
    pub requests_per_minute: Option<Option<u32>>,
    pub transfers: Option<Option<u32>>,
}

/// What a workspace is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewState {
    Activate,
    /// One that is suspended stays so since then; without another reason it keeps the one that it has.
    Suspend(Suspension),
}

impl StandingChange {
    /// Whether it leaves everything as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_short_line() {
        let reason = SuspensionReason::parse(" leaked token, ticket 4711 ").unwrap();
        assert_eq!(reason.as_str(), "leaked token, ticket 4711");
        assert!(SuspensionReason::parse(&"é".repeat(500)).is_ok());
        for text in ["", " ", "a\nb", &"é".repeat(501)] {
            assert!(SuspensionReason::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_workspace_is_active_unless_it_is_suspended() {
        assert_eq!(Standing::default().state(), WorkspaceState::Active);
        let suspended = Standing {
            suspension: Some(Suspension {
                since: OffsetDateTime::UNIX_EPOCH,
                reason: None,
            }),
            ..Standing::default()
        };
        assert_eq!(suspended.state().as_str(), "suspended");
    }
}
