//! The commands that back up, look at and move a whole database, and that replace a lost master key.

use crate::application::clock::SystemClock;
use crate::application::kept::master_key;
use crate::application::lost_key::LostKey;
use crate::cli::ending::Failed;
use crate::cli::restore::KeyFits;
use crate::cli::{backup, copy_database as copying, keys as key_commands, provision, restore};
use crate::database::{self, Database, DatabaseLock, DatabaseTls, DatabaseUrl};
use crate::settings::{MigrationSettings, Settings};
use crate::startup::commands::{settings, text};
use crate::startup::keys;
use std::path::Path;
use std::sync::Arc;

/// Copies a SQLite database. Gives the exit status.
pub(super) async fn back_up(arguments: backup::Arguments) -> Result<u8, Failed> {
    let url = MigrationSettings::parse(arguments.options)
        .map_err(text)?
        .database;
    let (file, mut out) = (arguments.file.as_path(), std::io::stdout());
    match &url {
        DatabaseUrl::Sqlite(path) => {
            let made = database::back_up(path, file).await.map_err(text)?;
            backup::print(&made, file, &mut out)?;
            Ok(crate::cli::ending::PASSED)
        }
        DatabaseUrl::Postgres(_) => {
            let connection = url.for_programs();
            backup::print_for_postgres(&connection, file, &mut out)?;
            Err(Failed::from(
                "nothing was backed up: PostgreSQL does it with pg_dump, as said above".to_owned(),
            ))
        }
    }
}

/// Looks at a copy. Gives the exit status.
pub(super) async fn check_copy(arguments: restore::Arguments) -> Result<u8, Failed> {
    let tls = tls(arguments.options.database_tls.as_deref())?;
    let url = match arguments.check.contains("://") {
        true => parse(&arguments.check, tls)?,
        false => DatabaseUrl::sqlite_file(Path::new(&arguments.check)),
    };
    let settings = Settings::parse(arguments.options).map_err(text)?;
    let vault = keys::vault_if_any(&settings).await.map_err(text)?;
    let found = database::inspect(&url).await.map_err(text)?;
    let key = match vault {
        None => KeyFits::NoKey,
        Some(vault) => match master_key::opens_all(&vault, &found.key_checks) {
            Some(true) => KeyFits::Yes,
            Some(false) => KeyFits::No,
            None => KeyFits::NothingSealed,
        },
    };
    Ok(restore::print(&found, key, &mut std::io::stdout())?)
}

/// Copies a whole database into another one.
pub(super) async fn copy_database(arguments: &copying::Arguments) -> Result<(), Failed> {
    let tls = tls(arguments.database_tls.as_deref())?;
    let (from, to) = (parse(&arguments.from, tls)?, parse(&arguments.to, tls)?);
    let copied = database::copy::copy_database(&from, &to)
        .await
        .map_err(text)?;
    copying::print(&copied, &mut std::io::stdout())?;
    Ok(())
}

/// Goes on with another master key.
pub(super) async fn replace_key(arguments: key_commands::ReplaceArguments) -> Result<(), Failed> {
    let settings = settings(arguments.options.clone())?;
    let url = &settings.database;
    // Whoever runs has the key that is said to be lost.
    let mut lock = DatabaseLock::alone(url, "keys replace")
        .await
        .map_err(text)?;
    let vault = keys::vault(&settings).await.map_err(text)?;
    lock.let_own_connections_in().await;
    let store = Arc::new(
        Database::connect_through(url, settings.database_pooler, settings.schema_changes)
            .await
            .map_err(text)?,
    );
    let work = LostKey {
        store: store.clone(),
        vault: Arc::new(vault),
        clock: Arc::new(SystemClock),
    };
    let mut out = std::io::stdout();
    let done = key_commands::replace(&arguments, &work, provision::ask, &mut out).await;
    store.close().await;
    done.map_err(text)?;
    Ok(())
}

fn tls(written: Option<&str>) -> Result<DatabaseTls, Failed> {
    match written.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(DatabaseTls::Verified),
        Some(text) => DatabaseTls::parse(text)
            .map_err(|why| Failed::usage(format!("SALLYPORT_DATABASE_TLS: {why}"))),
    }
}

fn parse(url: &str, tls: DatabaseTls) -> Result<DatabaseUrl, Failed> {
    DatabaseUrl::parse(url, tls).map_err(|invalid| Failed::usage(invalid.detail))
}
