//! A master key that nobody has any more: the service goes on with another one, and what only the lost key opens is
//! given up.
//!
//! What is lost is what was sealed: secrets of access keys, secrets of webhooks and kept answers. Roles, external IDs,
//! tokens, projects and the audit log are not sealed, and stay as they are. Each value is given up by itself, so the work
//! may be stopped and begun again; the database knows the lost key until the end.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::events::signature::new_secret;
use crate::application::kept::master_key;
use crate::application::kept::rekey::purpose;
use crate::application::kept::store::{GivenUp, SealedColumn, SealedValue, Store};
use crate::application::kept::vault::{LOST, Vault};
use crate::application::people::audit::{AuditLog, Outcome};
use crate::domain::cause::bucket::credentials_lost::CREDENTIALS_LOST;
use crate::domain::people::audit::{Actor, AuditResult, Deed};
use crate::domain::people::audit_action::AuditAction;
use secrecy::ExposeSecret;
use std::sync::Arc;

/// How many values are read at once.
const BATCH: u32 = 200;

pub struct LostKey {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
}

/// Why nothing was given up.
#[derive(Debug, thiserror::Error)]
pub enum LostKeyError {
    #[error(transparent)]
    Failed(#[from] Error),
    #[error(
        "the master key is not lost: the one that was given opens everything in this database. Nothing was changed. To change a key that you have, see `sallyport rekey`"
    )]
    NotLost,
}

/// What is sealed in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedCount {
    pub column: SealedColumn,
    /// Values that one of the given keys opens: they stay.
    pub kept: u64,
    /// Values that none of them opens.
    pub lost: u64,
}

/// What to do with values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Count,
    GiveUp,
}

impl LostKey {
    /// What would be given up. Changes nothing.
    pub async fn survey(&self) -> std::result::Result<Vec<SealedCount>, LostKeyError> {
        self.refuse_what_opens().await?;
        Ok(self.columns(Mode::Count).await?)
    }

    /// Gives up what no key opens, seals the rest with the present key, and makes that the database's only one.
    pub async fn replace(&self) -> std::result::Result<Vec<SealedCount>, LostKeyError> {
        self.refuse_what_opens().await?;
        let log = AuditLog::new(self.store.clone(), self.clock.clone(), false);
        let deed = Deed {
            workspace: None,
            actor: Actor::Operator,
            actor_name: None,
            on_behalf_of: None,
            action: AuditAction::ReplaceLostMasterKey.as_str().to_owned(),
            target: None,
            remote_addr: None,
            request_id: None,
            files: Vec::new(),
            signed: None,
        };
        let intent = log.begin(None, &deed).await?;
        let counts = self.columns(Mode::GiveUp).await?;
        master_key::forget_previous(self.store.as_ref(), &self.vault).await?;
        let outcome = Outcome {
            result: AuditResult::Done,
            code: None,
            of_files: Vec::new(),
        };
        log.record(deed, outcome, Some(&intent)).await;
        Ok(counts)
    }

    async fn refuse_what_opens(&self) -> std::result::Result<(), LostKeyError> {
        match master_key::opens_database(self.store.as_ref(), &self.vault).await? {
            Some(false) => Ok(()),
            Some(true) | None => Err(LostKeyError::NotLost),
        }
    }

    async fn columns(&self, mode: Mode) -> Result<Vec<SealedCount>> {
        let mut counts = Vec::new();
        for column in SealedColumn::ALL {
            counts.push(self.column(column, mode).await?);
        }
        Ok(counts)
    }

    async fn column(&self, column: SealedColumn, mode: Mode) -> Result<SealedCount> {
        let mut count = SealedCount {
            column,
            kept: 0,
            lost: 0,
        };
        let mut after = String::new();
        loop {
            let values = self.store.sealed_values(column, &after, BATCH).await?;
            for value in &values {
                let place = value.place.as_bytes();
                match self.vault.open(purpose(column), place, &value.sealed) {
                    Ok(plain) => {
                        count.kept += 1;
                        if mode == Mode::GiveUp {
                            self.keep(column, value, &plain).await?;
                        }
                    }
                    Err(_) => {
                        count.lost += 1;
                        if mode == Mode::GiveUp {
                            self.give_up(column, value).await?;
                        }
                    }
                }
            }
            match values.into_iter().last() {
                Some(last) => after = last.row,
                None => return Ok(count),
            }
        }
    }

    async fn keep(&self, column: SealedColumn, value: &SealedValue, plain: &[u8]) -> Result<()> {
        let (purpose, place) = (purpose(column), value.place.as_bytes());
        if !self.vault.is_present(purpose, place, &value.sealed) {
            let sealed = self.vault.seal(purpose, place, plain)?;
            self.store.replace_sealed(column, value, &sealed).await?;
        }
        Ok(())
    }

    async fn give_up(&self, column: SealedColumn, value: &SealedValue) -> Result<()> {
        let place = value.place.as_bytes();
        let instead = match column {
            // Nobody has the secret that takes its place: the owner makes another one.
            SealedColumn::WebhookSecrets => {
                let secret = new_secret()?;
                let plain = secret.expose_secret().as_bytes();
                self.vault.seal(purpose(column), place, plain)?
            }
            SealedColumn::SetupSecrets
            | SealedColumn::StorageSecrets
            | SealedColumn::PendingSecrets
            | SealedColumn::IdempotentAnswers
            | SealedColumn::PreviousWebhookSecrets => {
                self.vault.seal(purpose(column), place, LOST)?
            }
        };
        let given_up = GivenUp {
            value,
            instead: &instead,
            code: CREDENTIALS_LOST,
            at: self.clock.now(),
        };
        self.store.give_up_sealed(column, &given_up).await?;
        Ok(())
    }
}
