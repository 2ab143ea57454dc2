//! What is sent to webhooks. Replicas share the work by leases, so what a replica leaves that dies is sent by another.

use crate::application::kept::store::{
    ClaimedDelivery, DeliveryClaim, SettledAttempt, StoreResult, Window,
};
use crate::database::engine::{Sql, values};
use crate::database::jobs::one_claim_at_a_time;
use crate::database::record::Record;
use crate::database::webhook_rows::{WebhookColumns, webhook_in};
use crate::database::{Database, before, events};
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, EventId, WebhookId};
use crate::domain::webhook::{AttemptError, Delivery, DeliveryStatus, LastAttempt};
use time::OffsetDateTime;

/// The name under which replicas take turns.
const CLAIM: &str = "webhook_delivery";

/// The columns of a delivery with its webhook and its event, and which of them may be made: of a webhook that has not
/// its share in work already. That leases are above 0 is there for the index. `CROSS JOIN` has SQLite begin with the
/// candidates.
macro_rules! free {
    ($before:literal, $candidates:literal, $lock:literal) => {
        concat!(
            $before,
            "SELECT d.id, d.attempts, e.id AS event_id, e.type, e.workspace_id, e.data, e.created_at,
                 w.id AS webhook_id, w.workspace_id AS owner_id, w.url, w.types, w.description,
                 w.is_enabled, w.is_gone, w.failing_since, w.secret, w.previous_secret,
                 w.previous_until, w.created_at AS webhook_created_at
             FROM ",
            $candidates,
                 " JOIN webhooks w ON w.id = d.webhook_id
                 JOIN events e ON e.seq = d.event_seq
             WHERE d.id = c.id AND d.status = 'pending' AND d.due_at <= $1 AND +d.lease_until < $1
                 AND w.is_enabled = 1 AND w.is_slow = $2
                 AND d.webhook_id NOT IN (
                     SELECT h.webhook_id FROM webhook_deliveries h
                     WHERE h.status = 'pending' AND h.lease_until > 0 AND h.lease_until >= $1
                     GROUP BY h.webhook_id HAVING COUNT(*) >= $3)
             ORDER BY d.due_at, d.event_seq, d.id LIMIT 1",
            $lock
        )
    };
}
/// Among the first 64 that are due. The number is not a value: PostgreSQL would plan for many more.
macro_rules! free_soon {
    ($lock:literal) => {
        free!(
            "",
            "(SELECT f.id FROM webhook_deliveries f
              WHERE f.status = 'pending' AND f.due_at <= $1 AND +f.lease_until < $1
              ORDER BY f.due_at, f.event_seq, f.id LIMIT 64) c
                 CROSS JOIN webhook_deliveries d",
            $lock
        )
    };
}
/// The first of each webhook that has any on their way. The webhooks are found one after the other in an index, so a
/// webhook that is disabled, or has its share, costs no more for having many. What was found is a table of its own:
/// PostgreSQL would compare it with all that are on their way otherwise.
macro_rules! free_of_each {
    ($lock:literal) => {
        free!(
            "WITH RECURSIVE receivers (webhook_id) AS (
                 SELECT MIN(m.webhook_id) FROM webhook_deliveries m WHERE m.status = 'pending'
                 UNION ALL
                 SELECT (SELECT MIN(n.webhook_id) FROM webhook_deliveries n
                         WHERE n.status = 'pending' AND n.webhook_id > r.webhook_id)
                 FROM receivers r WHERE r.webhook_id IS NOT NULL),
             firsts (id) AS MATERIALIZED (
                 SELECT (SELECT f.id FROM webhook_deliveries f
                         WHERE f.status = 'pending' AND f.webhook_id = r.webhook_id
                             AND f.due_at <= $1 AND +f.lease_until < $1
                         ORDER BY f.due_at, f.event_seq, f.id LIMIT 1)
                 FROM receivers r) ",
            "firsts c CROSS JOIN webhook_deliveries d",
            $lock
        )
    };
}
const FREE_SOON: &str = free_soon!("");
const FREE_OF_EACH: &str = free_of_each!("");
/// Whether any is due at all.
const ANY_DUE: &str = "SELECT id FROM webhook_deliveries
     WHERE status = 'pending' AND due_at <= $1 AND +lease_until < $1 LIMIT 1";

pub(super) async fn claim(
    database: &Database,
    claim: &DeliveryClaim<'_>,
) -> StoreResult<Option<ClaimedDelivery>> {
    let DeliveryClaim {
        slow,
        most_of_webhook,
        worker,
        now,
        lease_until,
    } = *claim;
    // Most often nothing is due, and then nobody waits for a turn.
    let due = database
        .fetch_records("webhook_deliveries", ANY_DUE, values![now], |record| {
            record.text("id")
        })
        .await?;
    if due.is_empty() {
        return Ok(None);
    }
    let given = || values![now, i64::from(slow), most_of_webhook];
    // Nor where what is due is for the others, or for nobody, as for a webhook that is disabled.
    let mut there = database.fetch_all(FREE_SOON, given()).await?;
    if there.is_empty() {
        there = database.fetch_all(FREE_OF_EACH, given()).await?;
    }
    if there.is_empty() {
        return Ok(None);
    }
    let mut tx = database.begin().await?;
    one_claim_at_a_time(&mut tx, CLAIM).await?;
    let soon = Sql::Each {
        sqlite: FREE_SOON,
        postgres: free_soon!(" FOR UPDATE OF d SKIP LOCKED"),
    };
    let of_each = Sql::Each {
        sqlite: FREE_OF_EACH,
        postgres: free_of_each!(" FOR UPDATE OF d SKIP LOCKED"),
    };
    let free = match tx.fetch_optional(soon, given()).await? {
        Some(row) => Some(row),
        None => tx.fetch_optional(of_each, given()).await?,
    };
    let Some(row) = free else {
        return Ok(None);
    };
    let record = Record::new("webhook_deliveries", row)?;
    let columns = WebhookColumns {
        id: "webhook_id",
        workspace: "owner_id",
        created_at: "webhook_created_at",
    };
    let claimed = ClaimedDelivery {
        id: record.parse("id", DeliveryId::parse)?,
        worker: worker.to_owned(),
        webhook: webhook_in(&record, &columns)?,
        event: events::event_in(&record, "event_id")?,
        attempts: record.number::<u32>("attempts")?.saturating_add(1),
    };
    tx.execute(
        "UPDATE webhook_deliveries SET worker = $2, lease_until = $3, attempts = $4 WHERE id = $1",
        values![claimed.id.as_str(), worker, lease_until, claimed.attempts],
    )
    .await?;
    tx.commit().await?;
    Ok(Some(claimed))
}

pub(super) async fn settle(
    database: &Database,
    claimed: &ClaimedDelivery,
    settled: &SettledAttempt,
) -> StoreResult<()> {
    let mut tx = database.begin().await?;
    // The webhook first, in the order in which its deletion locks both.
    tx.fetch_optional(
        Sql::Each {
            sqlite: "SELECT id FROM webhooks WHERE id = $1",
            postgres: "SELECT id FROM webhooks WHERE id = $1 FOR NO KEY UPDATE",
        },
        values![claimed.webhook.id.as_str()],
    )
    .await?;
    let held = tx
        .execute(
            "UPDATE webhook_deliveries SET status = $3, due_at = $4, last_attempt_at = $5,
                 last_status = $6, last_error = $7, worker = NULL, lease_until = 0
             WHERE id = $1 AND worker = $2",
            values![
                claimed.id.as_str(),
                claimed.worker.as_str(),
                settled.status.as_str(),
                settled.due,
                settled.at,
                settled.answered.map(i64::from),
                settled.error.map(AttemptError::as_str),
            ],
        )
        .await?;
    if held != 1 {
        return Ok(());
    }
    let succeeded = settled.status == DeliveryStatus::Succeeded;
    tx.execute(
        "UPDATE webhooks SET is_slow = $2,
             failing_since = CASE WHEN $3 = 1 THEN NULL ELSE COALESCE(failing_since, $4) END,
             is_enabled = CASE WHEN $5 = 1 THEN 0 ELSE is_enabled END,
             is_gone = CASE WHEN $5 = 1 THEN 1 ELSE is_gone END
         WHERE id = $1",
        values![
            claimed.webhook.id.as_str(),
            i64::from(settled.is_slow),
            i64::from(succeeded),
            settled.at,
            i64::from(settled.is_gone),
        ],
    )
    .await?;
    tx.commit().await
}

pub(super) async fn redeliver(
    database: &Database,
    webhook: &WebhookId,
    delivery: &DeliveryId,
    now: OffsetDateTime,
) -> StoreResult<bool> {
    // The pauses between attempts begin with the shortest again.
    let due = database
        .execute(
            "UPDATE webhook_deliveries SET status = 'pending', due_at = $3, attempts = 0
             WHERE webhook_id = $1 AND id = $2 AND lease_until < $3",
            values![webhook.as_str(), delivery.as_str(), now],
        )
        .await?;
    Ok(due == 1)
}

pub(super) async fn list(
    database: &Database,
    webhook: &WebhookId,
    window: &Window,
) -> StoreResult<Vec<Delivery>> {
    database
        .fetch_records(
            "webhook_deliveries",
            "SELECT d.id, d.status, d.attempts, d.due_at, d.last_attempt_at, d.last_status,
                 d.last_error, d.created_at, e.id AS event_id, e.type
             FROM webhook_deliveries d JOIN events e ON e.seq = d.event_seq
             WHERE d.webhook_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3",
            values![webhook.as_str(), before(window), window.limit],
            delivery,
        )
        .await
}

pub(super) async fn count(database: &Database) -> StoreResult<u64> {
    let counted: Vec<u64> = database
        .fetch_records(
            "webhook_deliveries",
            "SELECT 'all' AS id, COUNT(*) AS number
             FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
             WHERE d.status = 'pending' AND w.is_enabled = 1",
            values![],
            |record| record.number("number"),
        )
        .await?;
    Ok(counted.into_iter().sum())
}

fn delivery(record: &Record) -> StoreResult<Delivery> {
    let status = record.parse("status", DeliveryStatus::parse)?;
    let last = match record.time_opt("last_attempt_at")? {
        None => None,
        Some(at) => Some(LastAttempt {
            at,
            answered: match record.int_opt("last_status")? {
                None => None,
                Some(status) => Some(
                    u16::try_from(status).map_err(|error| record.damaged("last_status", error))?,
                ),
            },
            error: record.parse_opt("last_error", AttemptError::parse)?,
        }),
    };
    Ok(Delivery {
        id: record.parse("id", DeliveryId::parse)?,
        event: record.parse("event_id", EventId::parse)?,
        kind: record.parse("type", EventType::parse)?,
        status,
        attempts: record.number("attempts")?,
        created_at: record.time("created_at")?,
        last,
        next_attempt_at: match status {
            DeliveryStatus::Pending => Some(record.time("due_at")?),
            DeliveryStatus::Succeeded | DeliveryStatus::Failed => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DatabaseUrl;
    use crate::database::query_plan::sqlite_plan;

    #[tokio::test]
    async fn sqlite_finds_the_next_delivery_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite_file(&folder.path().join("x.db"));
        let database = Database::connect(&url).await.unwrap();
        for (sql, indexes) in [
            (ANY_DUE, &["INDEX webhook_deliveries_due"][..]),
            (FREE_SOON, &["SEARCH f USING INDEX webhook_deliveries_due"]),
            (
                FREE_OF_EACH,
                &[
                    "SEARCH m USING COVERING INDEX webhook_deliveries_on_their_way",
                    "SEARCH n USING COVERING INDEX webhook_deliveries_on_their_way",
                    "SEARCH f USING INDEX webhook_deliveries_on_their_way",
                ],
            ),
        ] {
            let plan = sqlite_plan(&database, sql).await;
            for index in indexes {
                assert!(plan.contains(index), "{index}: {sql}\n{plan}");
            }
            for whole in [
                "SEARCH d USING INDEX webhook_deliveries_due",
                "AUTOMATIC",
                "SCAN d",
                "SCAN f",
                "SCAN m",
                "SCAN n",
                "SCAN webhook_deliveries",
            ] {
                assert!(!plan.contains(whole), "{whole}: {sql}\n{plan}");
            }
        }
        database.close().await;
    }
}
