//! Keeps checking stored connections, so a broken one is known before somebody needs it, and one that was
//! fixed is used again soon.

use crate::application::checks::{Checks, Patience};
use crate::application::connections::identity::OwnIdentity;
use crate::application::error::{Error, Result};
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, SCHEDULED_CHECK, Store};
use crate::application::kept::vault::random_bytes;
use crate::domain::check::Verdict;
use crate::domain::ids::StorageId;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// After how long the check of a replica that died is made by another one.
const LEASE: Duration = Duration::from_secs(60);
/// A check that takes longer than this is made by the workers for such ones the next time. A healthy
/// storage takes about a second.
const SLOW_AFTER: Duration = Duration::from_secs(8);
/// After how long a check is tried again that could not be made or stored.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// After how long a storage is checked again that does not work, or of which a check could not tell: after one
/// such check in a row, after two, and so on. After these, and where it would be sooner, at the interval.
const SOONER: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// While a scheduled check has been waiting for so long for a worker, no storage is checked sooner: when many
/// break at once, as in an outage, the others are still checked in time.
const LATE: time::Duration = time::Duration::minutes(1);

/// How long a check goes on trying while only faults that may pass come in: three or four tries.
const WAIT: Duration = Duration::from_secs(4);

/// The job that checks a stored connection again and again.
pub struct ScheduledChecks {
    pub store: Arc<dyn Store>,
    pub checks: Arc<Checks>,
    /// While it is down, checks would only fail: this replica makes none.
    pub identity: Arc<OwnIdentity>,
    /// How long after one check the next is due, give or take a tenth; sooner while a storage does not work.
    pub interval: Duration,
    pub pace: CheckPace,
}

/// Which storages: those that answered in time when they were last checked, or the others. The others
/// have workers of their own, so they keep nobody waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckPace {
    InTime,
    Slow,
}

#[async_trait]
impl Job for ScheduledChecks {
    fn kind(&self) -> &'static str {
        SCHEDULED_CHECK
    }

    fn lane(&self) -> Lane {
        match self.pace {
            CheckPace::InTime => Lane::Quick,
            CheckPace::Slow => Lane::Unresponsive,
        }
    }

    fn takes_slow(&self) -> bool {
        self.pace == CheckPace::Slow
    }

    fn most_of_workspace(&self) -> u32 {
        match self.pace {
            CheckPace::InTime => 3,
            CheckPace::Slow => 1,
        }
    }

    /// Until the service's own identity is back. What is overdue then is made by as many workers as always.
    fn is_paused(&self) -> bool {
        self.identity.is_down()
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    /// A check that has begun runs to its end, so it removes its probe object.
    async fn work(&self, job: &ClaimedJob, _: &CancellationToken) -> Result<Next> {
        let began = self.checks.clock.now();
        let start = Instant::now();
        let id = StorageId::parse(&job.subject).map_err(Error::bug)?;
        let Some(storage) = self.store.storage(&job.workspace, &id).await? else {
            return Ok(Next::Ended);
        };
        let bucket = storage.connected();
        let mut in_row = in_row(job);
        let due = match self
            .checks
            .run_now(&bucket, Patience::Change(WAIT), None)
            .await
        {
            // It says nothing about the storage, so the check is made again as if it had not been made.
            Ok(report) if report.verdict() == Verdict::OwnSide => {
                tracing::info!(
                    workspace = %job.workspace, storage = %id, code = report.problem_code(),
                    "a scheduled check failed because of the service's own side, and is made again"
                );
                let pause = RETRY_AFTER.min(self.interval);
                next_check(self.checks.clock.now(), pause, random_bytes()?)
            }
            Ok(report) => {
                in_row = if works(&report.verdict()) {
                    0
                } else {
                    in_row.saturating_add(1)
                };
                let pause = self.pause(in_row).await?;
                next_check(began, pause, random_bytes()?)
            }
            Err(error) => {
                tracing::warn!(
                    workspace = %job.workspace, storage = %id, code = error.code, cause = error.internal,
                    "a scheduled check failed to run"
                );
                self.checks.clock.now() + RETRY_AFTER.min(self.interval)
            }
        };
        Ok(Next::Again {
            due,
            cursor: Some(in_row.to_string()),
            slow: start.elapsed() > SLOW_AFTER,
        })
    }
}

impl ScheduledChecks {
    /// How long until the next check, after so many in a row that did not find the storage working.
    async fn pause(&self, in_row: usize) -> Result<Duration> {
        let Some(sooner) = in_row.checked_sub(1).and_then(|at| SOONER.get(at)) else {
            return Ok(self.interval);
        };
        let now = self.checks.clock.now();
        let longest = self.store.longest_due(SCHEDULED_CHECK, false, now).await?;
        let is_late = longest.is_some_and(|due| now - due > LATE);
        Ok(if is_late {
            self.interval
        } else {
            self.interval.min(*sooner)
        })
    }
}

/// How many checks in a row did not find the storage working. It spaces checks and decides nothing else, so
/// what another release may have left there counts as none.
fn in_row(job: &ClaimedJob) -> usize {
    let cursor = job.cursor.as_deref();
    cursor.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn works(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Works | Verdict::WorksWithWarnings | Verdict::WorksInPart => true,
        Verdict::OpenToOthers(_)
        | Verdict::RefusesUs
        | Verdict::Broken
        | Verdict::Undecided
        | Verdict::OwnSide
        | Verdict::Nothing => false,
    }
}

/// The interval after `began`, moved by up to a tenth of it either way: storages that were added together
/// do not stay together.
fn next_check(began: OffsetDateTime, interval: Duration, random: [u8; 4]) -> OffsetDateTime {
    let part = f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX);
    began + interval.mul_f64(0.9 + part / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_check_is_due_after_the_interval_give_or_take_a_tenth() {
        let hour = Duration::from_secs(3600);
        let after = |random| next_check(OffsetDateTime::UNIX_EPOCH, hour, random);
        let minutes = |at: OffsetDateTime| (at - OffsetDateTime::UNIX_EPOCH).whole_seconds() / 60;
        assert_eq!(minutes(after([0; 4])), 54);
        assert_eq!(minutes(after([255; 4])), 66);
        assert_eq!(minutes(after([128, 0, 0, 0])), 60);
    }
}
