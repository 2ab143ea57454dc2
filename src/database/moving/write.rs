//! Writing a workspace, in one transaction.

use crate::application::kept::store::{
    Cell, IMPORT, KeptAnswer, MovedRows, NotWritten, StoreError, StoreResult, WorkspaceWriter,
};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::events::{self, NewEvent};
use crate::database::idempotency;
use crate::database::moving::plan::{Plan, column, named, owner, plan};
use crate::database::placeholders::{placeholders, rows as places_of_rows};
use crate::database::side::quoted;
use crate::database::tables::Table;
use crate::domain::event::EventType;
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many values one statement has at most. SQLite takes 32,766 of them, PostgreSQL 65,535.
const MOST_VALUES: usize = 5_000;

/// How long others may be kept from writing. PostgreSQL keeps nobody.
const SQLITE_LIMIT: Duration = Duration::from_secs(60);

/// Whether a row belongs to the workspace.
type OwnRow<'a> = Box<dyn Fn(&[Cell]) -> bool + 'a>;

pub(super) struct Writer {
    tx: Tx,
    began: Instant,
    /// How long it may take, where others wait for it.
    limit: Option<Duration>,
    workspace: WorkspaceId,
    tables: Arc<[Table]>,
    written: BTreeMap<String, u64>,
    /// The IDs of what rows of other tables are below, or name.
    owners: HashMap<&'static str, HashSet<String>>,
    /// The IDs that rows name of rows which were not written before them.
    named: HashMap<&'static str, HashSet<String>>,
    /// The external IDs of the workspace's setups.
    external_ids: HashSet<String>,
}

impl Writer {
    pub async fn begin(
        database: &Database,
        tables: Arc<[Table]>,
        id: &WorkspaceId,
    ) -> Result<Self, NotWritten> {
        Self::begin_within(database, tables, id, SQLITE_LIMIT).await
    }

    /// `limit` is of SQLite.
    async fn begin_within(
        database: &Database,
        tables: Arc<[Table]>,
        id: &WorkspaceId,
        limit: Duration,
    ) -> Result<Self, NotWritten> {
        let mut tx = database.begin().await?;
        let began = Instant::now();
        let limit = (!tx.is_postgres()).then_some(limit);
        for (sql, why) in [
            (
                "SELECT workspace_id FROM erasures WHERE workspace_id = $1",
                NotWritten::Erased,
            ),
            (
                "SELECT id FROM workspaces WHERE id = $1",
                NotWritten::Exists,
            ),
        ] {
            if tx
                .fetch_optional(sql, values![id.as_str()])
                .await?
                .is_some()
            {
                return Err(why);
            }
        }
        Ok(Self {
            tx,
            began,
            limit,
            workspace: id.clone(),
            tables,
            written: BTreeMap::new(),
            owners: HashMap::new(),
            named: HashMap::new(),
            external_ids: HashSet::new(),
        })
    }

    /// Refuses to go on where others have waited for long.
    fn refuse_late(&self) -> Result<(), NotWritten> {
        match self.limit {
            Some(limit) if self.began.elapsed() >= limit => Err(NotWritten::TooLong {
                seconds: limit.as_secs(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses rows that are not this workspace's.
    fn refuse_others(&self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        let is_own: OwnRow<'_> = match plan(&table.name)? {
            Plan::Of(of) => {
                let (at, _) = column(table, of.column)?;
                let id = self.workspace.as_str();
                Box::new(move |row| is_text(row.get(at), |text| text == id))
            }
            Plan::Below(below) => {
                let mut places = Vec::new();
                for (own, of) in below.owners {
                    places.push((column(table, own)?.0, self.owners.get(of)));
                }
                Box::new(move |row| {
                    places.iter().any(|(at, ids)| {
                        is_text(row.get(*at), |text| {
                            ids.is_some_and(|ids| ids.contains(text))
                        })
                    })
                })
            }
            Plan::Stays { .. } => {
                let why = format!("rows of {} do not move", table.name);
                return Err(NotWritten::Unfit(why));
            }
        };
        // Reports of checks say whose they are, besides what they are below.
        let id = self.workspace.as_str();
        let mut columns = table.columns.iter();
        let at = columns.position(|column| column.name == "workspace_id");
        let says_so = |row: &[Cell]| at.is_none_or(|at| is_text(row.get(at), |text| text == id));
        match rows.iter().all(|row| is_own(row) && says_so(row)) {
            true => Ok(()),
            false => Err(not_own(table)),
        }
    }

    /// Refuses what would act for another workspace: by an external ID that is not of a setup of this one, and jobs of
    /// other kinds than those that move.
    fn refuse_strange(&self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        let (name, may_be_absent) = match table.name.as_str() {
            "storages" | "pending_connections" => ("external_id", true),
            "jobs" => ("kind", false),
            _ => return Ok(()),
        };
        let (at, _) = column(table, name)?;
        let is_fit = |row: &Vec<Cell>| match row.get(at) {
            Some(Cell::Null) => may_be_absent,
            Some(Cell::Text(kind)) if name == "kind" => kind == IMPORT,
            Some(Cell::Text(id)) => self.external_ids.contains(id),
            Some(Cell::Int(_) | Cell::Bytes(_)) | None => false,
        };
        match rows.iter().all(is_fit) {
            true => Ok(()),
            false => Err(not_own(table)),
        }
    }

    /// Notes the rows of other tables that these name.
    fn note_named(&mut self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        for (name, other) in named(&table.name) {
            let (at, _) = column(table, name)?;
            for row in rows {
                let Some(Cell::Text(id)) = row.get(at) else {
                    return Err(unfit(table));
                };
                let known = self.owners.get(other);
                if !known.is_some_and(|known| known.contains(id)) {
                    self.named.entry(*other).or_default().insert(id.clone());
                }
            }
        }
        Ok(())
    }

    /// Refuses external IDs that setups have here, and records the others as issued.
    async fn issue_again(&mut self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        let (id_at, _) = column(table, "external_id")?;
        let (time_at, _) = column(table, "created_at")?;
        let mut issued = Vec::new();
        for row in rows {
            let (Some(Cell::Text(id)), Some(Cell::Int(at))) = (row.get(id_at), row.get(time_at))
            else {
                return Err(unfit(table));
            };
            self.external_ids.insert(id.clone());
            issued.push((id.as_str(), *at));
        }
        for some in issued.chunks(MOST_VALUES / 2) {
            let ids = some.iter().map(|(id, _)| Value::from(*id)).collect();
            let sql = format!(
                "SELECT external_id FROM setups WHERE external_id IN ({}) LIMIT 1",
                placeholders(1, some.len())
            );
            if self
                .tx
                .fetch_optional(Sql::Built(sql), ids)
                .await?
                .is_some()
            {
                return Err(NotWritten::ExternalIdInUse);
            }
            let rows = places_of_rows(some.len(), 2);
            // They stay recorded when a workspace is deleted, so they may be there.
            let sql = format!(
                "INSERT INTO external_ids (external_id, created_at) VALUES {rows}
                 ON CONFLICT (external_id) DO NOTHING"
            );
            let values = some
                .iter()
                .flat_map(|(id, at)| [Value::from(*id), Value::from(*at)]);
            self.tx.execute(Sql::Built(sql), values.collect()).await?;
        }
        Ok(())
    }

    /// Refuses the product's own ID of the workspace where another one has it.
    async fn refuse_taken(&mut self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        let (at, _) = column(table, "external_id")?;
        for row in rows {
            let id = match row.get(at) {
                Some(Cell::Text(id)) => id.as_str(),
                Some(Cell::Null) => continue,
                Some(Cell::Int(_) | Cell::Bytes(_)) | None => return Err(unfit(table)),
            };
            let sql = "SELECT id FROM workspaces WHERE external_id = $1";
            if self.tx.fetch_optional(sql, values![id]).await?.is_some() {
                return Err(NotWritten::WorkspaceExternalIdTaken);
            }
        }
        Ok(())
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<u64, NotWritten> {
        let width = table.columns.len().max(1);
        let takes_zeros = !self.tx.is_postgres();
        let most = (MOST_VALUES / width).max(1);
        let mut rows = rows.into_iter();
        let mut written = 0;
        loop {
            let mut values = Vec::new();
            for row in rows.by_ref().take(most) {
                if row.len() != width {
                    return Err(unfit(table));
                }
                for (column, cell) in table.columns.iter().zip(row) {
                    // PostgreSQL has no text with a zero byte in it.
                    if !takes_zeros && is_text(Some(&cell), |text| text.contains('\0')) {
                        return Err(unfit(table));
                    }
                    values.push(column.bind(cell).ok_or_else(|| unfit(table))?);
                }
            }
            if values.is_empty() {
                return Ok(written);
            }
            let sql = format!(
                "INSERT INTO {} ({}) VALUES {}",
                quoted(&table.name),
                table.column_list(),
                places_of_rows(values.len() / width, width)
            );
            let done = self.tx.execute(Sql::Built(sql), values).await;
            written += done.map_err(|error| match error {
                // Somebody else has written it since the transaction began.
                StoreError::Conflict(_) if table.name == "workspaces" => NotWritten::Exists,
                StoreError::Conflict(_) => NotWritten::Collides {
                    table: table.name.clone(),
                },
                other => NotWritten::Store(other),
            })?;
        }
    }

    fn remember(&mut self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), NotWritten> {
        let Some(owner) = owner(&table.name) else {
            return Ok(());
        };
        let (at, _) = column(table, "id")?;
        let known = self.owners.entry(owner).or_default();
        for row in rows {
            match row.get(at) {
                Some(Cell::Text(id)) => known.insert(id.clone()),
                Some(Cell::Null | Cell::Int(_) | Cell::Bytes(_)) | None => {
                    return Err(unfit(table));
                }
            };
        }
        Ok(())
    }
}

#[async_trait]
impl WorkspaceWriter for Writer {
    async fn write(&mut self, rows: MovedRows) -> Result<(), NotWritten> {
        self.refuse_late()?;
        let tables = self.tables.clone();
        let table = tables.iter().find(|table| table.name == rows.table);
        let table = table.ok_or_else(|| NotWritten::Unfit("of no table of ours".to_owned()))?;
        let names = table.columns.iter().map(|column| &column.name);
        if !names.eq(rows.columns.iter()) {
            return Err(unfit(table));
        }
        self.refuse_others(table, &rows.rows)?;
        self.refuse_strange(table, &rows.rows)?;
        self.note_named(table, &rows.rows)?;
        match table.name.as_str() {
            "workspaces" => self.refuse_taken(table, &rows.rows).await?,
            "setups" => self.issue_again(table, &rows.rows).await?,
            _ => {}
        }
        self.remember(table, &rows.rows)?;
        let written = self.insert(table, rows.rows).await?;
        *self.written.entry(table.name.clone()).or_default() += written;
        Ok(())
    }

    fn written(&self) -> Result<BTreeMap<String, u64>, NotWritten> {
        for (table, ids) in &self.named {
            let known = self.owners.get(table);
            let is_own = |id: &String| known.is_some_and(|known| known.contains(id));
            if !ids.iter().all(is_own) {
                let why = format!("something names a row of {table} that is not this workspace's");
                return Err(NotWritten::Unfit(why));
            }
        }
        Ok(self.written.clone())
    }

    async fn finish(mut self: Box<Self>, answer: Option<&KeptAnswer>) -> StoreResult<()> {
        idempotency::keep(&mut self.tx, answer).await?;
        let event = NewEvent {
            kind: EventType::WorkspaceImported,
            workspace: &self.workspace,
            subject: None,
            about: Vec::new(),
        };
        events::write(&mut self.tx, &[event]).await?;
        self.tx.commit().await
    }
}

fn is_text(cell: Option<&Cell>, is_right: impl Fn(&str) -> bool) -> bool {
    match cell {
        Some(Cell::Text(text)) => is_right(text),
        Some(Cell::Null | Cell::Int(_) | Cell::Bytes(_)) | None => false,
    }
}

fn not_own(table: &Table) -> NotWritten {
    NotWritten::Unfit(format!("a row of {} is not this workspace's", table.name))
}

fn unfit(table: &Table) -> NotWritten {
    NotWritten::Unfit(format!("a row of {} is not one of this schema", table.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::store::Store;
    use crate::database::moving::tables;

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_and_others_go_on() {
        let database = Database::in_memory().await.unwrap();
        let tables = tables().await.unwrap();
        let nothing = || MovedRows {
            table: "workspaces".to_owned(),
            columns: tables
                .iter()
                .find(|table| table.name == "workspaces")
                .into_iter()
                .flat_map(|table| table.columns.iter().map(|column| column.name.clone()))
                .collect(),
            rows: Vec::new(),
        };
        let id = WorkspaceId::generate();
        let in_time = Duration::from_secs(3_600);
        for (limit, expected) in [
            (in_time, Ok(())),
            (Duration::ZERO, Err(NotWritten::TooLong { seconds: 0 })),
        ] {
            let begun = Writer::begin_within(&database, tables.clone(), &id, limit).await;
            let mut writer = begun.ok().unwrap();
            assert_eq!(writer.write(nothing()).await, expected);
            drop(writer);
            assert_eq!(database.replace_remembered("after", b"x").await, Ok(()));
        }
    }
}
