//! Events: written last in the transaction of their change, and read in the order of their commits.

use crate::application::kept::store::{EventFilter, EventStore, Recorded, StoreResult};
use crate::database::Database;
use crate::database::engine::{Row, Sql, Tx, Value, values};
use crate::database::record::Record;
use crate::domain::event::{Event, EventType};
use crate::domain::ids::{DeliveryId, EventId, SetupId, WorkspaceId};
use crate::domain::people::subject::SubjectId;
use crate::domain::storage::{HealthChange, HealthState, Quarantining};
use async_trait::async_trait;
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

/// An event to be written.
pub(super) struct NewEvent<'a> {
    pub kind: EventType,
    pub workspace: &'a WorkspaceId,
    /// The product's person for whom it was done.
    pub subject: Option<&'a str>,
    /// Further members of its data, in their order.
    pub about: Vec<(&'static str, &'a str)>,
}

/// Writes events, each with its deliveries. Call it last before the commit, after [`keep`].
///
/// [`keep`]: crate::database::idempotency::keep
pub(super) async fn write(tx: &mut Tx, events: &[NewEvent<'_>]) -> StoreResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    take_turn(tx).await?;
    for event in events {
        write_one(tx, event).await?;
    }
    Ok(())
}

/// Makes other writers of events wait for the end of this transaction.
///
/// PostgreSQL gives out numbers when rows are inserted. Without this, a transaction could commit a lower number after
/// readers have gone on behind a higher one, and they would never see it. The lock is freed after the commit is
/// visible, and it is the last that a transaction waits for, so two of them never wait for each other. SQLite has one
/// writer at a time anyway.
async fn take_turn(tx: &mut Tx) -> StoreResult<()> {
    tx.fetch_optional(
        Sql::Each {
            sqlite: "SELECT $1 AS name",
            postgres: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        },
        values!["sallyport/events"],
    )
    .await
    .map(drop)
}

async fn write_one(tx: &mut Tx, event: &NewEvent<'_>) -> StoreResult<()> {
    let workspace = tx
        .fetch_optional(
            "SELECT id, external_id FROM workspaces WHERE id = $1",
            values![event.workspace.as_str()],
        )
        .await?;
    // Deleted at this moment, and its events with it.
    let Some(workspace) = workspace else {
        return Ok(());
    };
    let external_id = Record::new("workspaces", workspace)?.text_opt("external_id")?;
    let mut data = Map::new();
    let mut add = |name: &str, value: &str| data.insert(name.to_owned(), value.into());
    add("workspace_id", event.workspace.as_str());
    if let Some(external_id) = &external_id {
        add("workspace_external_id", external_id);
    }
    if let Some(subject) = event.subject {
        add("subject", subject);
        add("on_behalf_of", subject);
    }
    for (name, value) in event.about.iter().copied() {
        add(name, value);
    }
    let now = OffsetDateTime::now_utc();
    let written = tx
        .fetch_optional(
            "INSERT INTO events (id, type, workspace_id, data, created_at)
             VALUES ($1, $2, $3, $4, $5) RETURNING id, seq",
            values![
                EventId::generate().as_str(),
                event.kind.as_str(),
                event.workspace.as_str(),
                Json::Object(data).to_string(),
                now
            ],
        )
        .await?;
    let Some(written) = written else {
        return Ok(());
    };
    let position = Record::new("events", written)?.int("seq")?;
    let webhooks = tx
        .fetch_all(
            "SELECT id, types FROM webhooks
             WHERE is_enabled = 1 AND (workspace_id IS NULL OR workspace_id = $1) ORDER BY id",
            values![event.workspace.as_str()],
        )
        .await?;
    for row in webhooks {
        let webhook = Record::new("webhooks", row)?;
        let types = webhook.text("types")?;
        if !types.is_empty() && !types.split(',').any(|word| word == event.kind.as_str()) {
            continue;
        }
        tx.execute(
            "INSERT INTO webhook_deliveries (id, webhook_id, event_seq, status, due_at, created_at)
             VALUES ($1, $2, $3, 'pending', $4, $4)",
            values![
                DeliveryId::generate().as_str(),
                webhook.text("id")?,
                position,
                now
            ],
        )
        .await?;
    }
    Ok(())
}

/// Writes what a check's report has changed of a storage.
pub(super) async fn write_health(tx: &mut Tx, recorded: &Recorded) -> StoreResult<()> {
    match recorded {
        Recorded::Changed(change) => write(tx, &of_health(change)).await,
        Recorded::Stored | Recorded::NoTarget => Ok(()),
    }
}

fn found<'a>(change: &'a HealthChange, kind: EventType, code: Option<&'a str>) -> NewEvent<'a> {
    NewEvent {
        kind,
        workspace: &change.workspace,
        subject: None,
        about: [("storage_id", change.storage.as_str())]
            .into_iter()
            .chain(code.map(|code| ("code", code)))
            .collect(),
    }
}

/// The events of a change of health: of its state, of its code, and of a quarantine that began.
fn of_health(change: &HealthChange) -> Vec<NewEvent<'_>> {
    let mut events = Vec::new();
    let code = change.to.code.as_deref();
    if change.is_of_health() {
        match change.to.state {
            HealthState::Healthy => events.push(found(change, EventType::StorageHealthy, None)),
            HealthState::Degraded => events.push(found(change, EventType::StorageDegraded, code)),
            HealthState::Broken => events.push(found(change, EventType::StorageBroken, code)),
            // Nothing was found out.
            HealthState::Unknown => {}
        }
    }
    match &change.quarantine {
        Some(Quarantining::Began(code)) => {
            events.push(found(change, EventType::StorageQuarantined, Some(code)));
        }
        Some(Quarantining::Ended) | None => {}
    }
    events
}

/// Writes an event of each setup that a statement has returned, with its columns `id`, `workspace_id` and
/// `on_behalf_of`.
pub(super) async fn write_of_setups(
    tx: &mut Tx,
    kind: EventType,
    rows: Vec<Row>,
) -> StoreResult<u64> {
    let mut setups = Vec::with_capacity(rows.len());
    for row in rows {
        let record = Record::new("setups", row)?;
        setups.push((
            record.parse("id", SetupId::parse)?,
            record.parse("workspace_id", WorkspaceId::parse)?,
            record.text_opt("on_behalf_of")?,
        ));
    }
    let events: Vec<NewEvent<'_>> = setups
        .iter()
        .map(|(id, workspace, subject)| NewEvent {
            kind,
            workspace,
            subject: subject.as_deref(),
            about: vec![("setup_id", id.as_str())],
        })
        .collect();
    write(tx, &events).await?;
    Ok(events.len() as u64)
}

#[async_trait]
impl EventStore for Database {
    async fn list_events(
        &self,
        filter: &EventFilter,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<(i64, Event)>> {
        let mut values: Vec<Value> = values![after];
        let mut sql = String::from(
            "SELECT seq, id, type, workspace_id, data, created_at FROM events WHERE seq > $1",
        );
        if let Some(workspace) = &filter.workspace {
            values.push(workspace.as_str().into());
            sql.push_str(&format!(" AND workspace_id = ${}", values.len()));
        }
        if !filter.types.is_empty() {
            let mut places = Vec::new();
            for kind in &filter.types {
                values.push(kind.as_str().into());
                places.push(format!("${}", values.len()));
            }
            sql.push_str(&format!(" AND type IN ({})", places.join(", ")));
        }
        values.push(limit.into());
        sql.push_str(&format!(" ORDER BY seq LIMIT ${}", values.len()));
        self.fetch_records("events", Sql::Built(sql), values, |record| {
            Ok((record.int("seq")?, event(record)?))
        })
        .await
    }

    async fn last_event(&self) -> StoreResult<i64> {
        let last = self
            .fetch_record(
                "events",
                "SELECT id, seq FROM events ORDER BY seq DESC LIMIT 1",
                values![],
                |record| record.int("seq"),
            )
            .await?;
        Ok(last.unwrap_or(0))
    }

    async fn event_position(
        &self,
        workspace: Option<&WorkspaceId>,
        id: &EventId,
    ) -> StoreResult<Option<i64>> {
        self.fetch_record(
            "events",
            "SELECT id, seq FROM events WHERE id = $1 AND ($2 = '' OR workspace_id = $2)",
            values![id.as_str(), workspace.map_or("", WorkspaceId::as_str)],
            |record| record.int("seq"),
        )
        .await
    }

    async fn expire_setups(&self, now: OffsetDateTime, limit: u32) -> StoreResult<u64> {
        // Most often none has expired, and then nothing is locked.
        let expired = self
            .fetch_records(
                "setups",
                "SELECT id FROM setups
                 WHERE status = 'open' AND expiry_noted = 0 AND expires_at <= $1 LIMIT 1",
                values![now],
                |record| record.text("id"),
            )
            .await?;
        if expired.is_empty() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        // The outer condition is read again once another replica's update has ended.
        let rows = tx
            .fetch_all(
                "UPDATE setups SET expiry_noted = 1
                 WHERE status = 'open' AND expiry_noted = 0 AND id IN (
                     SELECT id FROM setups
                     WHERE status = 'open' AND expiry_noted = 0 AND expires_at <= $1
                     ORDER BY expires_at LIMIT $2)
                 RETURNING id, workspace_id, on_behalf_of",
                values![now, limit],
            )
            .await?;
        let count = write_of_setups(&mut tx, EventType::SetupExpired, rows).await?;
        tx.commit().await?;
        Ok(count)
    }

    async fn setup_acted_for(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
        subject: &SubjectId,
    ) -> StoreResult<()> {
        self.execute(
            "UPDATE setups SET on_behalf_of = $3
             WHERE workspace_id = $1 AND id = $2 AND (on_behalf_of IS NULL OR on_behalf_of <> $3)",
            values![workspace.as_str(), id.as_str(), subject.as_str()],
        )
        .await
        .map(drop)
    }
}

/// Reads an event from its columns.
fn event(record: &Record) -> StoreResult<Event> {
    event_in(record, "id")
}

/// The same with its ID in another column.
pub(super) fn event_in(record: &Record, id: &str) -> StoreResult<Event> {
    Ok(Event {
        id: record.parse(id, EventId::parse)?,
        kind: record.parse("type", EventType::parse)?,
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        at: record.time("created_at")?,
        data: record.parse("data", |text| serde_json::from_str(text))?,
    })
}
