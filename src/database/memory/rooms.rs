//! What is kept, and how much of it.

use crate::application::kept::store::{HeldToken, SecretHash};
use crate::database::memory::stamps::{Scope, Stamp};
use crate::domain::connection::Credentials;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{StorageId, WorkspaceId};
use crate::domain::origin::OriginPattern;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::reach::Bounds;
use crate::domain::people::sign_in::{ReturnUrl, Session};
use crate::domain::people::standing::{Standing, SuspensionReason};
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};
use crate::domain::storage::Storage;
use moka::sync::Cache;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// After this a row is read again, whatever was seen of it: `last_used_at` is not watched, and neither is what
/// somebody changes while the database's triggers are off.
const READ_AGAIN: Duration = Duration::from_secs(5 * 60);
const MIB: u64 = 1 << 20;

/// A value, and the number of its scope from before it was read.
pub struct Kept<T> {
    pub stamp: Stamp,
    pub value: T,
}

/// The values of one kind.
pub type Room<K, T> = Cache<K, Arc<Kept<T>>>;

/// Every kind. Together they take 64 MiB at most, counted about.
pub struct Rooms {
    pub tokens: Room<SecretHash, HeldToken>,
    pub keys: Room<SecretHash, ProductKey>,
    pub sessions: Room<SecretHash, Session>,
    pub workspaces: Room<WorkspaceId, Workspace>,
    pub by_external_id: Room<WorkspaceExternalId, Workspace>,
    pub storages: Room<StorageId, Storage>,
    pub origins: Room<WorkspaceId, Vec<OriginPattern>>,
    pub remembered: Room<String, Vec<(String, Vec<u8>)>>,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            tokens: room(16 * MIB),
            keys: room(MIB),
            sessions: room(6 * MIB),
            workspaces: room(8 * MIB),
            by_external_id: room(6 * MIB),
            storages: room(24 * MIB),
            origins: room(2 * MIB),
            remembered: room(MIB),
        }
    }
}

fn room<K, T>(bytes: u64) -> Room<K, T>
where
    K: Hash + Eq + Send + Sync + 'static,
    T: Weight + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_: &K, kept: &Arc<Kept<T>>| {
            u32::try_from(kept.value.weight()).unwrap_or(u32::MAX)
        })
        .time_to_live(READ_AGAIN)
        .build()
}

/// What says itself whose it is.
pub trait Scoped {
    fn scope(&self) -> Scope<'_>;
}

impl Scoped for HeldToken {
    fn scope(&self) -> Scope<'_> {
        Scope::Workspace(&self.token.workspace)
    }
}

impl Scoped for ProductKey {
    fn scope(&self) -> Scope<'_> {
        Scope::Product
    }
}

impl Scoped for Session {
    fn scope(&self) -> Scope<'_> {
        Scope::Workspace(&self.workspace)
    }
}

impl Scoped for Workspace {
    fn scope(&self) -> Scope<'_> {
        Scope::Workspace(&self.id)
    }
}

/// What a value takes in memory, with its key and its place in the room.
trait Weight {
    /// In bytes, about: what is always there, and the texts that may be long.
    fn weight(&self) -> usize;
}

impl Weight for HeldToken {
    fn weight(&self) -> usize {
        let Bounds {
            storages,
            folders,
            write_folders,
        } = &self.token.bounds;
        let of_folders = |folders: &Option<Vec<Folder>>| {
            let folders = folders.iter().flatten();
            folders.map(|f| f.to_string().len() + 48).sum::<usize>()
        };
        let storages = storages.iter().flatten().count() * 64;
        900 + storages + of_folders(folders) + of_folders(write_folders) + reason_of(&self.standing)
    }
}

fn reason_of(standing: &Standing) -> usize {
    let suspension = standing.suspension.as_ref();
    let reason = suspension.and_then(|suspension| suspension.reason.as_ref());
    reason.map(SuspensionReason::as_str).map_or(0, str::len)
}

impl Weight for ProductKey {
    fn weight(&self) -> usize {
        900
    }
}

impl Weight for Session {
    fn weight(&self) -> usize {
        let of_url = |url: &Option<ReturnUrl>| url.as_ref().map_or(0, |u| u.as_str().len());
        1_100 + of_url(&self.way_back.return_url) + of_url(&self.way_back.refresh_url)
    }
}

impl Weight for Workspace {
    fn weight(&self) -> usize {
        let pairs = self.metadata.pairs().iter();
        let metadata = pairs.map(|(name, value)| name.len() + value.len() + 96);
        1_600 + metadata.sum::<usize>() + reason_of(&self.standing)
    }
}

impl Weight for Storage {
    fn weight(&self) -> usize {
        let secret = match &self.connection.credentials {
            Credentials::AccessKey { secret, .. } => secret.0.len(),
            Credentials::Role { .. } | Credentials::Service => 0,
        };
        2_400 + secret + self.connection.settings.prefix.as_str().len()
    }
}

impl Weight for Vec<OriginPattern> {
    fn weight(&self) -> usize {
        let origins = self.iter().map(|origin| origin.as_str().len() + 40);
        400 + origins.sum::<usize>()
    }
}

impl Weight for Vec<(String, Vec<u8>)> {
    fn weight(&self) -> usize {
        let pairs = self
            .iter()
            .map(|(name, value)| name.len() + value.len() + 64);
        400 + pairs.sum::<usize>()
    }
}
