//! Rows, read back into domain values.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::Row;
use crate::domain::Invalid;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::ids::{StorageId, StorageRef};
use crate::domain::names::Name;
use std::fmt;
use time::OffsetDateTime;

/// A row and what to call it. Whatever in it does not parse is [`StoreError::Damaged`].
pub(super) struct Record {
    /// The table and the ID, like `storages/sto_…`.
    name: String,
    row: Row,
}

impl Record {
    /// A row of `table`, named by its column `id`.
    pub fn new(table: &'static str, row: Row) -> StoreResult<Self> {
        let mut record = Self::named(table.to_owned(), row);
        record.name = format!("{table}/{}", record.text("id")?);
        Ok(record)
    }

    pub fn named(name: String, row: Row) -> Self {
        Self { name, row }
    }

    pub fn damaged(&self, column: &str, why: impl fmt::Display) -> StoreError {
        StoreError::Damaged {
            record: self.name.clone(),
            why: format!("{column}: {why}"),
        }
    }

    fn readable<T>(&self, column: &str, value: Result<T, sqlx::Error>) -> StoreResult<T> {
        value.map_err(|error| self.damaged(column, error))
    }

    /// The value of a column that must have one.
    pub fn present<T>(&self, column: &str, value: Option<T>) -> StoreResult<T> {
        value.ok_or_else(|| self.damaged(column, "absent"))
    }

    pub fn text_opt(&self, column: &str) -> StoreResult<Option<String>> {
        self.readable(column, self.row.text(column))
    }

    pub fn text(&self, column: &str) -> StoreResult<String> {
        self.present(column, self.text_opt(column)?)
    }

    pub fn int_opt(&self, column: &str) -> StoreResult<Option<i64>> {
        self.readable(column, self.row.int(column))
    }

    pub fn int(&self, column: &str) -> StoreResult<i64> {
        self.present(column, self.int_opt(column)?)
    }

    /// An integer of a narrower or unsigned type.
    pub fn number<T: TryFrom<i64>>(&self, column: &str) -> StoreResult<T>
    where
        T::Error: fmt::Display,
    {
        T::try_from(self.int(column)?).map_err(|error| self.damaged(column, error))
    }

    pub fn bytes_opt(&self, column: &str) -> StoreResult<Option<Vec<u8>>> {
        self.readable(column, self.row.bytes(column))
    }

    pub fn bytes(&self, column: &str) -> StoreResult<Vec<u8>> {
        self.present(column, self.bytes_opt(column)?)
    }

    pub fn time_opt(&self, column: &str) -> StoreResult<Option<OffsetDateTime>> {
        self.int_opt(column)?
            .map(|micros| {
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
                    .map_err(|error| self.damaged(column, error))
            })
            .transpose()
    }

    pub fn time(&self, column: &str) -> StoreResult<OffsetDateTime> {
        self.present(column, self.time_opt(column)?)
    }

    /// What [`storage_column`] wrote.
    pub fn storage(&self, column: &str) -> StoreResult<StorageRef> {
        let own = self.parse_opt(column, StorageId::parse)?;
        Ok(own.map_or(StorageRef::BuiltIn, StorageRef::Own))
    }

    pub fn parse_opt<T, E: fmt::Display>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> StoreResult<Option<T>> {
        self.text_opt(column)?
            .map(|text| parse(&text).map_err(|error| self.damaged(column, error)))
            .transpose()
    }

    pub fn parse<T, E: fmt::Display>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> StoreResult<T> {
        self.present(column, self.parse_opt(column, parse)?)
    }
}

/// A storage as a column has it: NULL for the built-in one, which has no row to refer to.
pub(super) fn storage_column(storage: &StorageRef) -> Option<&str> {
    storage.own().map(StorageId::as_str)
}

/// A name in its stored form. [`Name::parse`] also takes what people type, with white space around.
pub(super) fn stored_name(value: &str) -> Result<Name, Invalid> {
    Name::parse(value).and_then(|name| canonical(value, name.as_str().to_owned(), name))
}

/// A prefix in its stored form. [`BucketPrefix::from_record`] also takes what people type: `team` there would
/// become `team/`, and what was stored is not known to mean that.
pub(super) fn stored_prefix(value: &str) -> Result<BucketPrefix, Invalid> {
    BucketPrefix::from_record(value)
        .and_then(|prefix| canonical(value, prefix.as_str().to_owned(), prefix))
}

fn canonical<T>(stored: &str, canonical: String, value: T) -> Result<T, Invalid> {
    if stored == canonical {
        Ok(value)
    } else {
        Err(Invalid::new("damaged_record", "not in its stored form"))
    }
}
