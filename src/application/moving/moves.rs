//! What exports and imports have in common: the keys, the places, and who the service is.

use crate::application::clock::Clock;
use crate::application::connections::principal::PrincipalSource;
use crate::application::error::Result;
use crate::application::kept::store::Store;
use crate::application::kept::vault::{MasterKey, Vault};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::people::export_key::ExportKey;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// How many workspaces one replica exports at the same time. Each holds a connection to the database.
const EXPORTS_AT_ONCE: usize = 2;
/// How many it imports. Each is a transaction that takes as long as there are rows, and holds two lines in memory.
const IMPORTS_AT_ONCE: usize = 1;
/// The largest file, in bytes. A million files of projects take some hundred MiB.
pub const MOST_BYTES: u64 = 16 << 30;

/// The key that this service shares with another one, if it has one. It may be exchanged while the service runs.
#[derive(Default)]
pub struct TransferKey(RwLock<Option<Arc<Vault>>>);

impl TransferKey {
    /// Puts this key in the place of the one of before.
    pub fn replace(&self, key: Option<&MasterKey>) -> Result<()> {
        let vault = key.map(Vault::new).transpose()?.map(Arc::new);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = vault;
        Ok(())
    }

    fn get(&self) -> Option<Arc<Vault>> {
        let vault = self.0.read().unwrap_or_else(PoisonError::into_inner);
        vault.clone()
    }
}

/// Exports and imports workspaces.
pub struct Moves {
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<dyn Clock>,
    transfer_key: Arc<TransferKey>,
    principal: Arc<PrincipalSource>,
    /// The bucket of the built-in storage.
    built_in: Option<BucketName>,
    pub(super) exports: Arc<Semaphore>,
    pub(super) imports: Arc<Semaphore>,
}

impl Moves {
    pub fn new(
        (store, vault): (&Arc<dyn Store>, &Arc<Vault>),
        clock: &Arc<dyn Clock>,
        transfer_key: Arc<TransferKey>,
        principal: Arc<PrincipalSource>,
        built_in: Option<BucketName>,
    ) -> Self {
        Self {
            store: store.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            transfer_key,
            principal,
            built_in,
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE)),
            imports: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
        }
    }

    /// What files of this kind are sealed with. `None`: there is no such key.
    pub(super) fn seals(&self, key: ExportKey) -> Option<Arc<Vault>> {
        match key {
            ExportKey::MasterKey => Some(self.vault.clone()),
            ExportKey::TransferKey => self.transfer_key.get(),
        }
    }

    /// What the customers' trust policies name, where the service knows it.
    pub(super) async fn principal(&self) -> Option<String> {
        let known = self.principal.known().await;
        known.map(|principal| principal.arn().to_owned())
    }

    pub(super) fn built_in_bucket(&self) -> Option<String> {
        self.built_in.as_ref().map(ToString::to_string)
    }
}
