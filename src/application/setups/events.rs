//! What happens to a setup, as events for those who follow it: its role appeared, a check finished, it became a
//! storage.
//!
//! Nothing is kept for it: the events are read off the setup's own rows, so whatever replica made them, every
//! stream has them. A [`Position`] says what has been sent; a client that comes back with it misses nothing.

use crate::application::error::{Error, Kind, Result};
use crate::application::setups::SetupView;
use crate::application::setups::waiting::RoleWaits;
use crate::domain::check::CheckReport;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::setup::SetupStatus;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many streams of one workspace one replica has, and how many in all.
const OF_WORKSPACE: usize = 20;
const IN_ALL: usize = 1_000;
/// How many checks are sent at once.
const CHECKS_AT_ONCE: u32 = 50;

/// An event of a setup.
#[derive(Debug, Clone)]
pub enum SetupEvent {
    /// The role has let the service in. The check finds out who else it lets in.
    RoleAppeared {
        role_arn: RoleArn,
        at: OffsetDateTime,
    },
    CheckFinished {
        report: Box<CheckReport>,
        /// Whether it is of exactly the present settings.
        is_current: bool,
    },
    Completed {
        storage: StorageId,
    },
}

impl SetupEvent {
    /// As streams name it: stable.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RoleAppeared { .. } => "role_appeared",
            Self::CheckFinished { .. } => "check_finished",
            Self::Completed { .. } => "completed",
        }
    }
}

/// What has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// When the role appeared, in microseconds since 1970.
    appeared: Option<i64>,
    check: Option<CheckId>,
    is_completed: bool,
}

impl Position {
    /// Reads what an event's ID says. Another text is not one of ours: then everything is sent.
    pub fn parse(text: &str) -> Self {
        Self::known(text).unwrap_or_default()
    }

    fn known(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('.').collect();
        let [appeared, check, end] = fields[..] else {
            return None;
        };
        Some(Self {
            appeared: match appeared {
                "-" => None,
                at => Some(at.parse().ok()?),
            },
            check: match check {
                "-" => None,
                id => Some(CheckId::parse(id).ok()?),
            },
            is_completed: match end {
                "open" => false,
                "completed" => true,
                _ => return None,
            },
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.appeared {
            Some(at) => write!(f, "{at}.")?,
            None => f.write_str("-.")?,
        }
        match &self.check {
            Some(check) => write!(f, "{check}.")?,
            None => f.write_str("-.")?,
        }
        f.write_str(match self.is_completed {
            true => "completed",
            false => "open",
        })
    }
}

/// What there is to send.
#[derive(Debug, Clone)]
pub struct News {
    /// Each with the position after it.
    pub events: Vec<(SetupEvent, Position)>,
    /// The setup has ended, and nothing more will happen to it.
    pub has_ended: bool,
}

/// The streams of this replica.
pub struct SetupEvents {
    waits: Arc<RoleWaits>,
    all: Arc<Semaphore>,
    of_workspace: Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>,
}

/// A stream's place among those of its workspace and of all. Held while it lasts.
#[derive(Debug)]
pub struct StreamPlace {
    _of_workspace: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl SetupEvents {
    pub fn new(waits: Arc<RoleWaits>) -> Self {
        Self {
            waits,
            all: Arc::new(Semaphore::new(IN_ALL)),
            of_workspace: Mutex::default(),
        }
    }

    /// A place for another stream; refused where there are as many as there may be.
    pub fn enter(&self, workspace: &WorkspaceId) -> Result<StreamPlace> {
        let own = {
            let mut all = self
                .of_workspace
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // A workspace without a stream needs no entry.
            all.retain(|_, places| places.available_permits() < OF_WORKSPACE);
            all.entry(workspace.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(OF_WORKSPACE)))
                .clone()
                .try_acquire_owned()
        };
        match (own, self.all.clone().try_acquire_owned()) {
            (Ok(of_workspace), Ok(of_all)) => Ok(StreamPlace {
                _of_workspace: of_workspace,
                _of_all: of_all,
            }),
            _ => Err(Error::new(
                Kind::TooMany,
                "too_many_streams",
                "This workspace follows more setups at the same time than it may.",
            )
            .remedy("Close a stream that is not needed, or read the setup from time to time.")
            .retry_after(Duration::from_secs(10))),
        }
    }

    /// The setup as it is now. Whoever asks watches, as with [`since`](Self::since).
    pub async fn watch(&self, workspace: &WorkspaceId, id: &SetupId) -> Result<SetupView> {
        let view = self.waits.watch_in(workspace, id).await?;
        self.waits.setups.with_overlaps(view).await
    }

    /// What has happened since `position`. Whoever asks watches: the role is tried every three seconds for the
    /// next ten.
    pub async fn since(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        position: &Position,
    ) -> Result<News> {
        let view = self.waits.watch_in(workspace, id).await?;
        let store = &self.waits.store;
        let mut at = position.clone();
        let mut events = Vec::new();
        if let Some((role_arn, appeared)) = appeared(&view) {
            let micros = i64::try_from(appeared.unix_timestamp_nanos() / 1_000).ok();
            if micros > at.appeared {
                at.appeared = micros;
                let event = SetupEvent::RoleAppeared {
                    role_arn,
                    at: appeared,
                };
                events.push((event, at.clone()));
            }
        }
        let checks = store
            .checks_of_setup(workspace, id, at.check.as_ref(), CHECKS_AT_ONCE)
            .await?;
        let has_more = checks.len() == CHECKS_AT_ONCE as usize;
        for report in checks {
            at.check = Some(report.id.clone());
            let event = SetupEvent::CheckFinished {
                is_current: report.revision == view.setup.revision,
                report: Box::new(report),
            };
            events.push((event, at.clone()));
        }
        let has_ended = !has_more && view.status != SetupStatus::Open;
        // A storage that was deleted since is not named.
        if has_ended
            && view.status == SetupStatus::Completed
            && !at.is_completed
            && let Some(storage) = view.storage
        {
            at.is_completed = true;
            events.push((SetupEvent::Completed { storage }, at));
        }
        Ok(News { events, has_ended })
    }
}

/// The role that the setup signs in by, and when it appeared.
fn appeared(view: &SetupView) -> Option<(RoleArn, OffsetDateTime)> {
    let wait = view.wait.as_ref()?;
    let is_present =
        view.setup.draft.role(&view.setup.external_id).as_ref() == Some(&wait.role_arn);
    let at = wait.appeared_at.filter(|_| is_present)?;
    Some((wait.role_arn.clone(), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_s_id_says_what_was_told() {
        let check = CheckId::generate();
        for position in [
            Position::default(),
            Position {
                appeared: Some(1_700_000_000_000_001),
                check: Some(check.clone()),
                is_completed: true,
            },
            Position {
                appeared: None,
                check: Some(check),
                is_completed: false,
            },
        ] {
            assert_eq!(Position::parse(&position.to_string()), position);
        }
        for odd in [
            "",
            "x",
            "-.-",
            "-.-.open.x",
            "1.sto_1.open",
            "-.-.closed",
            "١.-.open",
        ] {
            assert_eq!(Position::parse(odd), Position::default(), "{odd}");
        }
    }
}
