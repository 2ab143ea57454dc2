//! Scheduled checks, on a port that answers at once, refusing, or not at all.

use crate::application::bucket::probe::{Answer, BucketProbe, ExternalIdSent, Prober};
use crate::application::checks::scheduled::{CheckPace, ScheduledChecks};
use crate::application::clock::Clock;
use crate::application::connections::identity::Standing;
use crate::application::jobs::lag::JobLag;
use crate::application::jobs::worker::Worker;
use crate::application::jobs::{Job, Lane};
use crate::application::kept::store::{CheckStore, StorageStore, Store};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::identity_fault::IdentityFault;
use crate::domain::ids::{StorageId, WorkspaceId};
use crate::http::metrics::WorkMetrics;
use crate::it::aws::adapter::Nobody;
use crate::it::database::contract::samples;
use crate::it::projects::fake::{Rig, failure};
use crate::it::support::database::{TestDb, on_both_engines};
use async_trait::async_trait;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

on_both_engines!(
    storages_that_do_not_answer_keep_nobody_waiting,
    the_check_of_a_worker_that_died_is_made_by_another,
    a_broken_storage_is_checked_sooner_at_first,
    nobody_is_checked_sooner_while_others_are_late,
    checks_pause_while_the_services_own_identity_is_down,
);

/// AWS, which says nothing to some workspaces until it is let go, and refuses the others.
#[derive(Default)]
struct Silence {
    of: Mutex<HashSet<WorkspaceId>>,
    /// The workspaces that were asked for, once for each call.
    asked: Mutex<Vec<WorkspaceId>>,
    go: Notify,
    /// Whether the service has no credentials.
    without_credentials: AtomicBool,
}

impl Silence {
    async fn answer(&self, bucket: &ConnectedBucket) -> AwsFailure {
        let workspace = bucket.owner.workspace().clone();
        let go = self.go.notified();
        let silent = self.of.lock().unwrap().contains(&workspace);
        self.asked.lock().unwrap().push(workspace);
        if silent {
            go.await;
        }
        match self.without_credentials.load(Ordering::SeqCst) {
            true => failure(FailureKind::BadCredentials),
            false => failure(FailureKind::AccessDenied),
        }
    }

    fn let_go(&self) {
        self.of.lock().unwrap().clear();
        self.go.notify_waiters();
    }

    fn asked(&self, workspace: &WorkspaceId) -> bool {
        self.asked.lock().unwrap().contains(workspace)
    }
}

#[async_trait]
impl Prober for Silence {
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        match self.without_credentials.load(Ordering::SeqCst) {
            true => Err(failure(FailureKind::BadCredentials)),
            false => Ok(ServiceIdentity {
                account: AccountId::parse("111111111111").unwrap(),
                partition: Partition::parse("aws").unwrap(),
            }),
        }
    }

    async fn forget(&self, _: &Owner) {}

    async fn assume_role_in(
        &self,
        bucket: &ConnectedBucket,
        _: Region,
    ) -> Answer<Arc<dyn BucketProbe>> {
        Err(self.answer(bucket).await)
    }

    async fn assume_role(
        &self,
        bucket: &ConnectedBucket,
        _: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>> {
        Err(self.answer(bucket).await)
    }

    async fn with_key(&self, bucket: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        Err(self.answer(bucket).await)
    }
}

fn worker(rig: &Rig, lane: Lane) -> Worker {
    worker_at(rig, lane, Duration::from_secs(3600))
}

/// One that checks each storage once in this time.
fn worker_at(rig: &Rig, lane: Lane, interval: Duration) -> Worker {
    let store: Arc<dyn Store> = Arc::new(rig.db.database.clone());
    let job = |pace| -> Arc<dyn Job> {
        Arc::new(ScheduledChecks {
            store: store.clone(),
            checks: rig.storages.checks.clone(),
            identity: rig.identity.clone(),
            interval,
            pace,
        })
    };
    Worker {
        lane,
        jobs: Arc::new([job(CheckPace::InTime), job(CheckPace::Slow)]),
        store,
        clock: rig.clock.clone(),
        wake: Arc::new(Notify::new()),
        interval: Duration::from_millis(20),
        observer: Arc::new(Nobody),
    }
}

#[tokio::test]
async fn how_late_checks_are_is_measured() {
    let rig = Rig::new(TestDb::sqlite().await, 10).await;
    let mut registry = Registry::default();
    let lag = JobLag {
        store: Arc::new(rig.db.database.clone()),
        clock: rig.clock.clone(),
        observer: Arc::new(WorkMetrics::register(&mut registry)),
    };
    let shown = || {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
        };
        let lag = value("sallyport_checks_lag_seconds ");
        assert_eq!(value("sallyport_scheduled_checks_lag_seconds "), lag);
        (value("sallyport_checks_overdue "), lag)
    };
    lag.measure().await;
    assert_eq!(shown(), (0.0, 0.0));
    // Its first check was due after a minute.
    rig.clock.forward(Duration::from_secs(160));
    lag.measure().await;
    let (overdue, seconds) = shown();
    assert_eq!(overdue, 1.0);
    assert!((95.0..=101.0).contains(&seconds), "{seconds}");
    // Nobody waits any more.
    let never = CancellationToken::new();
    assert!(worker(&rig, Lane::Quick).round(&never).await.unwrap());
    lag.measure().await;
    assert_eq!(shown(), (0.0, 0.0));
}

/// How many checks of these storages are stored.
async fn checked(rig: &Rig, workspace: &WorkspaceId, storages: &[StorageId]) -> usize {
    let (mut count, all) = (0, samples::all());
    for storage in storages {
        let checks = rig.db.database.list_checks(workspace, storage, &all).await;
        count += checks.unwrap().len();
    }
    count
}

/// Waits until this is so, and fails when it takes longer than fifteen seconds.
macro_rules! until {
    ($is_so:expr) => {
        let end = Instant::now() + Duration::from_secs(15);
        while !$is_so {
            assert!(Instant::now() < end, "not in time: {}", stringify!($is_so));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
}

async fn storages_that_do_not_answer_keep_nobody_waiting(db: TestDb) {
    let silence = Arc::new(Silence::default());
    let rig = Rig::with_prober(db, 10, silence.clone()).await;
    let database = &rig.db.database;
    let (busy, quiet) = (
        samples::workspace(database).await.id,
        samples::workspace(database).await.id,
    );
    let mut ids = [Vec::new(), Vec::new()];
    for _ in 0..8 {
        ids[0].push(samples::storage(database, &busy).await.id);
    }
    for _ in 0..3 {
        ids[1].push(samples::storage(database, &quiet).await.id);
    }
    rig.clock.forward(Duration::from_secs(120));
    silence.of.lock().unwrap().insert(busy.clone());
    let stop = CancellationToken::new();
    let lanes = [[Lane::Quick; 6].as_slice(), &[Lane::Unresponsive; 2]].concat();
    let workers: Vec<_> = lanes
        .into_iter()
        .map(|lane| tokio::spawn(worker(&rig, lane).run(stop.clone())))
        .collect();
    until!(checked(&rig, &quiet, &ids[1]).await == 3);
    assert!(
        silence.asked(&busy),
        "its storages are being checked all the while"
    );
    assert_eq!(checked(&rig, &busy, &ids[0]).await, 0);
    // They have had time enough to count as slow, and have workers of their own from now on.
    tokio::time::sleep(Duration::from_secs(9)).await;
    silence.let_go();
    until!(checked(&rig, &busy, &ids[0]).await == 8);
    let slow = "SELECT workspace_id FROM jobs WHERE kind = 'check' AND slow = 1";
    until!(rig.db.texts(slow, "workspace_id").await.len() == 3);
    let workspaces = rig.db.texts(slow, "workspace_id").await;
    assert!(
        workspaces.iter().all(|id| id == busy.as_str()),
        "{workspaces:?}"
    );
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    // The next time, workers for quick ones leave them alone.
    rig.clock.forward(Duration::from_secs(2 * 3600));
    let never = CancellationToken::new();
    while worker(&rig, Lane::Quick).round(&never).await.unwrap() {}
    assert_eq!(checked(&rig, &busy, &ids[0]).await, 13);
    while worker(&rig, Lane::Unresponsive)
        .round(&never)
        .await
        .unwrap()
    {}
    assert_eq!(checked(&rig, &busy, &ids[0]).await, 16);
}

/// In seconds from now, when the storage is checked next.
async fn due_in(rig: &Rig, storage: &StorageId) -> i64 {
    let sql = format!(
        "SELECT CAST(due_at AS TEXT) AS due FROM jobs WHERE kind = 'check' AND subject_id = '{storage}'"
    );
    let micros: i128 = rig.db.texts(&sql, "due").await[0].parse().unwrap();
    let due = OffsetDateTime::from_unix_timestamp_nanos(micros * 1_000).unwrap();
    (due - rig.clock.now()).whole_seconds()
}

async fn a_broken_storage_is_checked_sooner_at_first(db: TestDb) {
    let rig = Rig::with_prober(db, 10, Arc::new(Silence::default())).await;
    let worker = worker_at(&rig, Lane::Quick, Duration::from_secs(6 * 3600));
    let never = CancellationToken::new();
    let mut wait = 120;
    for minutes in [1, 5, 15, 60, 360, 360] {
        rig.clock.forward(Duration::from_secs(wait));
        assert!(worker.round(&never).await.unwrap());
        let seconds = due_in(&rig, &rig.storage.id).await;
        let about = minutes * 54 - 5..=minutes * 66 + 5;
        assert!(about.contains(&seconds), "{minutes} min: {seconds} s");
        assert!(!worker.round(&never).await.unwrap(), "it is not due yet");
        wait = u64::try_from(seconds).unwrap() + 1;
    }
}

/// While others wait for their check, a broken one has no turn before its time.
async fn nobody_is_checked_sooner_while_others_are_late(db: TestDb) {
    let rig = Rig::with_prober(db, 10, Arc::new(Silence::default())).await;
    let worker = worker(&rig, Lane::Quick);
    let other = samples::workspace(&rig.db.database).await.id;
    let stored = samples::storage(&rig.db.database, &other).await.id;
    rig.clock.forward(Duration::from_secs(60 + 90));
    let never = CancellationToken::new();
    assert!(worker.round(&never).await.unwrap());
    assert!(worker.round(&never).await.unwrap());
    let mut due = [
        due_in(&rig, &rig.storage.id).await,
        due_in(&rig, &stored).await,
    ];
    due.sort_unstable();
    // The first that was checked kept the other waiting; nobody waited for the second.
    assert!((50..=70).contains(&due[0]), "{due:?}");
    assert!((3_200..=4_000).contains(&due[1]), "{due:?}");
}

async fn the_check_of_a_worker_that_died_is_made_by_another(db: TestDb) {
    let silence = Arc::new(Silence::default());
    let rig = Rig::with_prober(db, 10, silence.clone()).await;
    let (workspace, storage) = (rig.workspace.id.clone(), [rig.storage.id.clone()]);
    rig.clock.forward(Duration::from_secs(120));
    silence.of.lock().unwrap().insert(workspace.clone());
    let stop = CancellationToken::new();
    let dying = tokio::spawn(worker(&rig, Lane::Quick).run(stop.clone()));
    until!(silence.asked(&workspace));
    dying.abort();
    let _ = dying.await;
    silence.let_go();
    let other = worker(&rig, Lane::Quick);
    assert!(!other.round(&stop).await.unwrap(), "the lease still runs");
    rig.clock.forward(Duration::from_secs(61));
    assert!(other.round(&stop).await.unwrap());
    assert_eq!(checked(&rig, &workspace, &storage).await, 1);
}

async fn checks_pause_while_the_services_own_identity_is_down(db: TestDb) {
    let silence = Arc::new(Silence::default());
    let rig = Rig::with_prober(db, 10, silence.clone()).await;
    let worker = worker_at(&rig, Lane::Quick, Duration::from_secs(6 * 3600));
    let (never, id) = (CancellationToken::new(), [rig.storage.id.clone()]);
    let made = async || checked(&rig, &rig.workspace.id, &id).await;
    let health = async || {
        let found = rig.db.database.storage(&rig.workspace.id, &id[0]).await;
        let health = found.unwrap().unwrap().health;
        (health.state, health.code, health.since)
    };
    rig.identity.ask().await;
    assert_eq!(rig.identity.standing(), Standing::Known);
    let before = health().await;

    // Nobody has noticed yet: a check is made, and says so.
    silence.without_credentials.store(true, Ordering::SeqCst);
    rig.clock.forward(Duration::from_secs(120));
    assert!(worker.round(&never).await.unwrap());
    assert_eq!((made().await, health().await), (1, before.clone()));
    let seconds = due_in(&rig, &id[0]).await;
    assert!((50..=70).contains(&seconds), "{seconds}");

    // It is known now: however much is due, no check is made.
    rig.identity.ask().await;
    let down = Standing::Down(IdentityFault::NoCredentials);
    assert_eq!(rig.identity.standing(), down);
    rig.clock.forward(Duration::from_secs(24 * 3600));
    for _ in 0..3 {
        assert!(!worker.round(&never).await.unwrap());
    }
    assert_eq!((made().await, health().await), (1, before));

    // What is due is made when it is back, once.
    silence.without_credentials.store(false, Ordering::SeqCst);
    rig.identity.ask().await;
    assert!(worker.round(&never).await.unwrap());
    assert!(!worker.round(&never).await.unwrap());
    assert_eq!(made().await, 2);
}
