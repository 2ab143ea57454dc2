//! Whether this process has the keys that the database was written with.
//!
//! The database holds a known value, sealed with each key that something may be sealed with. A process that
//! cannot open one of them would fail on some record later, so it does not start.

use crate::application::error::Result;
use crate::application::kept::store::Store;
use crate::application::kept::vault::{Purpose, Vault};

/// The first known value, and what the names of the others begin with.
pub const KEY_CHECK: &str = "master_key_check";
const PLACE: &[u8] = b"master_key_check";
const KNOWN: &[u8] = b"sallyport";

/// True when this process opens what every key of the database sealed. A database that had no key yet has
/// this one from now on; and the present key counts as one of the database's.
pub async fn is_right(store: &dyn Store, vault: &Vault) -> Result<bool> {
    let kept = store.remembered(KEY_CHECK).await?;
    if kept.is_empty() {
        // One winner among replicas that start on an empty database.
        let winner = store.remember(KEY_CHECK, &known(vault)?).await?;
        if !opens(vault, &winner) {
            return Ok(false);
        }
    } else if !kept.iter().all(|(_, sealed)| opens(vault, sealed)) {
        return Ok(false);
    }
    announce(store, vault).await?;
    Ok(true)
}

/// Whether something may be sealed in the database already, with whatever key.
pub async fn has_one(store: &dyn Store) -> Result<bool> {
    Ok(!store.remembered(KEY_CHECK).await?.is_empty())
}

/// Whether this process opens each of these known values. `None`: there is none, so nothing is sealed with any key yet.
pub fn opens_all(vault: &Vault, known: &[Vec<u8>]) -> Option<bool> {
    match known {
        [] => None,
        known => Some(known.iter().all(|sealed| opens(vault, sealed))),
    }
}

/// The same of a database, without a word to it.
pub async fn opens_database(store: &dyn Store, vault: &Vault) -> Result<Option<bool>> {
    let kept = store.remembered(KEY_CHECK).await?;
    let known: Vec<Vec<u8>> = kept.into_iter().map(|(_, sealed)| sealed).collect();
    Ok(opens_all(vault, &known))
}

/// Records that things are sealed with the present key. Running services repeat it, so a key that one of
/// them still uses is not forgotten.
async fn announce(store: &dyn Store, vault: &Vault) -> Result<()> {
    store.remember(&name_of(vault), &known(vault)?).await?;
    Ok(())
}

/// Forgets every key but the present one: nothing is sealed with another.
pub async fn forget_previous(store: &dyn Store, vault: &Vault) -> Result<()> {
    announce(store, vault).await?;
    store.replace_remembered(KEY_CHECK, &known(vault)?).await?;
    let own = name_of(vault);
    for (name, _) in store.remembered(KEY_CHECK).await? {
        if name != KEY_CHECK && name != own {
            store.forget_remembered(&name).await?;
        }
    }
    Ok(())
}

fn name_of(vault: &Vault) -> String {
    format!("{KEY_CHECK}/{}", vault.key_id())
}

fn known(vault: &Vault) -> Result<Vec<u8>> {
    vault.seal(Purpose::KeyCheck, PLACE, KNOWN)
}

fn opens(vault: &Vault, sealed: &[u8]) -> bool {
    vault
        .open(Purpose::KeyCheck, PLACE, sealed)
        .is_ok_and(|plain| plain == KNOWN)
}
