//! Running a check and keeping its report: the same for setups and storages.

mod bucket_steps;
pub mod checker;
mod cors_step;
mod further_looks;
mod health;
pub mod limits;
mod object_steps;
mod pending;
mod probe_steps;
mod probe_turns;
mod recorder;
mod retry;
mod role_steps;
mod run;
pub mod scheduled;

pub use retry::{LONGEST_WAIT, Patience};
pub use role_steps::is_proven;

use crate::application::bucket::port::Bucket;
use crate::application::checks::checker::ConnectionChecker;
use crate::application::checks::limits::CheckLimits;
use crate::application::checks::retry::check_until_passed;
use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::kept::store::{CheckTarget, Store};
use crate::application::observe::Observer;
use crate::application::people::usage::UsageMeter;
use crate::domain::check::{CheckReport, Step, Verdict};
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::ids::CheckId;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub struct Checks {
    pub store: Arc<dyn Store>,
    pub checker: Arc<ConnectionChecker>,
    /// Whose sessions end when a check finds that they must.
    pub bucket: Arc<dyn Bucket>,
    pub limits: CheckLimits,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
    pub usage: Arc<UsageMeter>,
    /// Running checks, which a shutdown waits for.
    pub running: TaskTracker,
}

impl Checks {
    /// Runs a check that somebody asked for, within the workspace's limits.
    pub async fn run(
        self: &Arc<Self>,
        bucket: ConnectedBucket,
        patience: Patience,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let permit = self.limits.enter(bucket.owner.workspace())?;
        let checks = self.clone();
        // In a task of its own: when the client goes away the check still ends, cleans up its probe
        // object and keeps its report.
        let work = async move {
            let report = checks.run_now(&bucket, patience, listener).await;
            drop(permit);
            report
        };
        let task = self.running.spawn(work.in_current_span());
        task.await.map_err(Error::bug)?
    }

    /// Runs a check of the service's own.
    pub async fn run_now(
        &self,
        bucket: &ConnectedBucket,
        patience: Patience,
        listener: Option<UnboundedSender<Step>>,
    ) -> Result<CheckReport> {
        let report = self.examine(bucket, patience, listener).await;
        let target = match &bucket.owner {
            Owner::Setup(_, setup) => CheckTarget::Setup(setup.clone()),
            Owner::Storage(_, storage) => CheckTarget::Storage(storage.clone()),
            // The built-in storage has no record to keep it with.
            Owner::BuiltIn(_) => return Ok(report),
            Owner::Pending(..) => {
                return Err(Error::bug("a pending change is checked by `run_pending`"));
            }
        };
        let recorded = self
            .store
            .record_check(bucket.owner.workspace(), &target, &report)
            .await;
        // Also when the report could not be stored. The row that forbids the use of a storage is read for
        // each request; sessions are kept by each replica, and another's end within an hour.
        match report.verdict() {
            Verdict::OpenToOthers(_) | Verdict::RefusesUs => {
                self.bucket.forget(&bucket.owner).await;
            }
            Verdict::Works
            | Verdict::WorksWithWarnings
            | Verdict::WorksInPart
            | Verdict::Broken
            | Verdict::Undecided
            | Verdict::OwnSide
            | Verdict::Nothing => {}
        }
        self.publish(&recorded?);
        Ok(report)
    }

    /// Runs a check and reports it, without keeping the report.
    pub async fn examine(
        &self,
        bucket: &ConnectedBucket,
        patience: Patience,
        listener: Option<UnboundedSender<Step>>,
    ) -> CheckReport {
        let started_at = self.clock.now();
        let start = Instant::now();
        let (findings, attempts) =
            check_until_passed(&self.checker, bucket, patience, listener).await;
        // Before the report is stored: nobody who reads it may still meet what was before.
        self.checker.drop_outdated_sessions(bucket, &findings).await;
        let report = CheckReport {
            id: CheckId::generate(),
            target: bucket.owner.to_string(),
            revision: bucket.revision,
            started_at,
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            region: findings.region,
            steps: findings.steps,
            attempts,
        };
        self.observer.checked_connection(report.outcome());
        self.usage.checked(bucket.owner.workspace());
        tracing::info!(
            target = report.target,
            outcome = report.outcome().as_str(),
            duration_ms = report.duration_ms,
            attempts,
            "checked a connection"
        );
        report
    }
}
