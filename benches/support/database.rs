//! The database of a service, from outside: a million storages by copies of one that was connected by the API.
//!
//! The service must not run while its database is filled.

use super::Outcome;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tempfile::TempDir;

/// Storages in a workspace.
pub const IN_WORKSPACE: u64 = 100;
/// How many storages one transaction makes.
const AT_ONCE: u64 = 50_000;
/// Spreads numbers over the IDs, so that those of one workspace are not neighbours. Odd, so no two are the same.
const SPREAD: u64 = 2_654_435_761;
const DIGITS: u64 = 0xffff_ffff_ffff;
/// Multiplied with `SPREAD` it is 1, in 64 bits and so in 48. Each step doubles the bits that are right.
const INVERSE: u64 = {
    let (mut inverse, mut step) = (SPREAD, 0);
    while step < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(SPREAD.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
};
const MOST_STORAGES: u64 = 10_000_000;
/// What the external IDs of filled storages begin with: the canonical form of UUID version 4.
const EXTERNAL_ID_START: &str = "00000000-0000-4000-8000-";
/// What follows the prefix of filled IDs: a UUID of version 7 without its last 12 digits.
const ID_START: &str = "0199a000000070008000";
/// When the next checks of filled storages are due, in microseconds since 1970: in the year 2255. What is measured
/// beside the checks is measured without them.
pub const FAR_AWAY: i64 = 9_000_000_000_000_000;
/// For the server of the tests, whose databases have no secret worth keeping: 32 bytes.
const MASTER_KEY: &str = "YmVuY2htYXJrcy1iZW5jaG1hcmtzLWJlbmNobWFya3M=";

/// Where a service keeps its rows.
pub enum Place {
    Sqlite(TempDir),
    Postgres {
        folder: TempDir,
        server: String,
        name: String,
    },
}

/// Rows by the API, which all others are copies of.
pub struct Template {
    pub workspace: String,
    pub setup: String,
    pub storage: String,
    pub check: String,
}

/// One of the filled storages, by its number.
pub fn storage_id(number: u64) -> String {
    let digits = number.wrapping_mul(SPREAD) & DIGITS;
    format!("sto_{ID_START}{digits:012x}")
}

/// Whether it is the external ID of a filled storage. A check asks with others that look almost the same.
pub fn is_external_id(given: &str) -> bool {
    let digits = given.strip_prefix(EXTERNAL_ID_START);
    let spread = digits
        .filter(|digits| digits.len() == 12)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    spread.is_some_and(|spread| spread.wrapping_mul(INVERSE) & DIGITS < MOST_STORAGES)
}

/// One of the filled workspaces, by its number: it has the storages from 100 times that on.
pub fn workspace_id(number: u64) -> String {
    format!("wrk_{ID_START}{number:012x}")
}

impl Place {
    pub fn sqlite() -> Outcome<Self> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    /// A new database on this server.
    pub async fn postgres(server: &str) -> Outcome<Self> {
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        let mut maintenance = PgConnectOptions::from_str(server)?.connect().await?;
        let create = format!("CREATE DATABASE {name}");
        maintenance.execute(AssertSqlSafe(create)).await?;
        Ok(Self::Postgres {
            folder: tempfile::tempdir()?,
            server: server.to_owned(),
            name,
        })
    }

    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// The data folder of its service.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(folder) | Self::Postgres { folder, .. } => folder.path(),
        }
    }

    /// The settings of its service.
    pub fn settings(&self) -> Outcome<Vec<(&'static str, String)>> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres { server, name, .. } => {
                let mut url = url::Url::parse(server)?;
                url.set_path(name);
                Ok(vec![
                    ("SALLYPORT_DATABASE_URL", url.into()),
                    ("SALLYPORT_MASTER_KEY", MASTER_KEY.to_owned()),
                ])
            }
        }
    }

    pub async fn open(&self) -> Outcome<Raw> {
        match self {
            Self::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(file(folder.path()))
                    .synchronous(SqliteSynchronous::Off);
                Ok(Raw::Sqlite(options.connect().await?))
            }
            Self::Postgres { server, name, .. } => {
                let options = PgConnectOptions::from_str(server)?.database(name);
                Ok(Raw::Postgres(options.connect().await?))
            }
        }
    }

    /// Makes the storages with these numbers. Both are multiples of 100.
    pub async fn fill(&self, template: &Template, first: u64, end: u64) -> Outcome<()> {
        let mut raw = self.open().await?;
        for (table, id) in [
            ("workspaces", &template.workspace),
            ("setups", &template.setup),
            ("storages", &template.storage),
            ("checks", &template.check),
        ] {
            raw.execute(format!(
                "CREATE TEMPORARY TABLE template_{table} AS SELECT * FROM {table} WHERE id = '{id}'"
            ))
            .await?;
        }
        let mut begin = first;
        while begin < end {
            let until = (begin + AT_ONCE).min(end);
            raw.execute("BEGIN".to_owned()).await?;
            for statement in raw.statements(begin, until).await? {
                raw.execute(statement).await?;
            }
            raw.execute("COMMIT".to_owned()).await?;
            begin = until;
        }
        raw.settle().await?;
        raw.close().await
    }

    /// Moves all scheduled checks to this moment, in microseconds since 1970, and takes them from who had them.
    pub async fn move_checks(&self, due: i64) -> Outcome<()> {
        let mut raw = self.open().await?;
        raw.execute(format!(
            "UPDATE jobs SET due_at = {due}, worker = NULL, lease_until = 0 WHERE kind = 'check'"
        ))
        .await?;
        raw.settle().await?;
        raw.close().await
    }

    /// How many bytes it takes.
    pub async fn size(&self) -> Outcome<u64> {
        match self {
            Self::Sqlite(folder) => Ok(std::fs::metadata(file(folder.path()))?.len()),
            Self::Postgres { .. } => {
                let mut raw = self.open().await?;
                let size = raw
                    .text("SELECT CAST(pg_database_size(current_database()) AS TEXT)".to_owned())
                    .await?;
                raw.close().await?;
                Ok(size.parse()?)
            }
        }
    }

    /// Removes it, after its service has ended.
    pub async fn remove(self) -> Outcome<()> {
        match self {
            Self::Sqlite(folder) => Ok(folder.close()?),
            Self::Postgres {
                server,
                name,
                folder,
            } => {
                let mut maintenance = PgConnectOptions::from_str(&server)?.connect().await?;
                let drop = format!("DROP DATABASE {name} WITH (FORCE)");
                maintenance.execute(AssertSqlSafe(drop)).await?;
                Ok(folder.close()?)
            }
        }
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("sallyport.db")
}

/// A connection to either engine.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// The statements are put together here, from constants and IDs of the service.
    pub async fn execute(&mut self, sql: String) -> Outcome<()> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(connection) => connection.execute(sql).await.map(drop)?,
            Self::Postgres(connection) => connection.execute(sql).await.map(drop)?,
        }
        Ok(())
    }

    /// The texts in the first column.
    pub async fn texts(&mut self, sql: String) -> Outcome<Vec<String>> {
        let sql = AssertSqlSafe(sql);
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
        })
    }

    /// The first of them.
    pub async fn text(&mut self, sql: String) -> Outcome<String> {
        let found = self.texts(sql).await?;
        Ok(found.into_iter().next().ok_or("no row")?)
    }

    /// What the engine does by itself now and then, so that it does not do it while something is measured.
    async fn settle(&mut self) -> Outcome<()> {
        let statement = match self {
            Self::Sqlite(_) => "PRAGMA wal_checkpoint(TRUNCATE)",
            Self::Postgres(_) => "VACUUM ANALYZE",
        };
        self.execute(statement.to_owned()).await
    }

    pub async fn close(self) -> Outcome<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.close().await?),
            Self::Postgres(connection) => Ok(connection.close().await?),
        }
    }

    async fn columns(&mut self, table: &str) -> Outcome<Vec<String>> {
        let sql = match self {
            Self::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}'
                 ORDER BY ordinal_position"
            ),
        };
        self.texts(sql).await
    }

    /// Numbers from `first` to before `end`, as `n (i)`.
    fn numbers(&self, first: u64, end: u64) -> String {
        let last = end - 1;
        match self {
            Self::Sqlite(_) => format!(
                "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
            ),
            Self::Postgres(_) => format!(
                "WITH n AS (SELECT generate_series(CAST({first} AS BIGINT), CAST({last} AS BIGINT)) AS i)"
            ),
        }
    }

    /// Twelve hexadecimal digits.
    fn hex(&self, number: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("printf('%012x', {number})"),
            Self::Postgres(_) => format!("lpad(to_hex({number}), 12, '0')"),
        }
    }

    /// What makes the storages with these numbers. The database's own trigger makes their jobs.
    async fn statements(&mut self, first: u64, end: u64) -> Outcome<Vec<String>> {
        let spread = self.hex(&format!("((i * {SPREAD}) & {DIGITS})"));
        let owner = format!(
            "'wrk_{ID_START}' || {}",
            self.hex(&format!("(i / {IN_WORKSPACE})"))
        );
        let workspace = format!("'wrk_{ID_START}' || {}", self.hex("i"));
        let id = |prefix: &str| format!("'{prefix}{ID_START}' || {spread}");
        let external_id = format!("'{EXTERNAL_ID_START}' || {spread}");
        let check = id("chk_");
        // A report that the template has not is none here either.
        let report =
            |column: &str| format!("CASE WHEN t.{column} IS NULL THEN NULL ELSE {check} END");
        let name = "'Storage ' || i".to_owned();
        let bucket = "t.bucket || '-' || i".to_owned();
        let created = "t.created_at + i".to_owned();
        let null = "NULL".to_owned();
        let workspaces = [
            ("id", workspace),
            ("name", "'Workspace ' || i".to_owned()),
            ("external_id", null.clone()),
        ];
        let setups = vec![
            ("id", id("set_")),
            ("workspace_id", owner.clone()),
            ("external_id", external_id.clone()),
            ("display_name", name.clone()),
            ("bucket", bucket.clone()),
            ("last_check_id", null),
            ("created_at", created.clone()),
        ];
        let storages = vec![
            ("id", id("sto_")),
            ("workspace_id", owner.clone()),
            ("setup_id", id("set_")),
            ("external_id", external_id.clone()),
            ("display_name", name),
            ("bucket", bucket),
            ("last_check_id", report("last_check_id")),
            ("last_good_check_id", report("last_good_check_id")),
            ("first_bad_check_id", report("first_bad_check_id")),
            ("health_check_id", report("health_check_id")),
            ("next_check_at", format!("{FAR_AWAY} + i")),
            ("created_at", created),
        ];
        let checks = vec![
            ("id", check),
            ("workspace_id", owner),
            ("storage_id", id("sto_")),
        ];
        let all = self.numbers(first, end);
        let of_workspaces = self.numbers(first / IN_WORKSPACE, end.div_ceil(IN_WORKSPACE));
        let external_ids = format!(
            "{all} INSERT INTO external_ids (external_id, created_at)
             SELECT {external_id}, t.created_at FROM n CROSS JOIN template_setups t"
        );
        let mut made = vec![
            self.copies("workspaces", &of_workspaces, &workspaces)
                .await?,
            external_ids,
        ];
        for (table, others) in [
            ("setups", setups),
            ("storages", storages),
            ("checks", checks),
        ] {
            made.push(self.copies(table, &all, &others).await?);
        }
        Ok(made)
    }

    /// Copies of a table's template, one for each number, with other values in some columns.
    async fn copies(
        &mut self,
        table: &str,
        numbers: &str,
        others: &[(&str, String)],
    ) -> Outcome<String> {
        let columns = self.columns(table).await?;
        for (name, _) in others {
            if !columns.iter().any(|column| column == name) {
                return Err(format!("{table} has no column {name}").into());
            }
        }
        let value = |column: &String| {
            let other = others.iter().find(|(name, _)| name == column);
            other.map_or_else(|| format!("t.{column}"), |(_, value)| value.clone())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        Ok(format!(
            "{numbers} INSERT INTO {table} ({}) SELECT {} FROM n CROSS JOIN template_{table} t",
            columns.join(", "),
            values.join(", ")
        ))
    }
}
