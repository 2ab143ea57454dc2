//! Idempotency keys, and the answers that were given to them.

use crate::application::kept::store::{Idempotency, IdempotencyStore, SecretHash, StoreResult};
use crate::database::Database;
use crate::database::engine::{Sql, values};
use crate::database::record::Record;
use async_trait::async_trait;
use time::OffsetDateTime;

#[async_trait]
impl IdempotencyStore for Database {
    async fn begin_idempotent(
        &self,
        scope: &str,
        key: &str,
        fingerprint: &SecretHash,
        now: OffsetDateTime,
        stale_before: OffsetDateTime,
        forget_before: OffsetDateTime,
    ) -> StoreResult<Idempotency> {
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
            values![forget_before, stale_before],
        )
        .await?;
        let taken = tx
            .execute(
                "INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, started_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (scope, idempotency_key) DO UPDATE SET
                     fingerprint = excluded.fingerprint,
                     started_at = excluded.started_at,
                     sealed_answer = NULL
                 WHERE (idempotency_keys.sealed_answer IS NULL AND idempotency_keys.started_at < $5)
                     OR (idempotency_keys.sealed_answer IS NOT NULL
                         AND idempotency_keys.started_at < $6)",
                values![
                    scope,
                    key,
                    fingerprint.as_slice(),
                    now,
                    stale_before,
                    forget_before
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
                values![scope, key],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(Idempotency::InProgress);
        };
        let record = Record::named(format!("idempotency_keys/{scope}/{key}"), row);
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

    async fn answer_idempotent(
        &self,
        scope: &str,
        key: &str,
        sealed_answer: &[u8],
    ) -> StoreResult<()> {
        self.execute(
            "UPDATE idempotency_keys SET sealed_answer = $3
             WHERE scope = $1 AND idempotency_key = $2 AND sealed_answer IS NULL",
            values![scope, key, sealed_answer],
        )
        .await
        .map(drop)
    }

    async fn abandon_idempotent(&self, scope: &str, key: &str) -> StoreResult<()> {
        self.execute(
            "DELETE FROM idempotency_keys
             WHERE scope = $1 AND idempotency_key = $2 AND sealed_answer IS NULL",
            values![scope, key],
        )
        .await
        .map(drop)
    }
}
