//! Idempotency keys, and the answers that were given to them.

use crate::application::kept::store::{
    HeldKey, Idempotency, IdempotencyStore, KeptAnswer, KeyClaim, SecretHash, StoreError,
    StoreResult,
};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use async_trait::async_trait;
use time::OffsetDateTime;

/// Stores the answer in the transaction of what was made. It fails where the key is answered, or held by
/// another request, so a request that has lost its key makes nothing.
///
/// Call it last before the commit: from here on the key's row is locked.
pub(super) async fn keep(tx: &mut Tx, answer: Option<&KeptAnswer>) -> StoreResult<()> {
    let Some(KeptAnswer { held, sealed }) = answer else {
        return Ok(());
    };
    let kept = tx
        .execute(
            "UPDATE idempotency_keys SET sealed_answer = $4
             WHERE scope = $1 AND idempotency_key = $2 AND started_at = $3
                 AND sealed_answer IS NULL",
            values![
                held.scope.as_str(),
                held.key.as_str(),
                held.since,
                sealed.as_slice()
            ],
        )
        .await?;
    match kept {
        1 => Ok(()),
        _ => Err(StoreError::KeyLost),
    }
}

#[async_trait]
impl IdempotencyStore for Database {
    async fn begin_idempotent(&self, claim: &KeyClaim<'_>) -> StoreResult<Idempotency> {
        let mut tx = self.begin().await?;
        // Each new key sweeps out a few forgotten ones, so the table stays as small as its use.
        tx.execute(
            Sql::Each {
                sqlite: "DELETE FROM idempotency_keys WHERE (scope, idempotency_key) IN (
                             SELECT scope, idempotency_key FROM idempotency_keys
                             WHERE started_at < $1 AND started_at < $2
                             ORDER BY started_at LIMIT 4)",
                postgres: "DELETE FROM idempotency_keys WHERE (scope, idempotency_key) IN (
                               SELECT scope, idempotency_key FROM idempotency_keys
                               WHERE started_at < $1 AND started_at < $2
                               ORDER BY started_at LIMIT 4 FOR UPDATE SKIP LOCKED)",
            },
            values![claim.forget_before, claim.stale_before],
        )
        .await?;
        // An older version neither writes `held_until` nor clears that of a holder whose key it takes
        // over, so a lease that ends before the holder began says nothing.
        let taken = tx
            .execute(
                "INSERT INTO idempotency_keys
                     (scope, idempotency_key, fingerprint, started_at, held_until)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (scope, idempotency_key) DO UPDATE SET
                     fingerprint = excluded.fingerprint,
                     started_at = excluded.started_at,
                     held_until = excluded.held_until,
                     sealed_answer = NULL
                 WHERE CASE
                     WHEN idempotency_keys.sealed_answer IS NOT NULL
                         THEN idempotency_keys.started_at < $7
                     WHEN idempotency_keys.held_until >= idempotency_keys.started_at
                         THEN idempotency_keys.held_until < $4
                     ELSE idempotency_keys.started_at < $6
                 END",
                values![
                    claim.scope,
                    claim.key,
                    claim.fingerprint.as_slice(),
                    claim.now,
                    claim.held_until,
                    claim.stale_before,
                    claim.forget_before
                ],
            )
            .await?;
        if taken == 1 {
            tx.commit().await?;
            return Ok(Idempotency::Started);
        }
        let row = tx
            .fetch_optional(
                "SELECT fingerprint, sealed_answer FROM idempotency_keys
                 WHERE scope = $1 AND idempotency_key = $2",
                values![claim.scope, claim.key],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(Idempotency::InProgress);
        };
        let name = format!("idempotency_keys/{}/{}", claim.scope, claim.key);
        let record = Record::named(name, row);
        let Some(sealed_answer) = record.bytes_opt("sealed_answer")? else {
            return Ok(Idempotency::InProgress);
        };
        let fingerprint = SecretHash::try_from(record.bytes("fingerprint")?)
            .map_err(|_| record.damaged("fingerprint", "not 32 bytes"))?;
        Ok(Idempotency::Answered {
            fingerprint,
            sealed_answer,
        })
    }

    async fn renew_idempotent(&self, held: &HeldKey, until: OffsetDateTime) -> StoreResult<bool> {
        let renewed = self
            .execute(
                "UPDATE idempotency_keys SET held_until = $4
                 WHERE scope = $1 AND idempotency_key = $2 AND started_at = $3
                     AND sealed_answer IS NULL",
                values![held.scope.as_str(), held.key.as_str(), held.since, until],
            )
            .await?;
        Ok(renewed == 1)
    }

    async fn answer_idempotent(&self, answer: &KeptAnswer) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        keep(&mut tx, Some(answer)).await?;
        tx.commit().await
    }

    async fn abandon_idempotent(&self, held: &HeldKey) -> StoreResult<()> {
        self.execute(
            "DELETE FROM idempotency_keys
             WHERE scope = $1 AND idempotency_key = $2 AND started_at = $3
                 AND sealed_answer IS NULL",
            values![held.scope.as_str(), held.key.as_str(), held.since],
        )
        .await
        .map(drop)
    }
}
