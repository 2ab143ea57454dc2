//! What becomes of ciphertexts that no master key opens any more.

use crate::application::kept::store::{GivenUp, LostKeyStore, SealedColumn, StoreResult};
use crate::database::engine::{Sql, Tx, values};
use crate::database::events::{self, NewEvent};
use crate::database::record::Record;
use crate::database::{Database, audit, storages};
use crate::domain::event::EventType;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult, StateChange};
use crate::domain::people::audit_action::AuditAction;
use crate::domain::storage::HealthState;
use async_trait::async_trait;

#[async_trait]
impl LostKeyStore for Database {
    async fn give_up_sealed(
        &self,
        column: SealedColumn,
        given_up: &GivenUp<'_>,
    ) -> StoreResult<bool> {
        let (row, was) = (
            given_up.value.row.as_str(),
            given_up.value.sealed.as_slice(),
        );
        let instead = given_up.instead;
        let mut tx = self.begin().await?;
        let written = match column {
            SealedColumn::SetupSecrets => {
                let sql = "UPDATE setups SET secret = NULL WHERE id = $1 AND secret = $2";
                tx.execute(sql, values![row, was]).await?
            }
            SealedColumn::StorageSecrets => break_storage(&mut tx, given_up).await?,
            SealedColumn::PendingSecrets => {
                let sql = "UPDATE pending_connections SET secret = $3
                           WHERE storage_id = $1 AND secret = $2";
                tx.execute(sql, values![row, was, instead]).await?
            }
            SealedColumn::IdempotentAnswers => {
                let (scope, key) = row.split_once('\n').unwrap_or((row, ""));
                let sql = "UPDATE idempotency_keys SET sealed_answer = $4
                           WHERE scope = $1 AND idempotency_key = $2 AND sealed_answer = $3";
                tx.execute(sql, values![scope, key, was, instead]).await?
            }
            SealedColumn::WebhookSecrets => {
                let sql = "UPDATE webhooks SET secret = $3, is_enabled = 0
                           WHERE id = $1 AND secret = $2";
                tx.execute(sql, values![row, was, instead]).await?
            }
            SealedColumn::PreviousWebhookSecrets => {
                let sql = "UPDATE webhooks SET previous_secret = NULL, previous_until = NULL
                           WHERE id = $1 AND previous_secret = $2";
                tx.execute(sql, values![row, was]).await?
            }
        };
        tx.commit().await?;
        Ok(written > 0)
    }
}

/// Takes the secret away, and lets the storage's health say so. Says how many storages have it.
async fn break_storage(tx: &mut Tx, given_up: &GivenUp<'_>) -> StoreResult<u64> {
    let id = given_up.value.row.as_str();
    let sql = Sql::Each {
        sqlite:
            "SELECT id, workspace_id, health, health_since, health_code, health_as_of, last_check_id,
                     last_good_check_id, first_bad_check_id, health_check_id
                 FROM storages WHERE id = $1 AND secret = $2",
        postgres:
            "SELECT id, workspace_id, health, health_since, health_code, health_as_of, last_check_id,
                       last_good_check_id, first_bad_check_id, health_check_id
                   FROM storages WHERE id = $1 AND secret = $2 FOR NO KEY UPDATE",
    };
    let found = tx
        .fetch_optional(sql, values![id, given_up.value.sealed.as_slice()])
        .await?;
    let Some(found) = found else {
        return Ok(0);
    };
    let record = Record::new("storages", found)?;
    let workspace = record.parse("workspace_id", WorkspaceId::parse)?;
    let before = storages::health(&record)?.condition().state;
    let broken = HealthState::Broken;
    let written = tx
        .execute(
            "UPDATE storages SET secret = $2, health = $3, health_code = $4, health_since = $5,
                 health_as_of = $5
             WHERE id = $1",
            values![
                id,
                given_up.instead,
                broken.as_str(),
                given_up.code,
                given_up.at
            ],
        )
        .await?;
    let entry = AuditEntry {
        id: AuditId::generate(),
        at: given_up.at,
        workspace: Some(workspace.clone()),
        actor: Actor::Service,
        actor_name: None,
        on_behalf_of: None,
        action: AuditAction::StorageHealthChanged.as_str().to_owned(),
        target: Some(id.to_owned()),
        result: AuditResult::Done,
        code: Some(given_up.code.to_owned()),
        remote_addr: None,
        request_id: None,
        files: Vec::new(),
        file_count: 0,
        signed: None,
        state: Some(StateChange {
            before: before.as_str().to_owned(),
            after: broken.as_str().to_owned(),
        }),
    };
    audit::insert(tx, &entry).await?;
    let event = NewEvent {
        kind: EventType::StorageBroken,
        workspace: &workspace,
        subject: None,
        about: vec![("storage_id", id), ("code", given_up.code)],
    };
    events::write(tx, &[event]).await?;
    Ok(written)
}
