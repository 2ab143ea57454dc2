//! Who uses a database, so that what needs it alone does not run beside the service.
//!
//! A SQLite file has a lock file beside it, which one process at a time holds by the operating system's own lock.
//! That ends with the process, however it ends, so a file that is left behind stops nobody. Who only reads the
//! database does not take it.
//!
//! On PostgreSQL every connection of a service holds a shared advisory lock of its session, and what needs the
//! database alone takes the exclusive one.

use crate::database::url::DatabaseUrl;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// The name of the advisory lock on PostgreSQL: the letters `SALLYPOR` as a number.
pub(super) const ADVISORY: i64 = 0x5341_4c4c_5950_4f52;
/// How long somebody who is just ending is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How the service names itself in a lock file.
const SERVICE: &str = "serve";

/// Why a database cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InUse {
    #[error(
        "the SQLite database `{path}` is in use by {holder}. One process at a time uses a SQLite file: stop that process first, or use PostgreSQL for several. Nothing was changed"
    )]
    File { path: String, holder: String },
    #[error(
        "the PostgreSQL database `{database}` is in use: a service or a command of Sallyport is connected to it. Stop every replica first. Nothing was changed"
    )]
    Server { database: String },
    #[error("the lock file `{path}` cannot be used: {why}")]
    LockFile { path: String, why: String },
    #[error("the database `{database}` cannot be asked who uses it: {why}")]
    Unknown { database: String, why: String },
}

/// A database that nobody else uses while this value is there.
#[derive(Debug)]
pub struct DatabaseLock {
    /// `None` where the file system has no locks, and on PostgreSQL.
    _file: Option<File>,
    session: Option<PgConnection>,
}

impl DatabaseLock {
    /// What a service holds while it runs. On PostgreSQL its connections say the same.
    pub async fn of_service(url: &DatabaseUrl) -> Result<Self, InUse> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::of_file(path, SERVICE).await,
            DatabaseUrl::Postgres(_) => Ok(Self::nothing()),
        }
    }

    /// What a command holds that must be alone. `command`: as it is typed.
    pub async fn alone(url: &DatabaseUrl, command: &str) -> Result<Self, InUse> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::of_file(path, command).await,
            DatabaseUrl::Postgres(_) => Self::of_server(url).await,
        }
    }

    /// Whether a command may work beside the service: only nobody who must be alone stops it.
    pub fn beside(url: &DatabaseUrl) -> Result<(), InUse> {
        let DatabaseUrl::Sqlite(path) = url else {
            return Ok(());
        };
        match lock_file(path, None) {
            Err(InUse::File { path, holder }) if !holder.ends_with(&named(SERVICE)) => {
                Err(InUse::File { path, holder })
            }
            // A folder that cannot be written to says nothing about who uses the database.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Gives a PostgreSQL database back for the connections of this process itself. A SQLite file stays locked.
    pub async fn let_own_connections_in(&mut self) {
        if let Some(mut session) = self.session.take() {
            // Where this fails, the end of the session does it.
            let _ = sqlx::query("SELECT pg_advisory_unlock_all()")
                .execute(&mut session)
                .await;
            let _ = session.close().await;
        }
    }

    fn nothing() -> Self {
        Self {
            _file: None,
            session: None,
        }
    }

    async fn of_file(path: &Path, command: &str) -> Result<Self, InUse> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock_file(path, Some(command)) {
                Err(InUse::File { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Err(error) => return Err(error),
                Ok(file) => {
                    return Ok(Self {
                        _file: file,
                        session: None,
                    });
                }
            }
        }
    }

    async fn of_server(url: &DatabaseUrl) -> Result<Self, InUse> {
        let DatabaseUrl::Postgres(options) = url else {
            return Ok(Self::nothing());
        };
        let unknown = |error: sqlx::Error| InUse::Unknown {
            database: url.to_string(),
            why: error.to_string(),
        };
        let options = options.clone().application_name("sallyport, alone");
        let mut session = options.connect().await.map_err(unknown)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(ADVISORY)
                .fetch_one(&mut session)
                .await
                .map_err(unknown)?;
            // Replicas of earlier releases hold no lock. They are known by their name.
            let connected: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'sallyport'",
            )
            .fetch_one(&mut session)
            .await
            .map_err(unknown)?;
            if free && connected == 0 {
                return Ok(Self {
                    _file: None,
                    session: Some(session),
                });
            }
            if Instant::now() >= deadline {
                return Err(InUse::Server {
                    database: url.to_string(),
                });
            }
            // Nobody is kept waiting by this one meanwhile.
            sqlx::query("SELECT pg_advisory_unlock_all()")
                .execute(&mut session)
                .await
                .map_err(unknown)?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Locks the file beside a database. `None`: the file system has no locks. `command` is written into it, for whoever
/// is refused; without one, the lock is only tried.
fn lock_file(database: &Path, command: Option<&str>) -> Result<Option<File>, InUse> {
    let path = beside(database);
    let refuse = |why: std::io::Error| InUse::LockFile {
        path: path.display().to_string(),
        why: why.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(refuse)?;
    }
    let mut file = open(&path).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => {
            if let Some(command) = command {
                let text = format!("{} {command}\n", std::process::id());
                file.set_len(0).map_err(refuse)?;
                file.write_all(text.as_bytes()).map_err(refuse)?;
            }
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // What cannot be read leaves the process without a name.
            let _ = file.read_to_string(&mut text);
            Err(InUse::File {
                path: database.display().to_string(),
                holder: holder(&text),
            })
        }
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
            tracing::warn!(
                file = %path.display(),
                "the file system has no locks, so a second process on this SQLite database is not noticed"
            );
            Ok(None)
        }
        Err(TryLockError::Error(error)) => Err(refuse(error)),
    }
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// The lock file of a database: by its real path, so that a link to it has the same one.
fn beside(database: &Path) -> PathBuf {
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| {
        let folder = database.parent().map(std::fs::canonicalize);
        match (folder, database.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => database.to_owned(),
        }
    });
    let mut name = real.into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// Who holds the lock, by what its file says.
fn holder(text: &str) -> String {
    match text.trim().split_once(' ') {
        Some((pid, command)) if pid.bytes().all(|b| b.is_ascii_digit()) => {
            format!("the process {pid}, {}", named(command))
        }
        _ => "another process".to_owned(),
    }
}

fn named(command: &str) -> String {
    format!("`sallyport {command}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_one_is_refused_with_the_process_that_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.db");
        let url = DatabaseUrl::sqlite_file(&path);
        let first = DatabaseLock::of_service(&url).await.unwrap();
        let refused = DatabaseLock::alone(&url, "copy-database").await;
        let Err(InUse::File { holder, .. }) = refused else {
            panic!("{refused:?}");
        };
        let own = std::process::id();
        assert_eq!(holder, format!("the process {own}, `sallyport serve`"));
        // What works beside the service goes on.
        DatabaseLock::beside(&url).unwrap();
        drop(first);
        let alone = DatabaseLock::alone(&url, "copy-database").await.unwrap();
        let refused = DatabaseLock::beside(&url).unwrap_err();
        assert!(refused.to_string().contains("copy-database"), "{refused}");
        drop(alone);
        DatabaseLock::beside(&url).unwrap();
        DatabaseLock::of_service(&url).await.unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_to_the_database_is_the_same_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        std::fs::write(&path, "").unwrap();
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let _first = DatabaseLock::of_service(&DatabaseUrl::sqlite_file(&path))
            .await
            .unwrap();
        let second = DatabaseLock::of_service(&DatabaseUrl::sqlite_file(&link)).await;
        assert!(matches!(second, Err(InUse::File { .. })), "{second:?}");
    }

    #[test]
    fn a_lock_file_without_words_names_nobody() {
        assert_eq!(holder(""), "another process");
        assert_eq!(holder("x serve"), "another process");
        assert_eq!(holder("12 rekey\n"), "the process 12, `sallyport rekey`");
    }
}
