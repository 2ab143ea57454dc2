//! Reading a workspace: all of it as it was at one moment, a few rows at a time.

use crate::application::kept::store::{Cell, MovedRows, StoreError, StoreResult, WorkspaceReader};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::moving::plan::{Below, Of, Plan, column, owner, plan};
use crate::database::record::Record;
use crate::database::side::quoted;
use crate::database::tables::{Column, Table};
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) struct Reader {
    tx: Tx,
    workspace: WorkspaceId,
    tables: Arc<[Table]>,
    stays: BTreeMap<String, u64>,
    /// The IDs of what rows of other tables are below.
    owners: HashMap<&'static str, Vec<String>>,
    /// The table that is read.
    at: usize,
    place: Place,
}

/// How far the reading of a table is.
#[derive(Default)]
struct Place {
    /// The key of the last row.
    after: Option<Cell>,
    /// The owner whose rows are read.
    owner: usize,
}

impl Reader {
    /// `None`: there is no such workspace.
    pub async fn begin(
        database: &Database,
        tables: Arc<[Table]>,
        id: &WorkspaceId,
    ) -> StoreResult<Option<Self>> {
        let mut tx = database.begin_reading().await?;
        let found = tx
            .fetch_optional(
                "SELECT id FROM workspaces WHERE id = $1",
                values![id.as_str()],
            )
            .await?;
        if found.is_none() {
            return Ok(None);
        }
        let mut stays = BTreeMap::new();
        for table in tables.iter() {
            if plan(&table.name)? == (Plan::Stays { counted: true }) {
                let number = count(&mut tx, &table.name, id).await?;
                stays.insert(table.name.clone(), number);
            }
        }
        Ok(Some(Self {
            tx,
            workspace: id.clone(),
            tables,
            stays,
            owners: HashMap::new(),
            at: 0,
            place: Place::default(),
        }))
    }

    async fn page_of(&mut self, table: &Table, of: &Of) -> StoreResult<Vec<Vec<Cell>>> {
        let (at, key) = column(table, of.key)?;
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = $1{} AND {name} > $2 ORDER BY {name} LIMIT $3",
            table.column_list(),
            quoted(&table.name),
            quoted(of.column),
            of.only,
            name = quoted(of.key),
        );
        let after = bound_after(key, self.place.after.take())?;
        let values = vec![self.workspace.as_str().into(), after, of.at_once.into()];
        let rows = self.rows(table, sql, values).await?;
        self.place.after = rows.last().and_then(|row| row.get(at)).cloned();
        Ok(rows)
    }

    /// Rows of several owners together, so that many small ones make few parts.
    async fn page_below(&mut self, table: &Table, below: &Below) -> StoreResult<Vec<Vec<Cell>>> {
        let (at, key) = column(table, below.key)?;
        let mut found = Vec::new();
        while let Some((own, id)) = self.owner_of(below, self.place.owner) {
            let left = below.at_once.saturating_sub(found.len() as u32);
            if left == 0 {
                break;
            }
            let sql = format!(
                "SELECT {} FROM {} WHERE {} = $1 AND {name} > $2 ORDER BY {name} LIMIT $3",
                table.column_list(),
                quoted(&table.name),
                quoted(own),
                name = quoted(below.key),
            );
            let after = bound_after(key, self.place.after.take())?;
            let rows = self
                .rows(table, sql, vec![id.into(), after, left.into()])
                .await?;
            if (rows.len() as u32) < left {
                self.place.owner += 1;
            } else {
                self.place.after = rows.last().and_then(|row| row.get(at)).cloned();
            }
            found.extend(rows);
        }
        Ok(found)
    }

    /// The column and the ID of an owner, by its place among all owners of a table's rows.
    fn owner_of(&self, below: &Below, mut at: usize) -> Option<(&'static str, String)> {
        for (own, table) in below.owners {
            let ids = self.owners.get(table).map_or(&[][..], Vec::as_slice);
            match ids.get(at) {
                Some(id) => return Some((*own, id.clone())),
                None => at -= ids.len(),
            }
        }
        None
    }

    async fn rows(
        &mut self,
        table: &Table,
        sql: String,
        values: Vec<Value>,
    ) -> StoreResult<Vec<Vec<Cell>>> {
        let rows = self.tx.fetch_all(Sql::Built(sql), values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let cells: Result<Vec<Cell>, sqlx::Error> =
                table.columns.iter().map(|c| c.cell(&row)).collect();
            found.push(cells?);
        }
        Ok(found)
    }

    fn remember(&mut self, table: &Table, rows: &[Vec<Cell>]) -> StoreResult<()> {
        let Some(owner) = owner(&table.name) else {
            return Ok(());
        };
        let (at, _) = column(table, "id")?;
        let ids = rows.iter().filter_map(|row| match row.get(at) {
            Some(Cell::Text(id)) => Some(id.clone()),
            Some(Cell::Null | Cell::Int(_) | Cell::Bytes(_)) | None => None,
        });
        self.owners.entry(owner).or_default().extend(ids);
        Ok(())
    }
}

#[async_trait]
impl WorkspaceReader for Reader {
    async fn next(&mut self) -> StoreResult<Option<MovedRows>> {
        let tables = self.tables.clone();
        while let Some(table) = tables.get(self.at) {
            let rows = match plan(&table.name)? {
                Plan::Of(of) => self.page_of(table, &of).await?,
                Plan::Below(below) => self.page_below(table, &below).await?,
                Plan::Stays { .. } => Vec::new(),
            };
            if rows.is_empty() {
                self.at += 1;
                self.place = Place::default();
                continue;
            }
            self.remember(table, &rows)?;
            return Ok(Some(MovedRows {
                table: table.name.clone(),
                columns: table.columns.iter().map(|c| c.name.clone()).collect(),
                rows,
            }));
        }
        Ok(None)
    }

    fn stays(&self) -> &BTreeMap<String, u64> {
        &self.stays
    }
}

/// The key after which the next rows come.
fn bound_after(key: &Column, after: Option<Cell>) -> StoreResult<Value> {
    let after = after.unwrap_or_else(|| key.before_all());
    key.bind(after)
        .ok_or_else(|| StoreError::Failed(format!("a key of {} is of another kind", key.name)))
}

async fn count(tx: &mut Tx, table: &str, id: &WorkspaceId) -> StoreResult<u64> {
    let sql = format!(
        "SELECT COUNT(*) AS number FROM {} WHERE workspace_id = $1",
        quoted(table)
    );
    let rows = tx.fetch_all(Sql::Built(sql), values![id.as_str()]).await?;
    match rows.into_iter().next() {
        Some(row) => Record::named(table.to_owned(), row).number("number"),
        None => Ok(0),
    }
}
