//! What is stored encrypted, for the change of the master key.

use crate::application::kept::store::error::StoreResult;
use async_trait::async_trait;
use time::OffsetDateTime;

/// Every column that holds ciphertexts. A new one is added here, and to `database::sealed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    SetupSecrets,
    StorageSecrets,
    PendingSecrets,
    IdempotentAnswers,
    WebhookSecrets,
    /// Secrets of webhooks that were replaced and sign for a while.
    PreviousWebhookSecrets,
}

impl SealedColumn {
    pub const ALL: [Self; 6] = [
        Self::SetupSecrets,
        Self::StorageSecrets,
        Self::PendingSecrets,
        Self::IdempotentAnswers,
        Self::WebhookSecrets,
        Self::PreviousWebhookSecrets,
    ];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SetupSecrets => "secrets of setups",
            Self::StorageSecrets => "secrets of storages",
            Self::PendingSecrets => "secrets of changes that wait for their check",
            Self::IdempotentAnswers => "answers kept for repeated requests",
            Self::WebhookSecrets => "secrets of webhooks",
            Self::PreviousWebhookSecrets => "previous secrets of webhooks",
        }
    }
}

/// A ciphertext, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The row, in the column's own form. Rows are read in the order of it.
    pub row: String,
    /// What the ciphertext is bound to.
    pub place: String,
    pub sealed: Vec<u8>,
}

/// A ciphertext that no master key opens any more.
#[derive(Debug, Clone, Copy)]
pub struct GivenUp<'a> {
    pub value: &'a SealedValue,
    /// What takes its place, sealed, where the column must have something.
    pub instead: &'a [u8],
    /// Of the health of its storage.
    pub code: &'a str,
    pub at: OffsetDateTime,
}

#[async_trait]
pub trait LostKeyStore: Send + Sync {
    /// Gives a ciphertext up, if it is still the one that was read; false otherwise. A setup has no secret then. A
    /// storage is broken with the code, which its audit log and an event say. A webhook is disabled, and its previous
    /// secret forgotten.
    async fn give_up_sealed(
        &self,
        column: SealedColumn,
        given_up: &GivenUp<'_>,
    ) -> StoreResult<bool>;
}

#[async_trait]
pub trait SealedStore: Send + Sync {
    /// The ciphertexts of a column, of every workspace, in the rows after `after` (empty: from the first).
    async fn sealed_values(
        &self,
        column: SealedColumn,
        after: &str,
        limit: u32,
    ) -> StoreResult<Vec<SealedValue>>;
    /// Replaces a ciphertext, if it is still the one that was read. False otherwise.
    async fn replace_sealed(
        &self,
        column: SealedColumn,
        value: &SealedValue,
        sealed: &[u8],
    ) -> StoreResult<bool>;
}
