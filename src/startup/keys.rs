//! The master keys: given, read from a file, or made on the first start.

use crate::application::kept::master_key as known_key;
use crate::application::kept::store::Store;
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::moving::moves::TransferKey;
use crate::settings::{MasterKeySource, Settings};
use crate::startup::error::{StartError, with_cause};
use crate::startup::private_file;
use secrecy::ExposeSecret;
use std::path::Path;

/// Seals with the settings' master key, and opens with the previous ones too.
pub(super) async fn vault(settings: &Settings) -> Result<Vault, StartError> {
    let present = master_key(&settings.master_key).await?;
    let previous: Result<Vec<_>, _> = settings
        .master_key_previous
        .iter()
        .map(|text| MasterKey::parse(text.expose_secret()))
        .collect();
    let previous = previous.map_err(StartError::Other)?;
    Vault::with_previous(&present, &previous).map_err(|error| StartError::Other(with_cause(&error)))
}

/// The same, where there is a key: none is made.
pub(super) async fn vault_if_any(settings: &Settings) -> Result<Option<Vault>, StartError> {
    if let MasterKeySource::Made(path) = &settings.master_key
        && !tokio::fs::try_exists(path).await.unwrap_or(false)
    {
        return Ok(None);
    }
    vault(settings).await.map(Some)
}

/// The same, where the key must be there.
pub(super) async fn vault_there(settings: &Settings) -> Result<Vault, StartError> {
    let vault = vault_if_any(settings).await?;
    vault.ok_or_else(|| {
        StartError::Other(
            "the file of the master key is not there: put it back, or name another one with SALLYPORT_MASTER_KEY_FILE. Nothing was changed"
                .to_owned(),
        )
    })
}

/// The same with a key that is made now. A database that knows a key has lost it, and gets no other one.
pub(super) async fn first_vault(
    settings: &Settings,
    store: &dyn Store,
) -> Result<Vault, StartError> {
    let is_lost = known_key::has_one(store).await;
    match is_lost.map_err(|error| StartError::Database(with_cause(&error)))? {
        true => Err(StartError::WrongMasterKey),
        false => vault(settings).await,
    }
}

/// The key that the service shares with another one, if the settings have one.
pub(super) fn transfer_key(settings: &Settings) -> Result<TransferKey, StartError> {
    let shared = TransferKey::default();
    replace_transfer_key(settings, &shared)?;
    Ok(shared)
}

/// Puts the settings' transfer key in the place of the one of before.
pub(super) fn replace_transfer_key(
    settings: &Settings,
    shared: &TransferKey,
) -> Result<(), StartError> {
    let given = settings.transfer_key.as_ref();
    let key = given.map(|text| MasterKey::parse(text.expose_secret()));
    let key = key.transpose().map_err(StartError::Other)?;
    shared
        .replace(key.as_ref())
        .map_err(|error| StartError::Other(with_cause(&error)))
}

async fn master_key(source: &MasterKeySource) -> Result<MasterKey, StartError> {
    match source {
        MasterKeySource::Given(_) => {
            let text = source.given().unwrap_or_default();
            MasterKey::parse(text).map_err(StartError::Other)
        }
        MasterKeySource::File(path) => read_key(path).await,
        MasterKeySource::Made(path) => {
            make_key(path).await?;
            read_key(path).await
        }
    }
}

async fn read_key(path: &Path) -> Result<MasterKey, StartError> {
    let refuse = |why: String| StartError::MasterKeyFile {
        path: path.display().to_string(),
        why,
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| refuse(error.to_string()))?;
    MasterKey::parse(&text).map_err(refuse)
}

/// Makes the key file, unless there is one. It appears whole or not at all: a half-written key after a
/// crash would be a wrong one.
async fn make_key(path: &Path) -> Result<(), StartError> {
    let refuse = |why: String| StartError::MasterKeyFile {
        path: path.display().to_string(),
        why,
    };
    if tokio::fs::try_exists(path).await.unwrap_or(false) {
        return Ok(());
    }
    let (_, text) = MasterKey::generate().map_err(|error| refuse(with_cause(&error)))?;
    let target = path.to_owned();
    tokio::task::spawn_blocking(move || private_file::make(&target, &text))
        .await
        .map_err(|error| refuse(error.to_string()))?
        .map_err(|error| refuse(error.to_string()))
}
