//! How long the jobs of a queue wait, and how many do.

use crate::application::kept::store::StoreResult;
use crate::database::Database;
use crate::database::engine::{Value, values};
use crate::database::record::Record;
use time::OffsetDateTime;

/// How many lines are read together to find what has been due for the longest time.
const OLDEST_AT_ONCE: u32 = 64;

/// Lines by the time that none of their jobs is due before, and since when one really is. Nothing of a suspended
/// workspace is.
pub(super) const OLDEST: &str = "SELECT l.workspace_id AS id, l.due_at AS not_before,
         (SELECT j.due_at FROM jobs j
          WHERE j.kind = $1 AND j.slow = $2 AND j.workspace_id = l.workspace_id
              AND j.due_at <= $4 AND +j.lease_until < $4
              AND NOT EXISTS (SELECT 1 FROM workspaces w
                              WHERE w.id = l.workspace_id AND w.suspended_at IS NOT NULL)
          ORDER BY j.due_at, j.subject_id LIMIT 1) AS due_at
     FROM (SELECT workspace_id, due_at FROM job_lines
           WHERE kind = $1 AND slow = $2 AND is_waiting = $3 AND due_at <= $4
               AND (due_at, workspace_id) > ($5, $6)
           ORDER BY due_at, workspace_id LIMIT $7) l
     ORDER BY l.due_at, l.workspace_id";
/// All that are due, less those that are held, less those of suspended workspaces. Indexes alone answer the first,
/// which may be large; the others are small.
pub(super) const COUNT: &str = "SELECT
     (SELECT COUNT(*) FROM jobs WHERE kind = $1 AND slow = $2 AND due_at <= $3)
     - (SELECT COUNT(*) FROM jobs
        WHERE kind = $1 AND slow = $2 AND lease_until > 0 AND lease_until >= $3 AND +due_at <= $3)
     - (SELECT CAST(COALESCE(SUM(
            (SELECT COUNT(*) FROM jobs j
             WHERE j.kind = $1 AND j.slow = $2 AND j.workspace_id = l.workspace_id
                 AND j.due_at <= $3 AND +j.lease_until < $3)), 0) AS BIGINT)
        FROM job_lines l
        WHERE l.kind = $1 AND l.slow = $2 AND l.workspace_id IN (
            SELECT w.id FROM workspaces w WHERE w.suspended_at IS NOT NULL)) AS number";

/// Since when the job has been due that waits longest.
pub(in crate::database) async fn longest_due(
    database: &Database,
    kind: &str,
    slow: bool,
    now: OffsetDateTime,
) -> StoreResult<Option<OffsetDateTime>> {
    let mut longest: Option<OffsetDateTime> = None;
    for is_waiting in [1_i64, 0] {
        let mut not_before = Value::Int(Some(i64::MIN));
        let mut workspace = String::new();
        loop {
            let given: Vec<Value> = values![
                kind,
                i64::from(slow),
                is_waiting,
                now,
                not_before.clone(),
                workspace.as_str(),
                OLDEST_AT_ONCE
            ];
            let lines = database
                .fetch_records("job_lines", OLDEST, given, |line| {
                    Ok((
                        line.time("not_before")?,
                        line.text("id")?,
                        line.time_opt("due_at")?,
                    ))
                })
                .await?;
            let found = lines.iter().filter_map(|(.., due)| *due).min();
            longest = [longest, found].into_iter().flatten().min();
            let Some((last, of, _)) = lines.into_iter().next_back() else {
                break;
            };
            // What follows is not due before that.
            if longest.is_some_and(|longest| longest <= last) {
                break;
            }
            (not_before, workspace) = (last.into(), of);
        }
    }
    Ok(longest)
}

/// How many jobs are due that nobody holds.
pub(in crate::database) async fn count_due(
    database: &Database,
    kind: &str,
    slow: bool,
    now: OffsetDateTime,
) -> StoreResult<u64> {
    let rows = database
        .fetch_all(COUNT, values![kind, i64::from(slow), now])
        .await?;
    match rows.into_iter().next() {
        Some(row) => Record::named("jobs".to_owned(), row).number("number"),
        None => Ok(0),
    }
}
