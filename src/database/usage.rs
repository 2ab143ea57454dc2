//! What workspaces use by day, added up by all replicas; and when tokens and keys were last used.

use crate::application::kept::store::{StoreResult, UsageStore};
use crate::database::Database;
use crate::database::engine::{Sql, Value, values};
use crate::database::placeholders::{placeholders, rows};
use crate::database::record::Record;
use crate::domain::ids::{KeyId, TokenId, WorkspaceId};
use crate::domain::people::usage::{DayUsage, UsageDay, Used};
use async_trait::async_trait;
use time::OffsetDateTime;

/// How many rows one statement adds to. SQLite takes 32,766 placeholders in a statement; a row has seven.
const ROWS_AT_ONCE: usize = 4_000;
/// How many tokens or keys one statement notes the use of.
const USES_AT_ONCE: usize = 1_000;

#[async_trait]
impl UsageStore for Database {
    async fn add_usage(&self, uses: &[(WorkspaceId, DayUsage)]) -> StoreResult<()> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for some in uses.chunks(ROWS_AT_ONCE) {
            // In one order, so that replicas which add at the same time wait for each other and never in a circle.
            let sql = format!(
                "INSERT INTO usage_days
                     (workspace_id, day, requests, bytes_in, bytes_out, urls_signed, checks)
                 SELECT w.id, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7
                 FROM (VALUES {}) v JOIN workspaces w ON w.id = v.column1
                 WHERE 1 = 1 ORDER BY w.id, v.column2
                 ON CONFLICT (workspace_id, day) DO UPDATE SET
                     requests = usage_days.requests + excluded.requests,
                     bytes_in = usage_days.bytes_in + excluded.bytes_in,
                     bytes_out = usage_days.bytes_out + excluded.bytes_out,
                     urls_signed = usage_days.urls_signed + excluded.urls_signed,
                     checks = usage_days.checks + excluded.checks",
                rows(some.len(), 7)
            );
            let values = some.iter().flat_map(|(workspace, of_day)| {
                let used = of_day.used;
                values![
                    workspace.as_str(),
                    of_day.day.begin(),
                    stored(used.requests),
                    stored(used.bytes_in),
                    stored(used.bytes_out),
                    stored(used.urls_signed),
                    stored(used.checks),
                ]
            });
            tx.execute(Sql::Built(sql), values.collect()).await?;
        }
        tx.commit().await
    }

    async fn usage(
        &self,
        workspace: &WorkspaceId,
        from: UsageDay,
        to: UsageDay,
    ) -> StoreResult<Vec<DayUsage>> {
        self.fetch_records(
            "usage_days",
            "SELECT workspace_id AS id, day, requests, bytes_in, bytes_out, urls_signed, checks
             FROM usage_days WHERE workspace_id = $1 AND day >= $2 AND day <= $3 ORDER BY day",
            values![workspace.as_str(), from.begin(), to.begin()],
            day,
        )
        .await
    }

    async fn note_uses(
        &self,
        tokens: &[TokenId],
        keys: &[KeyId],
        at: OffsetDateTime,
    ) -> StoreResult<()> {
        let tokens: Vec<&str> = tokens.iter().map(TokenId::as_str).collect();
        let keys: Vec<&str> = keys.iter().map(KeyId::as_str).collect();
        self.note("api_tokens", &tokens, at).await?;
        self.note("product_keys", &keys, at).await
    }
}

impl Database {
    async fn note(&self, table: &'static str, ids: &[&str], at: OffsetDateTime) -> StoreResult<()> {
        for some in ids.chunks(USES_AT_ONCE) {
            let sql = format!(
                "UPDATE {table} SET last_used_at = $1
                 WHERE (last_used_at IS NULL OR last_used_at < $1) AND id IN ({})",
                placeholders(2, some.len())
            );
            let ids = some.iter().map(|id| Value::from(*id));
            let values = std::iter::once(Value::from(at)).chain(ids);
            self.execute(Sql::Built(sql), values.collect()).await?;
        }
        Ok(())
    }
}

/// A count as the database keeps it. None reaches the largest.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn day(record: &Record) -> StoreResult<DayUsage> {
    Ok(DayUsage {
        day: UsageDay::of(record.time("day")?),
        used: Used {
            requests: record.number("requests")?,
            bytes_in: record.number("bytes_in")?,
            bytes_out: record.number("bytes_out")?,
            urls_signed: record.number("urls_signed")?,
            checks: record.number("checks")?,
        },
    })
}
