//! Where the service listens, and where its database and master key are: what cannot be stops the start before anything
//! is made, and what an operator may not have meant is said.

use crate::database::{DatabaseLock, DatabaseUrl};
use crate::settings::{MasterKeySource, Settings};
use crate::startup::error::StartError;
use crate::startup::listening::Taken;
use std::path::Path;

/// Takes the addresses that the service listens on, the one for readiness and metrics as the second.
pub(super) async fn take(settings: &Settings) -> Result<(Taken, Option<Taken>), StartError> {
    let taken = both(settings);
    // Where a service has the database too, that is the better reason, and it names the process.
    if taken.is_err()
        && let DatabaseUrl::Sqlite(path) = &settings.database
        && path.exists()
    {
        DatabaseLock::of_service(&settings.database).await?;
    }
    taken
}

fn both(settings: &Settings) -> Result<(Taken, Option<Taken>), StartError> {
    let own = Taken::take(settings.listen, settings)?;
    let management = settings.management_listen;
    let management = management.map(|address| Taken::take(address, settings));
    Ok((own, management.transpose()?))
}

/// Warns of a key that is lost, or stolen, together with the database, and of a database that is unexpectedly new.
pub(super) fn warn(settings: &Settings) {
    let DatabaseUrl::Sqlite(database) = &settings.database else {
        return;
    };
    // `sallyport dev` keeps nothing of worth.
    if settings.dev_helper.is_some() {
        return;
    }
    if let Some(key) = key_file(&settings.master_key)
        && is_same_folder(key, database)
    {
        tracing::warn!(
            key = %key.display(),
            database = %database.display(),
            "the master key and the database are in one folder: whoever copies it has both, and a lost disk loses both. Keep the key elsewhere, with SALLYPORT_MASTER_KEY_FILE, and a copy of it apart from the backups"
        );
    }
    if settings.has_public_url && !database.exists() {
        tracing::warn!(
            database = %database.display(),
            public_url = %settings.public_url,
            "SALLYPORT_PUBLIC_URL is set, and the database is new: a service that was here before has its data in another folder. Look at SALLYPORT_DATA_DIR and SALLYPORT_DATABASE_URL"
        );
    }
}

fn key_file(source: &MasterKeySource) -> Option<&Path> {
    match source {
        MasterKeySource::Given(_) => None,
        MasterKeySource::File(path) | MasterKeySource::Made(path) => Some(path),
    }
}

fn is_same_folder(key: &Path, database: &Path) -> bool {
    match (key.parent(), database.parent()) {
        (Some(one), Some(other)) => {
            one == other
                || match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
                    (Ok(one), Ok(other)) => one == other,
                    (Err(_), Ok(_) | Err(_)) | (Ok(_), Err(_)) => false,
                }
        }
        (None, Some(_) | None) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_has_several_names() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        std::fs::create_dir(&below).unwrap();
        let database = folder.path().join("x.db");
        let is_same = |key: &Path| is_same_folder(key, &database);
        assert!(is_same(&folder.path().join("key")));
        assert!(is_same(&below.join("../key")));
        assert!(!is_same(&below.join("key")));
        assert!(!is_same(Path::new("/nowhere/key")));
    }
}
