//! What is not kept without end, and the leases of those who remove it.

use crate::application::kept::store::error::StoreResult;
use crate::domain::check::Outcome;
use crate::domain::ids::AuditId;
use crate::domain::people::audit::AuditEntry;
use async_trait::async_trait;
use time::OffsetDateTime;

/// What is removed when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// The sealed secrets of open setups that ended before.
    SetupSecrets,
    /// Setups that ended before and that no storage came from, with their checks and links. Their external
    /// IDs stay recorded as used.
    Setups,
    /// Open setups without any input whose dialog was last open before. Setups of the API have no dialog.
    LeftDialogs,
    SignInLinks,
    Sessions,
    InstructionLinks,
    /// Idempotency keys that were first used before, with their answers.
    IdempotencyKeys,
    /// Entries of the audit log from before that have been exported.
    AuditEntries,
    /// Events from before, with what became of their deliveries.
    Events,
    /// What was used on days before.
    Usage,
    /// Notes of changes from before, which every process has read long since.
    Changes,
    /// Parts of imports that were begun before and left.
    LeftParts,
}

/// A check that is old enough to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldCheck {
    pub id: String,
    pub outcome: Outcome,
}

#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// Takes or renews a lease of this name until `until`. False while another holds it, whose lease has
    /// not ended before `now`.
    async fn hold_lease(
        &self,
        name: &str,
        holder: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> StoreResult<bool>;
    async fn release_lease(&self, name: &str, holder: &str) -> StoreResult<()>;

    /// Removes at most `limit` of what expired before `before`. Returns how many were removed.
    async fn remove_expired(
        &self,
        what: Expired,
        before: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<u64>;

    /// The IDs of storages of every workspace, those after `after`.
    async fn storages_after(&self, after: &str, limit: u32) -> StoreResult<Vec<String>>;
    /// The storage's checks from before `before`, oldest first, those after `after`; the newest `newest` of
    /// all its checks are left out.
    async fn old_checks(
        &self,
        storage: &str,
        before: OffsetDateTime,
        newest: u32,
        after: &str,
        limit: u32,
    ) -> StoreResult<Vec<OldCheck>>;
    /// Removes checks, but none that is the last one of a setup or a storage, that a storage's quarantine is
    /// from, or that tells what changed in its health. Returns how many were removed.
    async fn remove_checks(&self, ids: &[String]) -> StoreResult<u64>;

    /// Entries of the audit log from before `before`, oldest first, those after `after`.
    async fn audit_before(
        &self,
        before: OffsetDateTime,
        after: Option<&AuditId>,
        limit: u32,
    ) -> StoreResult<Vec<AuditEntry>>;
    /// Records that every entry from before `before` has been exported. Only such entries can be removed.
    async fn record_audit_export(
        &self,
        before: OffsetDateTime,
        at: OffsetDateTime,
        entries: u64,
    ) -> StoreResult<()>;
}
