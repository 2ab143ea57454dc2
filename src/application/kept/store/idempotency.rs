//! Idempotency keys and the answers given to them.

use crate::application::kept::store::error::StoreResult;
use crate::application::kept::store::values::SecretHash;
use async_trait::async_trait;
use time::OffsetDateTime;

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nobody used it, or its holder is gone: this caller holds it now.
    Started,
    /// Another request with it is under way.
    InProgress,
    /// It was answered: the fingerprint of the request, and the sealed answer.
    Answered {
        fingerprint: SecretHash,
        sealed_answer: Vec<u8>,
    },
}

/// A request that wants to hold a key.
#[derive(Debug, Clone)]
pub struct KeyClaim<'a> {
    pub scope: &'a str,
    pub key: &'a str,
    pub fingerprint: &'a SecretHash,
    /// With scope and key, this is what the store knows the holder by from now on.
    pub now: OffsetDateTime,
    /// The end of the lease, unless it is renewed.
    pub held_until: OffsetDateTime,
    /// A holder without a lease, of an older version of the service, that began before this is gone.
    pub stale_before: OffsetDateTime,
    /// An answer older than this counts as never given.
    pub forget_before: OffsetDateTime,
}

/// A key that a request holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    pub scope: String,
    pub key: String,
    /// The [`now`](KeyClaim::now) of the claim: another holder of the same key has a later one.
    pub since: OffsetDateTime,
}

/// The answer to a request that holds a key. The methods that make something store it in the same
/// transaction: either both are there, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub held: HeldKey,
    pub sealed: Vec<u8>,
}

#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes the key, unless it is answered or somebody holds it whose lease has not ended.
    async fn begin_idempotent(&self, claim: &KeyClaim<'_>) -> StoreResult<Idempotency>;
    /// Moves the end of the lease. False when the key is answered, or another's.
    async fn renew_idempotent(&self, held: &HeldKey, until: OffsetDateTime) -> StoreResult<bool>;
    /// Stores the answer to a request that stores nothing else.
    async fn answer_idempotent(&self, answer: &KeptAnswer) -> StoreResult<()>;
    /// Gives the key back, unless it is answered or another's.
    async fn abandon_idempotent(&self, held: &HeldKey) -> StoreResult<()>;
}
