//! Copies of a SQLite database that are made while it is in use, and what is found in a copy.

use crate::application::kept::master_key::KEY_CHECK;
use crate::application::kept::store::{StoreError, StoreResult};
use crate::application::kept::upkeep::{BackupMade, Inspection, Schema, TableCount};
use crate::database::engine::Value;
use crate::database::migrations::{self, OLDEST_COMPATIBLE};
use crate::database::side::{Opened, Side};
use crate::database::url::DatabaseUrl;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How every SQLite file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";
/// How a dump of PostgreSQL in its custom format begins.
const DUMP: &[u8] = b"PGDMP";
/// How much of what is wrong with a file is told.
const MOST_DAMAGE: usize = 20;

/// Why there is no backup, or none that was looked at. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no SQLite database `{0}`")]
    Absent(String),
    #[error("`{0}` is there already, and nothing is overwritten. Name a new file")]
    Exists(String),
    #[error("the backup cannot be written to `{path}`: {why}")]
    File { path: String, why: std::io::Error },
    #[error("the copy is not like the database, and was removed: {0}")]
    Differs(String),
    #[error(
        "`{0}` is a dump of PostgreSQL, which only PostgreSQL can read. Restore it into a new database with `pg_restore`, and look at that: `sallyport restore --check postgres://…`"
    )]
    Dump(String),
    #[error(
        "`{0}` is no SQLite database. Where it was copied with `cp` from a running service, what was not in the file yet is lost: use `sallyport backup`"
    )]
    NotSqlite(String),
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Writes a consistent copy of the database to a new file, which only its owner reads. The service goes on reading and
/// writing meanwhile; the copy has what was committed when it began.
///
/// The file has its name once it is whole, on the disk, and was looked at.
pub async fn back_up(database: &Path, to: &Path) -> Result<BackupMade, BackupError> {
    if !database.exists() {
        return Err(BackupError::Absent(database.display().to_string()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.display().to_string()));
    }
    let failed = |why| BackupError::File {
        path: to.display().to_string(),
        why,
    };
    // A name that begins with a slash is never taken for a URI.
    let to_absolute = std::path::absolute(to).map_err(failed)?;
    let draft = Draft::new(&to_absolute).map_err(failed)?;
    let mut source = Side::open_file(database, Opened::ToWrite).await?;
    let known = source.table_names().await?;
    let name = draft.0.to_str().ok_or_else(|| {
        failed(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "its name is not UTF-8",
        ))
    })?;
    source
        .write("VACUUM INTO $1".to_owned(), vec![Value::from(name)])
        .await?;
    source.close().await?;
    // SQLite leaves the copy to the operating system.
    let size = flush(&draft.0).map_err(failed)?;
    let inspection = inspect_file(&draft.0).await?;
    if let Some(damage) = inspection.damage.first() {
        return Err(BackupError::Differs(damage.clone()));
    }
    let mut copied = inspection.tables.iter().map(|count| count.table.as_str());
    if !known.iter().all(|table| copied.any(|name| name == table)) {
        return Err(BackupError::Differs("a table is missing in it".to_owned()));
    }
    draft.publish(&to_absolute).map_err(|error| {
        match error.kind() == std::io::ErrorKind::AlreadyExists {
            true => BackupError::Exists(to.display().to_string()),
            false => failed(error),
        }
    })?;
    Ok(BackupMade { size, inspection })
}

/// Looks at a database without changing anything: a SQLite file that nobody uses, or a PostgreSQL database.
pub async fn inspect(url: &DatabaseUrl) -> Result<Inspection, BackupError> {
    match url {
        DatabaseUrl::Sqlite(path) => inspect_file(path).await,
        DatabaseUrl::Postgres(_) => {
            let mut side = Side::open(url, Opened::ToRead).await?;
            let found = look(&mut side, Vec::new()).await?;
            side.close().await?;
            Ok(found)
        }
    }
}

async fn inspect_file(path: &Path) -> Result<Inspection, BackupError> {
    let named = || path.display().to_string();
    let begin = beginning(path).map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => BackupError::Absent(named()),
        _ => BackupError::Failed(StoreError::Failed(format!(
            "cannot read `{}`: {why}",
            named()
        ))),
    })?;
    if begin.starts_with(DUMP) {
        return Err(BackupError::Dump(named()));
    }
    if begin != SQLITE {
        return Err(BackupError::NotSqlite(named()));
    }
    // With a write-ahead log beside it, a part of the database is there, and reading both needs a third file.
    let opened = match has_log(path) {
        true => Opened::ToRead,
        false => Opened::AsItLies,
    };
    let mut side = Side::open_file(path, opened).await?;
    let damage = match damage(&mut side).await {
        Ok(damage) => damage,
        // So damaged that it cannot be read through.
        Err(error) => vec![error.to_string()],
    };
    let found = match look(&mut side, damage.clone()).await {
        Err(_) if !damage.is_empty() => Inspection {
            damage,
            schema: Schema::Absent,
            tables: Vec::new(),
            key_checks: Vec::new(),
        },
        found => found?,
    };
    side.close().await?;
    Ok(found)
}

fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    let most = SQLITE.len() as u64;
    File::open(path)?.take(most).read_to_end(&mut begin)?;
    Ok(begin)
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// What SQLite finds wrong with its file.
async fn damage(side: &mut Side) -> StoreResult<Vec<String>> {
    let check = format!("PRAGMA integrity_check({MOST_DAMAGE})");
    let mut found = side.texts(check, "integrity_check").await?;
    found.retain(|line| line != "ok");
    let lost = "SELECT DISTINCT \"table\" AS name FROM pragma_foreign_key_check";
    for table in side.texts(lost, "name").await? {
        found.push(format!(
            "rows of the table {table} refer to rows that are not there"
        ));
    }
    Ok(found)
}

async fn look(side: &mut Side, damage: Vec<String>) -> StoreResult<Inspection> {
    let names = side.table_names().await?;
    let schema = schema(side, &names).await?;
    let mut tables = Vec::new();
    let mut key_checks = Vec::new();
    if schema != Schema::Absent {
        for table in names {
            tables.push(TableCount {
                rows: side.count(&table).await?,
                table,
            });
        }
        let checks = format!(
            "SELECT value FROM remembered WHERE name = '{KEY_CHECK}' OR name LIKE '{KEY_CHECK}/%'"
        );
        for row in side.rows(checks).await? {
            key_checks.extend(row.bytes("value")?);
        }
    }
    Ok(Inspection {
        damage,
        schema,
        tables,
        key_checks,
    })
}

async fn schema(side: &mut Side, tables: &[String]) -> StoreResult<Schema> {
    let applied = side.migrations().await?;
    let is_there = |name: &str| tables.iter().any(|table| table == name);
    let Some(last) = applied.last().copied() else {
        return Ok(Schema::Absent);
    };
    if !is_there("workspaces") || !is_there("remembered") {
        return Ok(Schema::Absent);
    }
    let known = migrations::known().last().unwrap_or(0);
    let oldest = format!("SELECT value FROM remembered WHERE name = '{OLDEST_COMPATIBLE}'");
    let needed = match side.rows(oldest).await?.first() {
        None => None,
        Some(row) => row.bytes("value")?,
    };
    let fits = needed.is_none_or(|value| {
        let number = std::str::from_utf8(&value).ok().map(str::parse::<i64>);
        matches!(number, Some(Ok(needed)) if needed <= known)
    });
    Ok(match fits {
        true => Schema::At { last, known },
        false => Schema::TooNew { last, known },
    })
}

/// A backup that has not its name yet. It is removed, unless it gets one.
struct Draft(PathBuf);

impl Draft {
    /// An empty file that only its owner reads; SQLite writes into it.
    fn new(target: &Path) -> std::io::Result<Self> {
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let path = PathBuf::from(name);
        private(&path)?;
        Ok(Self(path))
    }

    /// Gives it its name. Unlike a rename, a link never replaces what somebody else has just made; some file systems
    /// have no links.
    fn publish(self, target: &Path) -> std::io::Result<()> {
        match std::fs::hard_link(&self.0, target) {
            Ok(()) => {}
            Err(error) if target.exists() => return Err(error),
            Err(_) => {
                std::fs::copy(&self.0, target)?;
                File::open(target)?.sync_all()?;
            }
        }
        // So that the name is on the disk too.
        match target.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(%error, file = %self.0.display(), "a draft of a backup was left");
        }
    }
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<File> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

/// Puts the file on the disk, and gives its size.
fn flush(path: &Path) -> std::io::Result<u64> {
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}
