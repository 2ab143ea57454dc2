//! What commands find out about a whole database: a copy that may have to be restored, or one that is moved.

/// A table and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    pub table: String,
    pub rows: u64,
}

/// A database as it was found, without anything being changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What is wrong with the file, in the database's words. Empty: it is whole.
    pub damage: Vec<String>,
    pub schema: Schema,
    /// In the order of their names.
    pub tables: Vec<TableCount>,
    /// The known value, sealed with each key that something in the database is sealed with.
    pub key_checks: Vec<Vec<u8>>,
}

/// How far a database's schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// It has none of Sallyport's tables.
    Absent,
    /// By the number of its last migration. `known`: the last one of this release.
    At { last: i64, known: i64 },
    /// A newer release has removed what this one needs.
    TooNew { last: i64, known: i64 },
}

/// A database that was copied into another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// In the order in which they were copied. Both databases have these rows.
    pub tables: Vec<TableCount>,
}

/// A copy of a SQLite database that was made while it was in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// In bytes.
    pub size: u64,
    /// Of the copy.
    pub inspection: Inspection,
}
