//! Leases of those who remove what has expired, and what they remove, in small batches.

use crate::application::kept::store::{Expired, OldCheck, RetentionStore, StoreResult};
use crate::database::engine::{Sql, Value, values};
use crate::database::placeholders::placeholders;
use crate::database::record::Record;
use crate::database::{Database, audit, events};
use crate::domain::check::Steps;
use crate::domain::event::EventType;
use crate::domain::ids::AuditId;
use crate::domain::people::audit::AuditEntry;
use async_trait::async_trait;
use std::sync::atomic::Ordering;
use time::OffsetDateTime;

/// How many setups that are past their time are looked at together. Most of them stay, because a storage was made of
/// them.
const SETUPS_AT_ONCE: u32 = 5_000;

/// `$1` is the time before which something has expired, `$2` how many are removed. `None`: setups take more than one
/// statement.
fn removal(what: Expired) -> Option<&'static str> {
    let sql = match what {
        Expired::SetupSecrets => {
            "UPDATE setups SET secret = NULL WHERE id IN (
                 SELECT id FROM setups
                 WHERE secret IS NOT NULL AND status = 'open' AND expires_at < $1 LIMIT $2)"
        }
        Expired::Setups => return None,
        // A change of anything but the name moves the revision. Who made a link waits for somebody else's input.
        Expired::LeftDialogs => {
            "DELETE FROM setups WHERE id IN (
                 SELECT s.id FROM setups s
                 WHERE s.dialog_open_at < $1 AND s.status = 'open' AND s.revision = 1
                     AND s.display_name IS NULL AND s.bucket IS NULL
                     AND NOT EXISTS (SELECT 1 FROM instruction_links l WHERE l.setup_id = s.id)
                 ORDER BY s.dialog_open_at LIMIT $2)
             RETURNING id, workspace_id, on_behalf_of"
        }
        Expired::SignInLinks => {
            "DELETE FROM sign_in_links WHERE id IN (
                 SELECT id FROM sign_in_links WHERE expires_at < $1 LIMIT $2)"
        }
        Expired::Sessions => {
            "DELETE FROM sessions WHERE id IN (
                 SELECT id FROM sessions WHERE expires_at < $1 LIMIT $2)"
        }
        Expired::InstructionLinks => {
            "DELETE FROM instruction_links WHERE id IN (
                 SELECT id FROM instruction_links WHERE expires_at < $1 LIMIT $2)"
        }
        Expired::IdempotencyKeys => {
            "DELETE FROM idempotency_keys WHERE (scope, idempotency_key) IN (
                 SELECT scope, idempotency_key FROM idempotency_keys
                 WHERE started_at < $1 ORDER BY started_at LIMIT $2)"
        }
        // The database itself refuses to remove an entry that has not been exported.
        Expired::AuditEntries => {
            "DELETE FROM audit_log WHERE id IN (
                 SELECT id FROM audit_log
                 WHERE occurred_at < $1
                     AND occurred_at < (SELECT MAX(exported_before) FROM audit_exports)
                 ORDER BY occurred_at LIMIT $2)"
        }
        Expired::Usage => {
            "DELETE FROM usage_days WHERE (workspace_id, day) IN (
                 SELECT workspace_id, day FROM usage_days WHERE day < $1 ORDER BY day LIMIT $2)"
        }
        Expired::Changes => {
            "DELETE FROM changes WHERE id IN (
                 SELECT id FROM changes WHERE changed_at < $1 ORDER BY changed_at LIMIT $2)"
        }
        Expired::LeftParts => {
            "DELETE FROM moved_parts WHERE (import_id, position) IN (
                 SELECT import_id, position FROM moved_parts WHERE created_at < $1 LIMIT $2)"
        }
        Expired::Events => {
            "DELETE FROM events WHERE seq IN (
                 SELECT seq FROM events WHERE created_at < $1 ORDER BY created_at LIMIT $2)"
        }
    };
    Some(sql)
}

#[async_trait]
impl RetentionStore for Database {
    async fn hold_lease(
        &self,
        name: &str,
        holder: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> StoreResult<bool> {
        let held = self
            .execute(
                "INSERT INTO leases (name, holder, lease_until) VALUES ($1, $2, $4)
                 ON CONFLICT (name) DO UPDATE SET
                     holder = excluded.holder, lease_until = excluded.lease_until
                 WHERE leases.holder = excluded.holder OR leases.lease_until < $3",
                values![name, holder, now, until],
            )
            .await?;
        Ok(held == 1)
    }

    async fn release_lease(&self, name: &str, holder: &str) -> StoreResult<()> {
        self.execute(
            "DELETE FROM leases WHERE name = $1 AND holder = $2",
            values![name, holder],
        )
        .await
        .map(drop)
    }

    async fn remove_expired(
        &self,
        what: Expired,
        before: OffsetDateTime,
        limit: u32,
    ) -> StoreResult<u64> {
        let Some(sql) = removal(what) else {
            return self.remove_setups(before, limit).await;
        };
        if what != Expired::LeftDialogs {
            return self.execute(sql, values![before, limit]).await;
        }
        // The product may wait for what becomes of them.
        let mut tx = self.begin().await?;
        let removed = tx.fetch_all(sql, values![before, limit]).await?;
        let count = events::write_of_setups(&mut tx, EventType::SetupClosed, removed).await?;
        tx.commit().await?;
        Ok(count)
    }

    async fn storages_after(&self, after: &str, limit: u32) -> StoreResult<Vec<String>> {
        self.fetch_records(
            "storages",
            "SELECT id FROM storages WHERE id > $1 ORDER BY id LIMIT $2",
            values![after, limit],
            |record| record.text("id"),
        )
        .await
    }

    async fn old_checks(
        &self,
        storage: &str,
        before: OffsetDateTime,
        newest: u32,
        after: &str,
        limit: u32,
    ) -> StoreResult<Vec<OldCheck>> {
        self.fetch_records(
            "checks",
            "SELECT id, steps FROM checks
             WHERE storage_id = $1 AND started_at < $2 AND id > $4
                 AND id <= (SELECT id FROM checks WHERE storage_id = $1
                            ORDER BY id DESC LIMIT 1 OFFSET $3)
             ORDER BY id LIMIT $5",
            values![storage, before, newest, after, limit],
            old_check,
        )
        .await
    }

    async fn remove_checks(&self, ids: &[String]) -> StoreResult<u64> {
        let sql = format!(
            "DELETE FROM checks WHERE id IN ({})
                 AND NOT EXISTS (SELECT 1 FROM storages s
                                 WHERE s.id = checks.storage_id AND s.last_check_id = checks.id)
                 AND NOT EXISTS (SELECT 1 FROM storages s
                                 WHERE s.id = checks.storage_id
                                     AND checks.id IN (s.quarantine_check_id, s.last_good_check_id,
                                         s.first_bad_check_id, s.health_check_id))
                 AND NOT EXISTS (SELECT 1 FROM pending_connections p
                                 WHERE p.storage_id = checks.storage_id
                                     AND p.last_check_id = checks.id)
                 AND NOT EXISTS (SELECT 1 FROM setups s
                                 WHERE s.id = checks.setup_id AND s.last_check_id = checks.id)",
            placeholders(1, ids.len())
        );
        let values = ids.iter().map(|id| Value::from(id.as_str())).collect();
        self.execute(Sql::Built(sql), values).await
    }

    async fn audit_before(
        &self,
        before: OffsetDateTime,
        after: Option<&AuditId>,
        limit: u32,
    ) -> StoreResult<Vec<AuditEntry>> {
        let after = after.map(AuditId::as_str).unwrap_or_default();
        audit::list_before(self, before, after, limit).await
    }

    async fn record_audit_export(
        &self,
        before: OffsetDateTime,
        at: OffsetDateTime,
        entries: u64,
    ) -> StoreResult<()> {
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        self.execute(
            "INSERT INTO audit_exports (exported_before, exported_at, entries) VALUES ($1, $2, $3)
             ON CONFLICT (exported_before) DO NOTHING",
            values![before, at, entries],
        )
        .await
        .map(drop)
    }
}

/// A setup that is past its time.
struct PastSetup {
    id: String,
    expires_at: i64,
    /// Whether no storage was made of it.
    is_left: bool,
}

impl Database {
    /// Removes setups that are past their time and of which no storage was made, among the next so many. They are looked
    /// for where nobody waits who writes, and each round goes on where the last one ended.
    async fn remove_setups(&self, before: OffsetDateTime, limit: u32) -> StoreResult<u64> {
        let from = self.swept_setups.load(Ordering::Relaxed);
        let page = self
            .fetch_records(
                "setups",
                "SELECT p.id, p.expires_at,
                     CAST(CASE WHEN t.id IS NULL THEN 1 ELSE 0 END AS BIGINT) AS is_left
                 FROM (SELECT id, expires_at FROM setups
                       WHERE expires_at >= $2 AND expires_at < $1
                       ORDER BY expires_at LIMIT $3) p
                     LEFT JOIN storages t ON t.setup_id = p.id
                 ORDER BY p.expires_at",
                values![before, from, SETUPS_AT_ONCE],
                |record| {
                    Ok(PastSetup {
                        id: record.text("id")?,
                        expires_at: record.int("expires_at")?,
                        is_left: record.int("is_left")? != 0,
                    })
                },
            )
            .await?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut left = page.iter().filter(|setup| setup.is_left);
        let gone: Vec<Value> = left
            .by_ref()
            .take(most)
            .map(|setup| Value::from(setup.id.as_str()))
            .collect();
        let is_full = page.len() >= SETUPS_AT_ONCE as usize;
        let next = match (left.next(), page.last()) {
            (Some(first_that_stays), _) => first_that_stays.expires_at,
            (None, Some(last)) if is_full => last.expires_at.max(from.saturating_add(1)),
            // From the beginning again.
            (None, Some(_) | None) => 0,
        };
        let removed = match gone.is_empty() {
            true => 0,
            false => {
                let sql = format!(
                    "DELETE FROM setups WHERE id IN ({})
                         AND NOT EXISTS (SELECT 1 FROM storages t WHERE t.setup_id = setups.id)",
                    placeholders(1, gone.len())
                );
                self.execute(Sql::Built(sql), gone).await?
            }
        };
        self.swept_setups.store(next, Ordering::Relaxed);
        Ok(removed)
    }
}

fn old_check(record: &Record) -> StoreResult<OldCheck> {
    let steps: Steps = record.parse("steps", |text| serde_json::from_str(text))?;
    Ok(OldCheck {
        id: record.text("id")?,
        outcome: steps.outcome(),
    })
}
