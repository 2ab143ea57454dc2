//! How often a role is tried that a setup waits for, by a clock that the test moves.

use crate::application::bucket::probe::{Answer, BucketProbe, ExternalIdSent, Prober};
use crate::application::clock::Clock;
use crate::application::kept::store::Store;
use crate::application::setups::Setups;
use crate::application::setups::waiting::RoleWaits;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::role_wait::WATCHED;
use crate::domain::setup::Setup;
use crate::it::database::contract::samples;
use crate::it::projects::fake::{NobodyCounts, Rig, failure};
use crate::it::support::database::{TestDb, on_both_engines};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio_util::task::TaskTracker;

on_both_engines!(
    a_role_that_nobody_watches_is_tried_ever_more_rarely,
    a_role_that_is_watched_is_tried_every_three_seconds_and_then_rarely_again,
);

/// A role that refuses, and counts.
#[derive(Default)]
struct Refusing(AtomicUsize);

#[async_trait]
impl Prober for Refusing {
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        Err(failure(FailureKind::Network))
    }

    async fn assume_role(
        &self,
        _: &ConnectedBucket,
        _: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>> {
        self.0.fetch_add(1, SeqCst);
        Err(failure(FailureKind::AccessDenied))
    }

    async fn with_key(&self, _: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        Err(failure(FailureKind::Network))
    }

    async fn assume_role_in(&self, _: &ConnectedBucket, _: Region) -> Answer<Arc<dyn BucketProbe>> {
        Err(failure(FailureKind::Network))
    }

    async fn forget(&self, _: &Owner) {}
}

/// A setup that waits for its role since now.
struct Waiting {
    rig: Rig,
    waits: Arc<RoleWaits>,
    role: Arc<Refusing>,
    setup: Setup,
    /// The seconds that have passed.
    passed: u64,
}

impl Waiting {
    async fn begin(db: TestDb) -> Self {
        let role = Arc::new(Refusing::default());
        let rig = Rig::with_prober(db, 1, role.clone()).await;
        let database = &rig.db.database;
        let setup = samples::setup(database, &rig.workspace.id, samples::role_draft()).await;
        let store: Arc<dyn Store> = Arc::new(database.clone());
        let arn = setup.draft.sign_in.role_arn.clone().unwrap();
        let now = rig.clock.now();
        let due = now + Duration::from_secs(30);
        store
            .wait_for_role(&setup.workspace, &setup.id, &arn, now, due)
            .await
            .unwrap();
        let setups = Arc::new(Setups {
            store: store.clone(),
            connections: rig.storages.connections.clone(),
            checks: rig.storages.checks.clone(),
            clock: rig.clock.clone(),
            lifetime: Duration::from_secs(7 * 24 * 3600),
            refuse_overlaps: false,
        });
        let waits = Arc::new(RoleWaits {
            store,
            clock: rig.clock.clone(),
            prober: role.clone(),
            setups,
            observer: Arc::new(NobodyCounts),
        });
        Self {
            rig,
            waits,
            role,
            setup,
            passed: 0,
        }
    }

    /// Says that somebody watches for ten seconds from now.
    async fn watch(&self) {
        let now = self.rig.clock.now();
        let until = now + Duration::from_secs(10);
        self.waits
            .store
            .watch_role(&self.setup.workspace, &self.setup.id, now, until, WATCHED)
            .await
            .unwrap();
    }

    /// Makes the tries that are due now, and moves the clock. Whether there was one.
    async fn tick(&mut self, seconds: u64) -> bool {
        let before = self.role.0.load(SeqCst);
        let tries = TaskTracker::new();
        self.waits.begin_due(&tries).await;
        tries.close();
        tries.wait().await;
        self.rig.clock.forward(Duration::from_secs(seconds));
        self.passed += seconds;
        self.role.0.load(SeqCst) > before
    }
}

async fn a_role_that_nobody_watches_is_tried_ever_more_rarely(db: TestDb) {
    let mut waiting = Waiting::begin(db).await;
    let mut at = Vec::new();
    while waiting.passed < 3600 {
        let now = waiting.passed;
        if waiting.tick(5).await {
            at.push(now);
        }
    }
    assert_eq!(at, [30, 60, 120, 240, 480, 960, 1860, 2760]);
}

async fn a_role_that_is_watched_is_tried_every_three_seconds_and_then_rarely_again(db: TestDb) {
    let mut waiting = Waiting::begin(db).await;
    let mut at = Vec::new();
    while waiting.passed < 120 {
        let now = waiting.passed;
        // Somebody watches from the first second to the 22nd.
        if now <= 12 && now.is_multiple_of(2) {
            waiting.watch().await;
        }
        if waiting.tick(1).await {
            at.push(now);
        }
    }
    assert_eq!(at, [0, 3, 6, 9, 12, 15, 18, 21, 24, 54, 114]);
}
