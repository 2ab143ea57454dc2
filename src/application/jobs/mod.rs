//! Work in the background: each kind of it is a [`Job`], and [`worker::Worker`]s do it.
//!
//! Jobs are rows of one table ([`JobStore`](crate::application::kept::store::JobStore)), shared by all
//! replicas. A worker holds a job by a lease. When the worker dies, another one takes the job after the
//! lease has ended. A new kind of job is a type that implements [`Job`], and one entry where `startup`
//! lists them.

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
    /// May take minutes or hours.
    Slow,
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

    /// How long a worker holds a job. Work that takes longer extends the lease with each step that it
    /// stores.
    fn lease(&self) -> Duration;

    /// Works on the job until it ends, has to pause, or `stop`. An error, like a stop, gives the job back:
    /// any worker may take it again at once.
    async fn work(&self, job: &ClaimedJob, stop: &CancellationToken) -> Result<Next>;
}
