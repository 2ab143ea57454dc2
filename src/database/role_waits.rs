//! Which setups wait for their role. Replicas take tries from one table, so that all of them together keep
//! to one pace.

use crate::application::kept::store::{RoleWaitStore, StoreResult, TryPace, TryResult};
use crate::database::Database;
use crate::database::checks::reports_of_setup;
use crate::database::engine::values;
use crate::database::events::write_of_setups;
use crate::database::jobs::one_claim_at_a_time;
use crate::database::record::Record;
use crate::domain::check::CheckReport;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::event::EventType;
use crate::domain::ids::{CheckId, SetupId, StorageId, WorkspaceId};
use crate::domain::role_wait::{RoleWait, TryOutcome};
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.setup_id AS id, w.setup_id, w.workspace_id, w.role_arn, w.since, w.due, w.tries,
                 w.unwatched_tries, w.last_tried_at, w.outcome, w.watched_until, w.appeared_at
             FROM role_waits w ",
            $rest
        )
    };
}

/// The name under which replicas take turns.
const CLAIM: &str = "role_wait";

#[async_trait]
impl RoleWaitStore for Database {
    async fn wait_for_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        role: &RoleArn,
        now: OffsetDateTime,
        due: OffsetDateTime,
    ) -> StoreResult<()> {
        // The last try stays known: the pace counts it.
        self.execute(
            "INSERT INTO role_waits (setup_id, workspace_id, role_arn, since, due)
             SELECT id, workspace_id, $3, $4, $5 FROM setups
             WHERE workspace_id = $1 AND id = $2 AND status = 'open'
             ON CONFLICT (setup_id) DO UPDATE SET
                 role_arn = excluded.role_arn, since = excluded.since, due = excluded.due, tries = 0,
                 unwatched_tries = 0, outcome = NULL, appeared_at = NULL
             WHERE role_waits.role_arn <> excluded.role_arn",
            values![workspace.as_str(), setup.as_str(), role.as_str(), now, due],
        )
        .await
        .map(drop)
    }

    async fn wait_for_no_role(&self, workspace: &WorkspaceId, setup: &SetupId) -> StoreResult<()> {
        self.execute(
            "DELETE FROM role_waits WHERE workspace_id = $1 AND setup_id = $2",
            values![workspace.as_str(), setup.as_str()],
        )
        .await
        .map(drop)
    }

    async fn role_wait(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<RoleWait>> {
        self.fetch_record(
            "role_waits",
            select!("WHERE w.workspace_id = $1 AND w.setup_id = $2"),
            values![workspace.as_str(), setup.as_str()],
            wait,
        )
        .await
    }

    async fn count_role_waits(&self) -> StoreResult<u64> {
        let counted: Vec<u64> = self
            .fetch_records(
                "role_waits",
                "SELECT 'all' AS id, COUNT(*) AS number FROM role_waits WHERE due IS NOT NULL",
                values![],
                |record| record.number("number"),
            )
            .await?;
        Ok(counted.into_iter().sum())
    }

    async fn watch_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        now: OffsetDateTime,
        until: OffsetDateTime,
        pause: Duration,
    ) -> StoreResult<()> {
        // Who began a try has moved `due` away from the last one; it is not brought nearer than the pause.
        self.execute(
            "UPDATE role_waits SET
                 watched_until = $4, unwatched_tries = 0,
                 due = CASE
                     WHEN last_tried_at IS NULL AND due > $3 THEN $3
                     WHEN due > last_tried_at + $5 THEN last_tried_at + $5
                     ELSE due END
             WHERE workspace_id = $1 AND setup_id = $2
                 AND (watched_until IS NULL OR watched_until < $4)",
            values![
                workspace.as_str(),
                setup.as_str(),
                now,
                until,
                microseconds(pause)
            ],
        )
        .await
        .map(drop)
    }

    async fn begin_role_tries(
        &self,
        now: OffsetDateTime,
        pace: TryPace,
    ) -> StoreResult<Vec<RoleWait>> {
        // Most often nothing is due, and then nobody waits for a turn.
        let due = self
            .fetch_records(
                "role_waits",
                "SELECT setup_id AS id FROM role_waits WHERE due <= $1
                     AND workspace_id NOT IN (
                         SELECT id FROM workspaces WHERE suspended_at IS NOT NULL)
                 LIMIT 1",
                values![now],
                |record| record.text("id"),
            )
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        one_claim_at_a_time(&mut tx, CLAIM).await?;
        let recently = now - pace.apart;
        // The oldest of each workspace that has not had its turn. One that is suspended has none.
        let rows = tx
            .fetch_all(
                select!(
                    "WHERE w.due <= $1
                         AND w.workspace_id NOT IN (
                             SELECT s.id FROM workspaces s WHERE s.suspended_at IS NOT NULL)
                         AND w.due = (SELECT MIN(m.due) FROM role_waits m
                                      WHERE m.workspace_id = w.workspace_id)
                         AND NOT EXISTS (SELECT 1 FROM role_waits r
                                         WHERE r.workspace_id = w.workspace_id
                                             AND r.last_tried_at > $2)
                     ORDER BY w.due, w.setup_id LIMIT $3"
                ),
                values![now, recently, pace.most],
            )
            .await?;
        let recent = tx
            .fetch_optional(
                "SELECT 'all' AS id, COUNT(*) AS recent FROM role_waits WHERE last_tried_at > $1",
                values![recently],
            )
            .await?;
        let recent: u32 = match recent {
            Some(row) => Record::named("role_waits".to_owned(), row).number("recent")?,
            None => 0,
        };
        let mut waits: Vec<RoleWait> = Vec::new();
        for row in rows {
            let mut next = wait(&Record::new("role_waits", row)?)?;
            let is_full = waits.len() >= pace.most.saturating_sub(recent) as usize;
            if is_full || waits.iter().any(|taken| taken.workspace == next.workspace) {
                continue;
            }
            next.tries = next.tries.saturating_add(1);
            next.unwatched_tries = match next.is_watched(now) {
                true => 0,
                false => next.unwatched_tries.saturating_add(1),
            };
            next.last_tried_at = Some(now);
            next.due = Some(now + pace.lease);
            tx.execute(
                "UPDATE role_waits SET tries = $2, unwatched_tries = $3, last_tried_at = $4, due = $5
                 WHERE setup_id = $1",
                values![
                    next.setup.as_str(),
                    next.tries,
                    next.unwatched_tries,
                    now,
                    now + pace.lease
                ],
            )
            .await?;
            waits.push(next);
        }
        tx.commit().await?;
        Ok(waits)
    }

    async fn record_role_try(&self, wait: &RoleWait, result: TryResult) -> StoreResult<()> {
        self.execute(
            "UPDATE role_waits SET outcome = $4, due = $5
             WHERE workspace_id = $1 AND setup_id = $2 AND role_arn = $3 AND appeared_at IS NULL",
            values![
                wait.workspace.as_str(),
                wait.setup.as_str(),
                wait.role_arn.as_str(),
                result.outcome.as_str(),
                result.due
            ],
        )
        .await
        .map(drop)
    }

    async fn record_role(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        role: &RoleArn,
        now: OffsetDateTime,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        let recorded = tx
            .execute(
            "INSERT INTO role_waits (setup_id, workspace_id, role_arn, since, outcome, appeared_at)
             SELECT id, workspace_id, $3, $4, $5, $4 FROM setups
             WHERE workspace_id = $1 AND id = $2
             ON CONFLICT (setup_id) DO UPDATE SET
                 role_arn = excluded.role_arn, due = NULL, outcome = excluded.outcome,
                 appeared_at = excluded.appeared_at
             WHERE role_waits.appeared_at IS NULL OR role_waits.role_arn <> excluded.role_arn",
            values![
                workspace.as_str(),
                setup.as_str(),
                role.as_str(),
                now,
                TryOutcome::Appeared.as_str()
            ],
        )
        .await?;
        if recorded == 1 {
            let setup = tx
                .fetch_all(
                    "SELECT id, workspace_id, on_behalf_of FROM setups
                     WHERE workspace_id = $1 AND id = $2",
                    values![workspace.as_str(), setup.as_str()],
                )
                .await?;
            write_of_setups(&mut tx, EventType::SetupRoleAppeared, setup).await?;
        }
        tx.commit().await
    }

    async fn checks_of_setup(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        after: Option<&CheckId>,
        limit: u32,
    ) -> StoreResult<Vec<CheckReport>> {
        reports_of_setup(self, workspace, setup, after, limit).await
    }

    async fn storage_of_setup(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
    ) -> StoreResult<Option<StorageId>> {
        self.fetch_record(
            "storages",
            "SELECT id FROM storages WHERE workspace_id = $1 AND setup_id = $2",
            values![workspace.as_str(), setup.as_str()],
            |record| record.parse("id", StorageId::parse),
        )
        .await
    }

    async fn dialog_is_open(
        &self,
        workspace: &WorkspaceId,
        setup: &SetupId,
        now: OffsetDateTime,
        begins: bool,
    ) -> StoreResult<()> {
        self.execute(
            "UPDATE setups SET dialog_open_at = $3
             WHERE workspace_id = $1 AND id = $2 AND (dialog_open_at IS NOT NULL OR $4 = 1)",
            values![workspace.as_str(), setup.as_str(), now, i64::from(begins)],
        )
        .await
        .map(drop)
    }
}

/// As times are kept.
fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}

fn wait(record: &Record) -> StoreResult<RoleWait> {
    Ok(RoleWait {
        workspace: record.parse("workspace_id", WorkspaceId::parse)?,
        setup: record.parse("setup_id", SetupId::parse)?,
        role_arn: record.parse("role_arn", RoleArn::parse)?,
        since: record.time("since")?,
        due: record.time_opt("due")?,
        tries: record.number("tries")?,
        unwatched_tries: record.number("unwatched_tries")?,
        last_tried_at: record.time_opt("last_tried_at")?,
        outcome: record.parse_opt("outcome", TryOutcome::parse)?,
        watched_until: record.time_opt("watched_until")?,
        appeared_at: record.time_opt("appeared_at")?,
    })
}
