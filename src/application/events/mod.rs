//! Events: the feed of what changed, and the webhooks that it is sent to.

pub mod courier;
pub mod deliver;
pub mod expiry;
pub mod sender;
pub mod signature;
pub mod webhooks;

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::kept::retention::EVENTS;
use crate::application::kept::store::{EventFilter, Store};
use crate::application::kept::vault::{Purpose, Vault};
use crate::domain::Invalid;
use crate::domain::event::{Event, EventType};
use crate::domain::ids::{EventId, WorkspaceId};
use std::sync::Arc;
use time::OffsetDateTime;

/// Whose events and webhooks a caller works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventsOf {
    /// The events of all workspaces, and the webhooks for all of them.
    Everything,
    /// Those of one workspace.
    Workspace(WorkspaceId),
}

impl EventsOf {
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Everything => None,
            Self::Workspace(workspace) => Some(workspace),
        }
    }

    /// The place that tokens and limits of this caller are bound to.
    pub fn place(&self) -> String {
        match self {
            Self::Everything => "operator/events".to_owned(),
            Self::Workspace(workspace) => format!("{workspace}/events"),
        }
    }
}

/// A part of the feed.
#[derive(Debug)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Where the feed goes on, also where there is nothing yet.
    pub next: String,
    /// Whether more events are there already.
    pub has_more: bool,
}

/// The feed of events.
pub struct Events {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
}

impl Events {
    pub const DEFAULT_LIMIT: u32 = 100;
    pub const LARGEST_LIMIT: u32 = 1000;

    /// Events after `after`, which is the ID of an event or the `next` of an earlier page; without it, from the first
    /// that is kept. The oldest come first.
    pub async fn list(
        &self,
        of: &EventsOf,
        after: Option<&str>,
        types: Vec<EventType>,
        limit: u32,
    ) -> Result<EventPage> {
        let position = match after {
            Some(after) => self.position(of, after).await?,
            None => 0,
        };
        // Read first: whatever is up to here is in the list below.
        let head = self.store.last_event().await?;
        let now = self.clock.now();
        let filter = EventFilter {
            workspace: of.workspace().cloned(),
            types,
        };
        let mut rows = self
            .store
            .list_events(&filter, position, limit.saturating_add(1))
            .await?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().map(|(at, event)| (*at, event.at));
        let (next, at) = match last {
            Some(last) if has_more => last,
            // Nothing of the caller's is between the last one and the head.
            Some((last, _)) => (last.max(head), now),
            None => (position.max(head), now),
        };
        Ok(EventPage {
            events: rows.into_iter().map(|(_, event)| event).collect(),
            next: self.cursor(of, next, at)?,
            has_more,
        })
    }

    /// A cursor is sealed: the numbers of positions would say how much happens in other workspaces.
    fn cursor(&self, of: &EventsOf, position: i64, at: OffsetDateTime) -> Result<String> {
        let inner = format!("{position} {}", at.unix_timestamp());
        self.vault
            .seal_token(Purpose::PageToken, &of.place(), &inner)
    }

    async fn position(&self, of: &EventsOf, after: &str) -> Result<i64> {
        if after.starts_with(EventId::PREFIX) {
            let id = EventId::parse(after).map_err(|invalid| Error::field("after", invalid))?;
            let found = self.store.event_position(of.workspace(), &id).await?;
            return found.ok_or_else(|| {
                refused(
                    "unknown_event",
                    "There is no such event. Events are kept for 30 days.",
                )
            });
        }
        let (position, at) = self.open(of, after).ok_or_else(|| {
            refused(
                "invalid_cursor",
                "`after` is the ID of an event, or `next` of an earlier answer to the same token's workspace.",
            )
        })?;
        match at + EVENTS < self.clock.now() {
            true => Err(refused(
                "events_expired",
                "This cursor is older than 30 days, and events from after it are not kept any more.",
            )),
            false => Ok(position),
        }
    }

    fn open(&self, of: &EventsOf, cursor: &str) -> Option<(i64, OffsetDateTime)> {
        let inner = self
            .vault
            .open_token(Purpose::PageToken, &of.place(), cursor)
            .ok()?;
        let (position, at) = inner.split_once(' ')?;
        let at = OffsetDateTime::from_unix_timestamp(at.parse().ok()?).ok()?;
        Some((position.parse().ok()?, at))
    }
}

fn refused(code: &'static str, detail: &str) -> Error {
    Error::field("after", Invalid::new(code, detail)).remedy(
        "Leave `after` out to read from the oldest event that is kept, and compare what you have with the storages, setups and projects of the API.",
    )
}
