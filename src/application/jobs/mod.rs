//! Work in the background: each kind of it is a [`Job`], and [`worker::Worker`]s do it.
//!
//! Jobs are rows of one table ([`JobStore`](crate::application::kept::store::JobStore)), shared by all
//! replicas. A worker holds a job by a lease. When the worker dies, another one takes the job after the
//! lease has ended. A new kind of job is a type that implements [`Job`], and one entry where `startup`
//! lists them.

pub mod janitor;
pub mod lag;
pub mod worker;

use crate::application::error::Result;
use crate::application::kept::store::ClaimedJob;
use async_trait::async_trait;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Which workers do a job. Jobs of one lane never wait for those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Ends within seconds.
    Quick,
    /// Took long the last time, as when a storage does not answer.
    Unresponsive,
    /// May take minutes or hours.
    Slow,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Quick, Self::Unresponsive, Self::Slow];
}

/// What becomes of a job after some work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is nothing more to do.
    Ended,
    /// It goes on at this time, from its cursor: a new one, or the stored one.
    Again {
        due: OffsetDateTime,
        cursor: Option<String>,
        /// Whether the work took long for its kind. Such jobs have workers of their own the next time.
        slow: bool,
    },
    /// Its row was ended together with the rows that it made, or it is another worker's by now.
    Settled,
}

/// A kind of job.
#[async_trait]
pub trait Job: Send + Sync {
    /// The kind's name in the database: stable.
    fn kind(&self) -> &'static str;

    fn lane(&self) -> Lane;

    /// Whether it takes the jobs of its kind that took long the last time, or the others.
    fn takes_slow(&self) -> bool {
        false
    }

    /// How many jobs one workspace has in work, on all replicas together.
    fn most_of_workspace(&self) -> u32 {
        u32::MAX
    }

    /// Whether this replica takes no job of the kind for now. Other replicas may.
    fn is_paused(&self) -> bool {
        false
    }

    /// After how long another worker takes the job of one that died. The worker extends the lease while
    /// it works.
    fn lease(&self) -> Duration;

    /// Works on the job until it ends, has to pause, or `stop`: at a shutdown, and when the job is not
    /// this worker's any more. An error, like a stop, gives the job back:
    /// any worker may take it again at once.
    async fn work(&self, job: &ClaimedJob, stop: &CancellationToken) -> Result<Next>;
}
