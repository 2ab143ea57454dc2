//! Whether this process has the master key that the database was written with.

use crate::application::error::{Error, Result};
use crate::application::kept::store::Store;
use crate::application::kept::vault::{Purpose, Vault};

const NAME: &str = "master_key_check";
const PLACE: &[u8] = b"master_key_check";
const KNOWN: &[u8] = b"sallyport";

/// True when the key is the database's own, or the database had none yet and this one is its key from
/// now on.
pub async fn is_right(store: &dyn Store, vault: &Vault) -> Result<bool> {
    let sealed = vault.seal(Purpose::KeyCheck, PLACE, KNOWN)?;
    let kept = store.remember(NAME, &sealed).await.map_err(Error::from)?;
    Ok(vault
        .open(Purpose::KeyCheck, PLACE, &kept)
        .is_ok_and(|plain| plain == KNOWN))
}
