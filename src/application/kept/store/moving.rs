//! A workspace on its way out of the database, or into it: rows of its tables, as they are stored.

use crate::application::kept::store::error::{StoreError, StoreResult};
use crate::application::kept::store::idempotency::KeptAnswer;
use crate::application::kept::store::sealed::SealedColumn;
use crate::domain::ids::WorkspaceId;
use async_trait::async_trait;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Some rows of one table, with a value for each of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRows {
    pub table: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// Where rows that move have ciphertexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedPlace {
    pub table: &'static str,
    pub column: &'static str,
    /// The column with what the ciphertext is bound to.
    pub bound_to: &'static str,
}

/// `None`: what has the column does not move.
pub fn sealed_place(column: SealedColumn) -> Option<SealedPlace> {
    let place = |table, column, bound_to| {
        Some(SealedPlace {
            table,
            column,
            bound_to,
        })
    };
    match column {
        SealedColumn::SetupSecrets => place("setups", "secret", "id"),
        SealedColumn::StorageSecrets => place("storages", "secret", "sealed_for"),
        SealedColumn::PendingSecrets => place("pending_connections", "secret", "sealed_for"),
        SealedColumn::WebhookSecrets => place("webhooks", "secret", "id"),
        SealedColumn::PreviousWebhookSecrets => place("webhooks", "previous_secret", "id"),
        SealedColumn::IdempotentAnswers => None,
    }
}

/// Why rows were not written. Nothing of the workspace is stored then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    #[error("the workspace is there already")]
    Exists,
    #[error("the workspace was erased here")]
    Erased,
    #[error("another workspace has the product's ID of this one")]
    WorkspaceExternalIdTaken,
    #[error("a setup of another workspace has the external ID of one of the rows")]
    ExternalIdInUse,
    #[error("a row of the table {table} is there already, in another workspace")]
    Collides { table: String },
    /// They are not rows of this workspace in this schema.
    #[error("the rows do not fit: {0}")]
    Unfit(String),
    /// It took longer than others can be kept waiting for the database. The limit, in seconds.
    #[error("it was not written within {seconds} seconds")]
    TooLong { seconds: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads all that moves of a workspace, as it was at one moment.
#[async_trait]
pub trait WorkspaceReader: Send {
    /// Further rows, each after those that it refers to. `None`: that was all.
    async fn next(&mut self) -> StoreResult<Option<MovedRows>>;
    /// How many rows there are of each table that stays.
    fn stays(&self) -> &BTreeMap<String, u64>;
}

/// Writes a workspace in one transaction. Dropped before its end, it has written nothing. Where nobody else can write
/// meanwhile, as on SQLite, it is given up after a while: [`NotWritten::TooLong`].
#[async_trait]
pub trait WorkspaceWriter: Send {
    /// Writes rows, each after those that it refers to.
    async fn write(&mut self, rows: MovedRows) -> Result<(), NotWritten>;
    /// How many rows were written of each table that moves, once all were. Fails where one names something that the
    /// workspace does not have.
    fn written(&self) -> Result<BTreeMap<String, u64>, NotWritten>;
    /// Ends the transaction, with the event of the import.
    async fn finish(self: Box<Self>, answer: Option<&KeptAnswer>) -> StoreResult<()>;
}

#[async_trait]
pub trait MovingStore: Send + Sync {
    /// The numbers of the migrations of this release: rows fit where both sides have the same.
    fn schema(&self) -> Vec<i64>;
    /// `None`: there is no such workspace.
    async fn read_workspace(
        &self,
        id: &WorkspaceId,
    ) -> StoreResult<Option<Box<dyn WorkspaceReader>>>;
    /// Begins to write a workspace that is not there.
    async fn write_workspace(
        &self,
        id: &WorkspaceId,
    ) -> Result<Box<dyn WorkspaceWriter>, NotWritten>;

    /// Keeps a sealed part of a file until the whole file has come.
    async fn keep_part(
        &self,
        import: &str,
        position: u64,
        sealed: &[u8],
        at: OffsetDateTime,
    ) -> StoreResult<()>;
    async fn kept_part(&self, import: &str, position: u64) -> StoreResult<Option<Vec<u8>>>;
    /// Forgets all parts of a file.
    async fn forget_parts(&self, import: &str) -> StoreResult<()>;
}
