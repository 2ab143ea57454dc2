//! Lines: whose job comes next, found without a look at all that are due.
//!
//! A line has the jobs of one workspace, of one kind and pace. Lines whose time has come wait for their turn, and the
//! one that has had none for the longest time comes first. So a workspace with many jobs has one place among the
//! others, like one with a single job. A line that nobody can take a job from leaves its place until there may be one.
//!
//! `due_at` of a line is never later than the first of its jobs that may be taken: triggers see to that, with each job
//! that is added or given back. Whoever finds it too early makes it later, while the line is locked. Then it counts what
//! is stored, also what somebody is just deleting or renewing: that may be rolled back, and no trigger would see it.

mod queue;

pub(super) use queue::{count_due, longest_due};

use crate::application::kept::store::{ClaimedJob, JobClaim, StoreResult};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, values};
use crate::database::record::Record;
use crate::domain::ids::WorkspaceId;
use time::{Duration, OffsetDateTime};

/// How many lines come in together, at most.
const MOST_IN: u32 = 64;
/// How many lines are read together.
const AT_ONCE: u32 = 4;
/// How many times so many are read in one transaction: others write in between.
const READS: usize = 8;
/// How long a worker waits for a line that somebody else holds, on PostgreSQL.
const LOCK_LIMIT: &str = "SELECT set_config('lock_timeout', '200ms', true) AS name";

/// Whether lines wait, and whether the time of others has come.
const ANY: &str = "SELECT
     CAST(CASE WHEN (SELECT MIN(turn) FROM job_lines
         WHERE kind = $1 AND slow = $2 AND is_waiting = 1) IS NULL
         THEN 0 ELSE 1 END AS BIGINT) AS waiting,
     CAST(CASE WHEN (SELECT MIN(due_at) FROM job_lines
         WHERE kind = $1 AND slow = $2 AND is_waiting = 0) <= $3
         THEN 1 ELSE 0 END AS BIGINT) AS arriving";
const LET_IN: &str = "UPDATE job_lines SET is_waiting = 1
     WHERE kind = $1 AND slow = $2 AND workspace_id IN (
         SELECT workspace_id FROM job_lines
         WHERE kind = $1 AND slow = $2 AND is_waiting = 0 AND due_at <= $3
         ORDER BY due_at LIMIT $4)";
/// The same on PostgreSQL.
macro_rules! let_in {
    ($lock:literal) => {
        concat!(
            "UPDATE job_lines SET is_waiting = 1
             WHERE kind = $1 AND slow = $2 AND workspace_id = ANY (ARRAY(
                 SELECT workspace_id FROM job_lines
                 WHERE kind = $1 AND slow = $2 AND is_waiting = 0 AND due_at <= $3
                 ORDER BY due_at LIMIT $4",
            $lock,
            "))"
        )
    };
}
/// The lines that wait, from a place on. The order of the tables is SQLite's order of looking.
macro_rules! waiting {
    ($lock:literal) => {
        concat!(
            "SELECT l.workspace_id AS id, l.turn, l.due_at,
                 CAST(CASE WHEN w.suspended_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_suspended
             FROM job_lines l CROSS JOIN workspaces w
             WHERE l.kind = $1 AND l.slow = $2 AND l.is_waiting = 1
                 AND (l.turn, l.due_at, l.workspace_id) > ($3, $4, $5) AND w.id = l.workspace_id
             ORDER BY l.turn, l.due_at, l.workspace_id LIMIT $6",
            $lock
        )
    };
}
const WAITING: &str = waiting!("");
/// When the next jobs of a line are due that nobody holds. Nearly all have a lease in the past; the plus keeps SQLite
/// from looking for them by that.
const NEXT: &str = "SELECT j.subject_id AS id, j.due_at FROM jobs j
     WHERE j.kind = $1 AND j.slow = $2 AND j.workspace_id = $3 AND +j.lease_until < $4
     ORDER BY j.due_at, j.subject_id LIMIT 2";
/// Takes the first that is due.
macro_rules! take_one {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET worker = $5, lease_until = $6 WHERE kind = $1 AND subject_id = (
                 SELECT j.subject_id FROM jobs j
                 WHERE j.kind = $1 AND j.slow = $2 AND j.workspace_id = $3
                     AND j.due_at <= $4 AND +j.lease_until < $4
                 ORDER BY j.due_at, j.subject_id LIMIT 1",
            $lock,
            ") RETURNING subject_id AS id, kind, workspace_id, payload, job_cursor"
        )
    };
}
const TAKE_ONE: &str = take_one!("");
/// The jobs of a line that are held. That leases are above 0 is there for the index.
const HELD: &str = "SELECT COUNT(*) AS number, MIN(lease_until) AS lease_until FROM jobs
     WHERE kind = $1 AND slow = $2 AND workspace_id = $3
         AND lease_until > 0 AND lease_until >= $4";
/// A line leaves its place, or keeps it. Without a time there is no job to wait for.
const MOVE: &str =
    "UPDATE job_lines SET due_at = COALESCE($4, 9223372036854775807), is_waiting = $5
     WHERE kind = $1 AND slow = $2 AND workspace_id = $3";
/// The same for a line that has had its turn. Turns are numbered: clocks of replicas differ.
const MOVE_TO_END: &str = "UPDATE job_lines SET
         due_at = COALESCE($4, 9223372036854775807), is_waiting = $5,
         turn = 1 + (SELECT COALESCE(MAX(last.turn), 0) FROM (
             SELECT MAX(w.turn) AS turn FROM job_lines w
             WHERE w.kind = $1 AND w.slow = $2 AND w.is_waiting = 1
             UNION ALL
             SELECT MAX(r.turn) AS turn FROM job_lines r
             WHERE r.kind = $1 AND r.slow = $2 AND r.is_waiting = 0) last)
     WHERE kind = $1 AND slow = $2 AND workspace_id = $3";

/// A place among the lines that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    turn: i64,
    due: i64,
    workspace: String,
}

impl Place {
    /// Before all lines.
    pub fn first() -> Self {
        Self {
            turn: i64::MIN,
            due: i64::MIN,
            workspace: String::new(),
        }
    }
}

/// How a worker comes by lines that others hold. Whoever adds a job or gives one back holds its line until the commit.
/// SQLite has one writer at a time anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It waits for them, for [`LOCK_LIMIT`] at most. So a line that many add jobs to is not passed over again and
    /// again.
    Short,
    /// It passes them over, and they keep their places. So a change that takes long, like the end of a large workspace,
    /// keeps no other's jobs waiting.
    No,
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines {
    pub waiting: bool,
    /// The time of others has come.
    pub arriving: bool,
}

/// What a worker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Job(ClaimedJob),
    /// No line has a job for it.
    Nothing,
    /// Nothing so far. In another transaction it goes on from here.
    GoOnFrom(Place),
}

/// A line that waits.
struct Line {
    place: Place,
    is_suspended: bool,
}

/// The jobs of a line that are held.
struct Held {
    number: u64,
    /// When the first lease of them ends.
    until: Option<OffsetDateTime>,
}

/// Looks whether there may be anything, at little cost.
pub(super) async fn look(database: &Database, claim: &JobClaim<'_>) -> StoreResult<Lines> {
    let given = values![claim.kind, i64::from(claim.slow), claim.now];
    let rows = database.fetch_all(ANY, given).await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(Lines {
            waiting: false,
            arriving: false,
        });
    };
    let record = Record::named("job_lines".to_owned(), row);
    Ok(Lines {
        waiting: record.int("waiting")? != 0,
        arriving: record.int("arriving")? != 0,
    })
}

/// Sets how long the transaction waits for lines that others hold. It has its turn among the claims by then.
pub(super) async fn bound_waits(tx: &mut Tx, patience: Patience) -> StoreResult<()> {
    match patience {
        Patience::Short if tx.is_postgres() => {
            tx.fetch_optional(LOCK_LIMIT, values![]).await.map(drop)
        }
        Patience::Short | Patience::No => Ok(()),
    }
}

/// Lets lines in whose time has come, those first that have been due the longest. True when there may be more.
pub(super) async fn let_in(
    tx: &mut Tx,
    claim: &JobClaim<'_>,
    patience: Patience,
) -> StoreResult<bool> {
    let sql = Sql::Each {
        sqlite: LET_IN,
        postgres: match patience {
            Patience::Short => let_in!(" FOR UPDATE"),
            Patience::No => let_in!(" FOR UPDATE SKIP LOCKED"),
        },
    };
    let given = values![claim.kind, i64::from(claim.slow), claim.now, MOST_IN];
    Ok(tx.execute(sql, given).await? >= u64::from(MOST_IN))
}

/// Takes a job of the line whose turn it is, among those after a place. Lines that have none leave their place.
pub(super) async fn take(
    tx: &mut Tx,
    claim: &JobClaim<'_>,
    after: &Place,
    patience: Patience,
) -> StoreResult<Found> {
    let mut place = after.clone();
    for _ in 0..READS {
        let lines = tx
            .fetch_all(
                Sql::Each {
                    sqlite: WAITING,
                    postgres: match patience {
                        Patience::Short => waiting!(" FOR UPDATE OF l"),
                        Patience::No => waiting!(" FOR UPDATE OF l SKIP LOCKED"),
                    },
                },
                values![
                    claim.kind,
                    i64::from(claim.slow),
                    place.turn,
                    place.due,
                    place.workspace.as_str(),
                    AT_ONCE
                ],
            )
            .await?;
        if lines.is_empty() {
            return Ok(Found::Nothing);
        }
        for row in lines {
            let record = Record::new("job_lines", row)?;
            let line = Line {
                place: Place {
                    turn: record.int("turn")?,
                    due: record.int("due_at")?,
                    workspace: record.text("id")?,
                },
                is_suspended: record.int("is_suspended")? != 0,
            };
            if let Some(job) = serve(tx, claim, &line).await? {
                return Ok(Found::Job(job));
            }
            place = line.place;
        }
    }
    Ok(Found::GoOnFrom(place))
}

/// Takes the next job of a line, if there is one to be taken.
async fn serve(tx: &mut Tx, claim: &JobClaim<'_>, line: &Line) -> StoreResult<Option<ClaimedJob>> {
    let workspace = line.place.workspace.as_str();
    if line.is_suspended && is_suspended(tx, workspace).await? {
        move_line(tx, claim, MOVE, workspace, None).await?;
        return Ok(None);
    }
    let held = held(tx, claim, workspace).await?;
    if held.number >= u64::from(claim.most_of_workspace) {
        // It keeps its place for when one is given back.
        return Ok(None);
    }
    let given = values![claim.kind, i64::from(claim.slow), workspace, claim.now];
    let mut next = Vec::with_capacity(2);
    for row in tx.fetch_all(NEXT, given).await? {
        let record = Record::new("jobs", row)?;
        next.push((record.text("id")?, record.time("due_at")?));
    }
    let mut next = next.into_iter();
    let (first, due) = match next.next() {
        Some((first, due)) if due <= claim.now => (first, due),
        resting => {
            let again = earliest(resting.map(|(_, due)| due), held.until);
            move_line(tx, claim, MOVE, workspace, again).await?;
            return Ok(None);
        }
    };
    let Some(job) = take_one(tx, claim, workspace).await? else {
        // Others hold all that are due, for as long as their transactions last. It keeps its place.
        return Ok(None);
    };
    // One that was passed over may come back: then it is still the first.
    let left = match job.subject == first {
        true => next.next().map(|(_, due)| due),
        false => Some(due),
    };
    let leases = [Some(claim.lease_until), held.until];
    let again = earliest(left, leases.into_iter().flatten().min());
    move_line(tx, claim, MOVE_TO_END, workspace, again).await?;
    Ok(Some(job))
}

/// Whether the workspace of a line is suspended. What was read together with the lock may be of before: the row of the
/// workspace is not locked with it. Whoever ends the suspension from now on waits for the line.
async fn is_suspended(tx: &mut Tx, workspace: &str) -> StoreResult<bool> {
    let found = tx
        .fetch_optional(
            "SELECT id FROM workspaces WHERE id = $1 AND suspended_at IS NOT NULL",
            values![workspace],
        )
        .await?;
    Ok(found.is_some())
}

async fn take_one(
    tx: &mut Tx,
    claim: &JobClaim<'_>,
    workspace: &str,
) -> StoreResult<Option<ClaimedJob>> {
    let taken = tx
        .fetch_optional(
            Sql::Each {
                sqlite: TAKE_ONE,
                // One that is just being deleted, or given back, is left to whoever does that.
                postgres: take_one!(" FOR UPDATE SKIP LOCKED"),
            },
            values![
                claim.kind,
                i64::from(claim.slow),
                workspace,
                claim.now,
                claim.worker,
                claim.lease_until
            ],
        )
        .await?;
    let Some(row) = taken else {
        return Ok(None);
    };
    let job = Record::new("jobs", row)?;
    Ok(Some(ClaimedJob {
        kind: job.text("kind")?,
        workspace: job.parse("workspace_id", WorkspaceId::parse)?,
        subject: job.text("id")?,
        payload: job.text("payload")?,
        cursor: job.text_opt("job_cursor")?,
        worker: claim.worker.to_owned(),
    }))
}

/// When a job may be taken: one that nobody holds is due at this time, and the first lease ends at the other.
fn earliest(due: Option<OffsetDateTime>, lease: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    let over = lease.map(|until| until.saturating_add(Duration::microseconds(1)));
    [due, over].into_iter().flatten().min()
}

async fn held(tx: &mut Tx, claim: &JobClaim<'_>, workspace: &str) -> StoreResult<Held> {
    let given = values![claim.kind, i64::from(claim.slow), workspace, claim.now];
    let Some(row) = tx.fetch_optional(HELD, given).await? else {
        return Ok(Held {
            number: 0,
            until: None,
        });
    };
    let record = Record::named("jobs".to_owned(), row);
    Ok(Held {
        number: record.number("number")?,
        until: record.time_opt("lease_until")?,
    })
}

async fn move_line(
    tx: &mut Tx,
    claim: &JobClaim<'_>,
    sql: &'static str,
    workspace: &str,
    due: Option<OffsetDateTime>,
) -> StoreResult<()> {
    let is_waiting = due.is_some_and(|due| due <= claim.now);
    let given = values![
        claim.kind,
        i64::from(claim.slow),
        workspace,
        due,
        i64::from(is_waiting)
    ];
    tx.execute(sql, given).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::queue::{COUNT, OLDEST};
    use super::*;
    use crate::database::DatabaseUrl;
    use crate::database::query_plan::sqlite_plan;

    /// With a job for each storage, what looks at all of them takes longer the more there are.
    #[tokio::test]
    async fn sqlite_finds_what_comes_next_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite_file(&folder.path().join("x.db"));
        let database = Database::connect(&url).await.unwrap();
        for (sql, indexes) in [
            (ANY, &["job_lines_turn", "job_lines_due"][..]),
            (LET_IN, &["job_lines_due"]),
            (WAITING, &["SEARCH l USING COVERING INDEX job_lines_turn"]),
            (NEXT, &["SEARCH j USING INDEX jobs_of_line"]),
            (TAKE_ONE, &["SEARCH j USING INDEX jobs_of_line"]),
            (HELD, &["INDEX jobs_held_of_line"]),
            (MOVE_TO_END, &["job_lines_turn"]),
            (OLDEST, &["job_lines_due", "jobs_of_line"]),
            (
                COUNT,
                &[
                    "COVERING INDEX jobs_to_do",
                    "workspaces_suspended",
                    "jobs_of_line",
                ],
            ),
            (
                "DELETE FROM jobs WHERE workspace_id = $1",
                &["INDEX jobs_of_workspace"],
            ),
        ] {
            let plan = sqlite_plan(&database, sql).await;
            for index in indexes {
                assert!(plan.contains(index), "{index}: {sql}\n{plan}");
            }
            for whole in ["SCAN job_lines", "SCAN jobs", "SCAN l USING", "SCAN j"] {
                assert!(!plan.contains(whole), "{whole}: {sql}\n{plan}");
            }
            // The lines that were found may be sorted once more: they are few.
            assert!(
                sql == OLDEST || !plan.contains("TEMP B-TREE"),
                "{sql}\n{plan}"
            );
        }
        database.close().await;
    }
}
