//! Idempotency keys and the answers given to them.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::SecretHash;
use async_trait::async_trait;
use time::OffsetDateTime;

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nobody used it: this caller holds it now.
    Started,
    /// Another request with it is under way.
    InProgress,
    /// It was answered: the fingerprint of the request, and the sealed answer.
    Answered {
        fingerprint: SecretHash,
        sealed_answer: Vec<u8>,
    },
}

#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes the key, unless it is held or answered. A holder older than `stale_before`, as after a
    /// killed process, loses it; an answer older than `forget_before` counts as never given.
    async fn begin_idempotent(
        &self,
        scope: &str,
        key: &str,
        fingerprint: &SecretHash,
        now: OffsetDateTime,
        stale_before: OffsetDateTime,
        forget_before: OffsetDateTime,
    ) -> StoreResult<Idempotency>;
    async fn answer_idempotent(
        &self,
        scope: &str,
        key: &str,
        sealed_answer: &[u8],
    ) -> StoreResult<()>;
    /// Gives the key back: the request changed nothing.
    async fn abandon_idempotent(&self, scope: &str, key: &str) -> StoreResult<()>;
}
