//! The commands that work on the database beside a running service.

use crate::application::clock::SystemClock;
use crate::application::error::Error;
use crate::application::kept::master_key;
use crate::application::kept::rekey::Rekey;
use crate::application::people::audit_export::AuditExport;
use crate::application::people::operator_token::replace_operator_token;
use crate::cli::audit::{self, ExportArguments};
use crate::cli::{migrate, operator_token, rekey};
use crate::database::{Database, DatabaseLock};
use crate::logging;
use crate::settings::{MigrationSettings, Options, Settings};
use crate::startup::error::{StartError, with_cause};
use crate::startup::keys;
use crate::startup::token_file::{self, Tidied};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;

/// Longer than a change of a setup or a storage takes from reading to writing.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) async fn rekey(arguments: rekey::Arguments) -> Result<(), String> {
    let settings = settings(arguments.options)?;
    let vault = keys::vault_there(&settings).await.map_err(text)?;
    let store = Arc::new(open(&settings).await?);
    let is_right = master_key::is_right(store.as_ref(), &vault).await;
    if !is_right.map_err(|error| with_cause(&error))? {
        return Err(text(StartError::WrongMasterKey));
    }
    let work = Rekey {
        store: store.clone(),
        vault: Arc::new(vault),
        settle: SETTLE,
    };
    let done = rekey::run(&work, &mut std::io::stdout().lock()).await;
    store.close().await;
    done.map_err(text)
}

/// Brings the schema up to date, and says what was missing.
pub(super) async fn migrate(arguments: migrate::Arguments) -> Result<(), String> {
    let settings = MigrationSettings::parse(arguments.options).map_err(text)?;
    let _written_at_the_end = logging::init(&settings.log)?;
    let missing = Database::migrate(&settings.database).await.map_err(text)?;
    migrate::report(&missing, &mut std::io::stdout().lock()).map_err(text)
}

pub(super) async fn operator_token(arguments: operator_token::Arguments) -> Result<(), String> {
    let settings = settings(arguments.options)?;
    if settings.operator_token.is_some() {
        return Err("the operator's token comes from SALLYPORT_OPERATOR_TOKEN here: set a new one there, and restart the service".to_owned());
    }
    let store = open(&settings).await?;
    let token = replace_operator_token(&store).await;
    let tidied = match &token {
        Ok(_) => token_file::tidy(&store, &settings.data_dir, None).await,
        Err(_) => Ok(Tidied::Stays),
    };
    store.close().await;
    let token = token.map_err(|error: Error| with_cause(&error))?;
    println!("{}", token.expose_secret());
    // The token was replaced in any case, so none of this is an error.
    match tidied {
        Ok(Tidied::Stays | Tidied::Unused(_)) => {}
        Ok(Tidied::Removed(file)) => eprintln!(
            "`{}` was removed: the token in it was replaced.",
            file.display()
        ),
        Err(error) => eprintln!(
            "`{}` may hold the token that was replaced, and could not be removed: {error}",
            token_file::path(&settings.data_dir).display()
        ),
    }
    Ok(())
}

pub(super) async fn audit_export(arguments: ExportArguments) -> Result<(), String> {
    let settings = settings(arguments.options.clone())?;
    let store = Arc::new(open(&settings).await?);
    let log = AuditExport {
        store: store.clone(),
        clock: Arc::new(SystemClock),
    };
    let (mut out, mut report) = (std::io::stdout(), std::io::stderr());
    let done = audit::export(&arguments, &log, &mut out, &mut report).await;
    store.close().await;
    done.map_err(text)
}

pub(super) fn settings(options: Options) -> Result<Settings, String> {
    let settings = Settings::parse(options).map_err(text)?;
    logging::init(&settings.log)?;
    Ok(settings)
}

/// A database that is away is an error here: nobody waits for it. A service may use it too, and a command that must be
/// alone may not.
async fn open(settings: &Settings) -> Result<Database, String> {
    DatabaseLock::beside(&settings.database).map_err(text)?;
    Database::connect_through(
        &settings.database,
        settings.database_pooler,
        settings.schema_changes,
    )
    .await
    .map_err(text)
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
