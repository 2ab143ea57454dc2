//! The columns that hold ciphertexts, for the change of the master key.

use crate::application::kept::store::{SealedColumn, SealedStore, SealedValue, StoreResult};
use crate::database::Database;
use crate::database::engine::{Value, values};
use crate::database::record::Record;
use async_trait::async_trait;

/// How a column is read and replaced.
struct Statements {
    table: &'static str,
    /// The row after which to begin, and how many. Gives `id`, `place` and `sealed`.
    read: &'static str,
    /// The row, the ciphertext as it was read, and the new one.
    replace: &'static str,
}

/// The values that name a row. A kept answer is named by its scope and its key; neither has a newline in it.
fn row_values(column: SealedColumn, row: &str) -> Vec<Value> {
    match column {
        SealedColumn::SetupSecrets
        | SealedColumn::StorageSecrets
        | SealedColumn::PendingSecrets
        | SealedColumn::WebhookSecrets
        | SealedColumn::PreviousWebhookSecrets => values![row],
        SealedColumn::IdempotentAnswers => {
            let (scope, key) = row.split_once('\n').unwrap_or((row, ""));
            values![scope, key]
        }
    }
}

fn statements(column: SealedColumn) -> Statements {
    match column {
        SealedColumn::SetupSecrets => Statements {
            table: "setups",
            read: "SELECT id, id AS place, secret AS sealed FROM setups
                   WHERE id > $1 AND secret IS NOT NULL ORDER BY id LIMIT $2",
            replace: "UPDATE setups SET secret = $3 WHERE id = $1 AND secret = $2",
        },
        SealedColumn::StorageSecrets => Statements {
            table: "storages",
            read: "SELECT id, sealed_for AS place, secret AS sealed FROM storages
                   WHERE id > $1 AND secret IS NOT NULL ORDER BY id LIMIT $2",
            replace: "UPDATE storages SET secret = $3 WHERE id = $1 AND secret = $2",
        },
        SealedColumn::PendingSecrets => Statements {
            table: "pending_connections",
            read: "SELECT storage_id AS id, sealed_for AS place, secret AS sealed
                   FROM pending_connections
                   WHERE storage_id > $1 AND secret IS NOT NULL ORDER BY storage_id LIMIT $2",
            replace: "UPDATE pending_connections SET secret = $3
                      WHERE storage_id = $1 AND secret = $2",
        },
        SealedColumn::WebhookSecrets => Statements {
            table: "webhooks",
            read: "SELECT id, id AS place, secret AS sealed FROM webhooks
                   WHERE id > $1 ORDER BY id LIMIT $2",
            replace: "UPDATE webhooks SET secret = $3 WHERE id = $1 AND secret = $2",
        },
        SealedColumn::PreviousWebhookSecrets => Statements {
            table: "webhooks",
            read: "SELECT id, id AS place, previous_secret AS sealed FROM webhooks
                   WHERE id > $1 AND previous_secret IS NOT NULL ORDER BY id LIMIT $2",
            replace: "UPDATE webhooks SET previous_secret = $3
                      WHERE id = $1 AND previous_secret = $2",
        },
        SealedColumn::IdempotentAnswers => Statements {
            table: "idempotency_keys",
            read: "SELECT scope || '\n' || idempotency_key AS id,
                          scope || '\n' || idempotency_key AS place, sealed_answer AS sealed
                   FROM idempotency_keys
                   WHERE (scope, idempotency_key) > ($1, $2) AND sealed_answer IS NOT NULL
                   ORDER BY scope, idempotency_key LIMIT $3",
            replace: "UPDATE idempotency_keys SET sealed_answer = $4
                      WHERE scope = $1 AND idempotency_key = $2 AND sealed_answer = $3",
        },
    }
}

#[async_trait]
impl SealedStore for Database {
    async fn sealed_values(
        &self,
        column: SealedColumn,
        after: &str,
        limit: u32,
    ) -> StoreResult<Vec<SealedValue>> {
        let statements = statements(column);
        let mut values = row_values(column, after);
        values.push(limit.into());
        self.fetch_records(
            statements.table,
            statements.read,
            values,
            |record: &Record| {
                Ok(SealedValue {
                    row: record.text("id")?,
                    place: record.text("place")?,
                    sealed: record.bytes("sealed")?,
                })
            },
        )
        .await
    }

    async fn replace_sealed(
        &self,
        column: SealedColumn,
        value: &SealedValue,
        sealed: &[u8],
    ) -> StoreResult<bool> {
        let mut values = row_values(column, &value.row);
        values.push(value.sealed.as_slice().into());
        values.push(sealed.into());
        let replaced = self.execute(statements(column).replace, values).await?;
        Ok(replaced == 1)
    }
}
