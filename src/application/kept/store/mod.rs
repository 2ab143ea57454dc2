//! What the use cases need from a database.
//!
//! Two engines implement these traits, and one set of contract tests runs on both. Promises that hold
//! for every method:
//! - a method that takes a workspace sees and changes only that workspace's rows; another workspace's
//!   ID behaves as an absent one;
//! - a method either has all of its effect or none, also when the process is killed in it;
//! - an error means that there was no effect, but for [`StoreError::OutcomeUnknown`];
//! - a method that takes a [`KeptAnswer`] stores it with its effect in one transaction, and fails with
//!   [`StoreError::KeyLost`] and without any effect where the key is not held any more;
//! - rows are parsed back into domain types; one that does not parse is [`StoreError::Damaged`], never
//!   a default.
//!
//! Times are kept in whole microseconds. Lists are ordered by ID, which is the order of creation.

mod audit;
mod checks;
mod error;
mod events;
mod idempotency;
mod jobs;
mod moving;
mod origins;
mod pending;
mod people;
mod product_keys;
mod projects;
mod retention;
mod role_waits;
mod sealed;
mod setups;
mod storages;
mod usage;
mod values;

pub use audit::{AuditFilter, AuditStore, FILES_IN_LISTS};
pub use checks::{CheckStore, CheckTarget, Recorded};
pub use error::{StoreError, StoreResult, is_of_database, is_outcome_unknown};
pub use events::{
    ClaimedDelivery, DeliveryClaim, EventFilter, EventStore, SecretRotation, SettledAttempt,
    WebhookStore,
};
pub use idempotency::{HeldKey, Idempotency, IdempotencyStore, KeptAnswer, KeyClaim};
pub use jobs::{ClaimedJob, IMPORT, JobClaim, JobRest, JobStore, NewJob, SCHEDULED_CHECK};
pub use moving::{
    Cell, MovedRows, MovingStore, NotWritten, WorkspaceReader, WorkspaceWriter, sealed_place,
};
pub use origins::OriginStore;
pub use pending::{PendingCheck, PendingEdit, PendingStore, SeenStorage, StorageChange};
pub use people::{
    ErasedWorkspace, HeldToken, SignInStore, UsedToken, WorkspaceContents, WorkspaceStore,
};
pub use product_keys::ProductKeyStore;
pub use projects::{ImportStep, ProjectFilter, ProjectStore, ProjectsOfFiles, ProjectsOfStorage};
pub use retention::{Expired, OldCheck, RetentionStore};
pub use role_waits::{RoleWaitStore, TryPace, TryResult};
pub use sealed::{GivenUp, LostKeyStore, SealedColumn, SealedStore, SealedValue};
pub use setups::{Completion, SetupStore};
pub use storages::{FIRST_CHECK_AFTER, FoundStorage, StorageDeletion, StorageSearch, StorageStore};
pub use usage::UsageStore;
pub use values::{SecretHash, Window};

use async_trait::async_trait;

/// The whole database.
#[async_trait]
pub trait Store:
    WorkspaceStore
    + SetupStore
    + StorageStore
    + PendingStore
    + CheckStore
    + ProjectStore
    + JobStore
    + AuditStore
    + IdempotencyStore
    + SignInStore
    + SealedStore
    + LostKeyStore
    + RetentionStore
    + RoleWaitStore
    + OriginStore
    + ProductKeyStore
    + EventStore
    + WebhookStore
    + UsageStore
    + MovingStore
{
    /// Whether it answers.
    async fn ping(&self) -> StoreResult<()>;
    /// The value stored under `name`, after storing `value` there if nothing was. One winner, also
    /// among replicas that start at the same time.
    async fn remember(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>>;
    /// What is stored under `name`, and under names that begin with it and a slash.
    async fn remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>>;
    /// The same as this process knows it: what another process has changed within the last second may be missing.
    async fn known_remembered(&self, name: &str) -> StoreResult<Vec<(String, Vec<u8>)>>;
    /// Stores `value` under `name`, whatever was there.
    async fn replace_remembered(&self, name: &str, value: &[u8]) -> StoreResult<()>;
    async fn forget_remembered(&self, name: &str) -> StoreResult<()>;
}
