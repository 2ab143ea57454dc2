//! Sealing everything with the present master key, while the service runs.
//!
//! Rows are read in small batches, and each is replaced only where it is still what was read. What a service
//! writes back meanwhile may be sealed with a previous key again, so the work ends with a pass that finds
//! nothing left to do. It may be stopped and started again at any time.

use crate::application::error::{Error, Result};
use crate::application::kept::master_key;
use crate::application::kept::store::{SealedColumn, SealedValue, Store};
use crate::application::kept::vault::{Purpose, Vault};
use std::sync::Arc;
use std::time::Duration;

/// How many rows are read at once.
const BATCH: u32 = 200;
/// After so many passes a service must be running that seals with another key.
const MOST_PASSES: usize = 10;

pub struct Rekey {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    /// How long what a service has read may take until it is written back.
    pub settle: Duration,
}

/// Why not everything is sealed with the present key. What is done stays done.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    #[error(transparent)]
    Failed(#[from] Error),
    #[error(
        "a running service keeps sealing with another master key. Nothing is lost, and the previous keys are still needed. Restart every replica with the new SALLYPORT_MASTER_KEY, and run `sallyport rekey` again"
    )]
    StillSealing,
    #[error(
        "{0} values open with none of the master keys; all others are sealed with the present one. The previous keys are still needed. Add the missing key to SALLYPORT_MASTER_KEY_PREVIOUS, and run `sallyport rekey` again"
    )]
    Unreadable(u64),
}

/// What was done to one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnCount {
    pub column: SealedColumn,
    /// Values that are sealed with the present key now, and were not before.
    pub resealed: u64,
    /// Values that none of the keys opens.
    pub unreadable: u64,
}

impl Rekey {
    /// Seals everything with the present key. The database knows the previous keys no more when it ends
    /// without an error.
    pub async fn run(&self) -> std::result::Result<Vec<ColumnCount>, RekeyError> {
        let mut counts: Vec<ColumnCount> = SealedColumn::ALL.map(none).into();
        for pass in 0..MOST_PASSES {
            if pass > 0 {
                tokio::time::sleep(self.settle).await;
            }
            let mut found = 0;
            for count in &mut counts {
                let now = self.column(count.column).await?;
                found += now.resealed;
                count.resealed += now.resealed;
                count.unreadable = now.unreadable;
            }
            // The first pass proves nothing about what was being written during it.
            if found == 0 && pass > 0 {
                return self.end(counts).await;
            }
        }
        Err(RekeyError::StillSealing)
    }

    async fn end(
        &self,
        counts: Vec<ColumnCount>,
    ) -> std::result::Result<Vec<ColumnCount>, RekeyError> {
        let unreadable: u64 = counts.iter().map(|count| count.unreadable).sum();
        if unreadable > 0 {
            return Err(RekeyError::Unreadable(unreadable));
        }
        master_key::forget_previous(self.store.as_ref(), &self.vault).await?;
        Ok(counts)
    }

    async fn column(&self, column: SealedColumn) -> Result<ColumnCount> {
        let mut count = none(column);
        let mut after = String::new();
        loop {
            let values = self.store.sealed_values(column, &after, BATCH).await?;
            for value in &values {
                self.value(value, &mut count).await?;
            }
            match values.into_iter().last() {
                Some(last) => after = last.row,
                None => return Ok(count),
            }
        }
    }

    async fn value(&self, value: &SealedValue, count: &mut ColumnCount) -> Result<()> {
        let (purpose, place) = (purpose(count.column), value.place.as_bytes());
        if self.vault.is_present(purpose, place, &value.sealed) {
            return Ok(());
        }
        let Ok(plain) = self.vault.open(purpose, place, &value.sealed) else {
            tracing::warn!(row = value.row, column = ?count.column, "no master key opens this value");
            count.unreadable += 1;
            return Ok(());
        };
        let sealed = self.vault.seal(purpose, place, &plain)?;
        let column = count.column;
        // One that has changed meanwhile is seen by the next pass.
        self.store.replace_sealed(column, value, &sealed).await?;
        count.resealed += 1;
        Ok(())
    }
}

fn none(column: SealedColumn) -> ColumnCount {
    ColumnCount {
        column,
        resealed: 0,
        unreadable: 0,
    }
}

/// What the values of a column are sealed for.
pub fn purpose(column: SealedColumn) -> Purpose {
    match column {
        SealedColumn::SetupSecrets
        | SealedColumn::StorageSecrets
        | SealedColumn::PendingSecrets => Purpose::AccessKeySecret,
        SealedColumn::IdempotentAnswers => Purpose::IdempotentAnswer,
        SealedColumn::WebhookSecrets | SealedColumn::PreviousWebhookSecrets => {
            Purpose::WebhookSecret
        }
    }
}
