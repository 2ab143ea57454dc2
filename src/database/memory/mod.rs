//! What requests ask for again and again, kept in memory: tokens, product keys, sessions, workspaces, storages and
//! allowed origins.
//!
//! A value counts only while the number of its scope is the one from before it was read, so a value that is read
//! while it is changed is never kept as the new one; and only while the changes of all processes were read within
//! the last second ([`lease`]). Whoever makes a change in this process heeds it before it is acknowledged
//! ([`watch`]). What is not there is never kept.
//!
//! Nothing here asks the database: the statements are in `changes` and in the file of each aggregate.

mod lease;
mod position;
mod rooms;
mod stamps;
pub mod watch;

pub use position::{MOST_CHANGES, Reading, Seen};
pub use stamps::Scope;

use crate::application::kept::store::StoreResult;
use lease::Lease;
use position::Position;
use rooms::{Kept, Room, Rooms, Scoped};
use stamps::{Stamp, Stamps};
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Changes are kept in the database for an hour. After half of it without any reading nothing is trusted.
const LOST_AFTER: Duration = Duration::from_secs(30 * 60);

/// The memory of one process. Clones are the same one.
#[derive(Clone, Default)]
pub struct Memory(Arc<Inner>);

#[derive(Default)]
struct Inner {
    rooms: Rooms,
    stamps: Stamps,
    lease: Lease,
    position: Position,
    /// Whether anybody reads the changes, or has. Before that nothing is kept.
    is_fed: AtomicBool,
    found: AtomicU64,
    not_found: AtomicU64,
    taken: AtomicU64,
}

/// What the memory counts, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryCounts {
    /// How often a row was needed and in memory.
    pub found: u64,
    /// How often it was needed and the database was asked.
    pub not_found: u64,
    /// How often a connection to the database was taken, or a transaction begun.
    pub taken: u64,
    /// How long ago the last reading of the changes began that succeeded.
    pub age: Duration,
}

impl Memory {
    pub fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    /// What is kept under this key, while it may be used.
    pub fn get<K, T>(&self, room: &Room<K, T>, key: &K) -> Option<T>
    where
        K: Hash + Eq + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
    {
        let kept = match self.0.lease.holds() {
            true => room.get(key),
            false => None,
        };
        let current = kept.filter(|kept| self.0.stamps.is_current(kept.stamp));
        let counter = match current {
            Some(_) => &self.0.found,
            None => &self.0.not_found,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        current.map(|kept| kept.value.clone())
    }

    /// What is kept under this key, or else what is read. Whose it is is known before.
    pub async fn of<K, T, F>(
        &self,
        room: &Room<K, T>,
        key: &K,
        scope: Scope<'_>,
        read: impl FnOnce() -> F,
    ) -> StoreResult<Option<T>>
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
        F: Future<Output = StoreResult<Option<T>>>,
    {
        if let Some(known) = self.get(room, key) {
            return Ok(Some(known));
        }
        let stamp = self.0.stamps.of(scope);
        let read = read().await?;
        if let Some(value) = &read {
            self.keep(room, key, stamp, value);
        }
        Ok(read)
    }

    /// The same where only the value says whose it is.
    pub async fn found<K, T, F>(
        &self,
        room: &Room<K, T>,
        key: &K,
        read: impl FnOnce() -> F,
    ) -> StoreResult<Option<T>>
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
        T: Scoped + Clone + Send + Sync + 'static,
        F: Future<Output = StoreResult<Option<T>>>,
    {
        if let Some(known) = self.get(room, key) {
            return Ok(Some(known));
        }
        let epoch = self.0.stamps.epoch();
        let read = read().await?;
        if let Some(value) = &read {
            self.keep_found(room, key, epoch, value);
        }
        Ok(read)
    }

    /// The same for several keys. `read` is given those that are not kept, and is not asked where all are.
    pub async fn found_together<K, T, F>(
        &self,
        room: &Room<K, T>,
        keys: &[K],
        read: impl FnOnce(Vec<K>) -> F,
    ) -> StoreResult<HashMap<K, T>>
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
        T: Scoped + Clone + Send + Sync + 'static,
        F: Future<Output = StoreResult<HashMap<K, T>>>,
    {
        let (mut all, mut unknown) = (HashMap::new(), Vec::new());
        for key in keys {
            match self.get(room, key) {
                Some(known) => {
                    all.insert(key.clone(), known);
                }
                None => unknown.push(key.clone()),
            }
        }
        if unknown.is_empty() {
            return Ok(all);
        }
        let epoch = self.0.stamps.epoch();
        for (key, value) in read(unknown).await? {
            self.keep_found(room, &key, epoch, &value);
            all.insert(key, value);
        }
        Ok(all)
    }

    /// Keeps a value whose scope was not known before it was read, unless anything has changed since `epoch`.
    fn keep_found<K, T>(&self, room: &Room<K, T>, key: &K, epoch: u64, value: &T)
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
        T: Scoped + Clone + Send + Sync + 'static,
    {
        // The stamp first: the epoch is changed before it.
        let stamp = self.0.stamps.of(value.scope());
        if self.0.stamps.epoch() == epoch {
            self.keep(room, key, stamp, value);
        }
    }

    fn keep<K, T>(&self, room: &Room<K, T>, key: &K, stamp: Stamp, value: &T)
    where
        K: Clone + Hash + Eq + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
    {
        if self.is_fed() {
            let value = value.clone();
            room.insert(key.clone(), Arc::new(Kept { stamp, value }));
        }
    }

    /// From now on somebody reads the changes, and changes of this process are heeded.
    pub fn begin_feed(&self) {
        self.0.is_fed.store(true, Ordering::SeqCst);
    }

    pub fn is_fed(&self) -> bool {
        self.0.is_fed.load(Ordering::SeqCst)
    }

    /// From where on the changes are to be read. `None`: only what is to be seen now is of interest.
    pub fn reached(&self) -> Option<Seen> {
        self.0.position.reached()
    }

    /// Heeds what was read from there on.
    pub fn heed(&self, from: Option<&Seen>, reading: Reading) {
        self.0.position.heed(from, reading, &self.0.stamps);
    }

    /// A change of this scope was announced.
    pub fn heed_scope(&self, scope: &str) {
        self.0.stamps.bump(scope);
    }

    /// Everything is read again.
    pub fn forget_all(&self) {
        self.0.stamps.bump_all();
    }

    /// A reading of the feed's begins. After a long time without any, changes may be gone that it does not find.
    pub fn begin_reading(&self) {
        if self.0.lease.without_reading() > LOST_AFTER {
            self.0.position.start_over();
        }
    }

    /// A reading of the feed's that began then has succeeded: for a second from then on, what is kept may be used.
    pub fn end_reading(&self, begun: Instant) {
        self.0.lease.give(begun);
    }

    /// A connection to the database is taken.
    pub fn note_taken(&self) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub fn counts(&self) -> MemoryCounts {
        MemoryCounts {
            found: self.0.found.load(Ordering::Relaxed),
            not_found: self.0.not_found.load(Ordering::Relaxed),
            taken: self.0.taken.load(Ordering::Relaxed),
            age: self.0.lease.age(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::store::{SecretHash, StoreError};
    use crate::domain::ids::{KeyId, WorkspaceId};
    use crate::domain::names::Name;
    use crate::domain::origin::OriginPattern;
    use crate::domain::people::product_key::ProductKey;
    use crate::domain::people::scope::{Scope as RouteScope, Scopes};
    use time::OffsetDateTime;

    fn fed() -> Memory {
        let memory = Memory::default();
        memory.begin_feed();
        let seen = Seen {
            server: 0,
            next: 1,
            running: String::new(),
        };
        let begin = Reading {
            seen,
            scopes: Vec::new(),
        };
        memory.heed(None, begin);
        memory.end_reading(Instant::now());
        memory
    }

    fn origins(text: &str) -> Vec<OriginPattern> {
        vec![OriginPattern::parse(text).unwrap()]
    }

    #[tokio::test]
    async fn a_value_is_kept_until_its_scope_changes() {
        let (memory, mine) = (fed(), WorkspaceId::generate());
        let room = &memory.rooms().origins;
        let old = origins("https://a.example.com");
        let scope = Scope::Workspace(&mine);
        let read = || async { Ok(Some(old.clone())) };
        assert_eq!(
            memory.of(room, &mine, scope, read).await,
            Ok(Some(old.clone()))
        );
        assert_eq!(memory.get(room, &mine), Some(old.clone()));
        memory.heed_scope(WorkspaceId::generate().as_str());
        memory.heed_scope(mine.as_str());
        assert_eq!(memory.get(room, &mine), None);
        let counts = memory.counts();
        assert_eq!((counts.found, counts.not_found), (1, 2));
    }

    fn key() -> ProductKey {
        ProductKey {
            id: KeyId::generate(),
            name: Name::parse("web tier").unwrap(),
            scopes: Scopes::new([RouteScope::LinksCreate]).unwrap(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            expires_at: None,
            last_used_at: None,
        }
    }

    #[tokio::test]
    async fn what_is_read_while_it_changes_is_not_kept() {
        let (memory, hash, old) = (fed(), [7; 32], key());
        let room = &memory.rooms().keys;
        let changing = || async {
            memory.heed_scope("product");
            Ok(Some(old.clone()))
        };
        let known_before = memory.of(room, &hash, Scope::Product, changing).await;
        assert_eq!(known_before, Ok(Some(old.clone())));
        assert_eq!(memory.get(room, &hash), None);
        let found = memory.found(room, &hash, changing).await;
        assert_eq!(found, Ok(Some(old.clone())));
        assert_eq!(memory.get(room, &hash), None);
        let together = |hashes: Vec<SecretHash>| async {
            memory.heed_scope("product");
            let found = hashes.into_iter().map(|hash| (hash, old.clone()));
            Ok(found.collect::<HashMap<_, _>>())
        };
        let found = memory.found_together(room, &[hash], together).await;
        assert_eq!(found.unwrap().len(), 1);
        assert_eq!(memory.get(room, &hash), None);
    }

    #[tokio::test]
    async fn several_are_asked_for_where_they_are_not_known() {
        let memory = fed();
        let room = &memory.rooms().keys;
        let known = memory.found(room, &[1; 32], || async { Ok(Some(key())) });
        let known = known.await.unwrap().unwrap();
        let read = |hashes: Vec<SecretHash>| async move {
            assert_eq!(hashes, [[2; 32], [3; 32]]);
            Ok(HashMap::from([([2; 32], key())]))
        };
        let keys = [[1; 32], [2; 32], [3; 32]];
        let found = memory.found_together(room, &keys, read).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[&[1; 32]], known);
        let unasked = |_: Vec<SecretHash>| async { Err(StoreError::Failed("asked".to_owned())) };
        let found = memory.found_together(room, &keys[..2], unasked).await;
        assert_eq!(found.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn nothing_is_kept_that_is_absent_or_before_anybody_reads_the_changes() {
        let mine = WorkspaceId::generate();
        let scope = Scope::Workspace(&mine);
        let memory = fed();
        let room = &memory.rooms().origins;
        let absent = memory.of(room, &mine, scope, || async { Ok(None) }).await;
        assert_eq!(absent, Ok(None));
        let away = || async { Err(StoreError::Unavailable("away".to_owned())) };
        assert!(memory.of(room, &mine, scope, away).await.is_err());
        assert_eq!(memory.get(room, &mine), None);

        let alone = Memory::default();
        let room = &alone.rooms().origins;
        let some = || async { Ok(Some(origins("https://a.example.com"))) };
        alone.of(room, &mine, scope, some).await.unwrap();
        assert_eq!(alone.get(room, &mine), None);
        alone.end_reading(Instant::now());
        assert_eq!(alone.get(room, &mine), None);
    }
}
