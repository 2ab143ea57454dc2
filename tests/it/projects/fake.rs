//! A bucket in memory that counts the calls, and the use cases on it.
//!
//! It fakes the port instead of AWS's wire format because these tests fail or hold the call with a given
//! number, move the clock, and import thousands of files in no time.

use crate::application::bucket::probe::{Answer, BucketProbe, ExternalIdSent, Prober};
use crate::application::bucket::read::*;
use crate::application::budget::ByteBudget;
use crate::application::checks::Checks;
use crate::application::checks::checker::ConnectionChecker;
use crate::application::checks::limits::CheckLimits;
use crate::application::clock::Clock;
use crate::application::connections::Connections;
use crate::application::connections::identity::OwnIdentity;
use crate::application::connections::origins::BucketOrigins;
use crate::application::connections::principal::PrincipalSource;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::files::shared::Files;
use crate::application::jobs::Lane;
use crate::application::jobs::worker::Worker;
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{ProjectStore, Store};
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::pace::LeastPace;
use crate::application::people::caller::{Credential, Member};
use crate::application::people::usage::UsageMeter;
use crate::application::projects::imports::{ImportFiles, Pace};
use crate::application::projects::{FileSource, Limits, NewProject, Projects};
use crate::application::storages::built_in::BuiltIn;
use crate::application::storages::{QuarantineMode, Storages};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Owner};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::ids::{ProjectId, StorageRef, TokenId};
use crate::domain::people::reach::Reach;
use crate::domain::people::workspace::{Role, Workspace};
use crate::domain::policy_document::PolicyTemplates;
use crate::domain::project::{OnArchived, OnMissing, Project, ProjectFile};
use crate::domain::storage::HealthChange;
use crate::domain::storage::Storage;
use crate::it::database::contract::samples;
use crate::it::support::database::TestDb;
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

/// What a call does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Fails(FailureKind),
    /// Until [`FakeBucket::let_go`].
    Hangs,
}

#[derive(Default)]
pub struct FakeBucket {
    pub objects: Mutex<BTreeMap<String, Vec<u8>>>,
    pub lists: AtomicUsize,
    pub heads: AtomicUsize,
    pub gets: AtomicUsize,
    calls: AtomicUsize,
    /// The calls from the first number up to the second, and what becomes of them.
    trouble: Mutex<Option<(usize, usize, Trouble)>>,
    /// One permit for each call that hangs.
    pub hanging: Notify,
    go: Notify,
}

impl FakeBucket {
    pub fn put(&self, key: impl Into<String>, body: impl Into<Vec<u8>>) {
        self.objects.lock().unwrap().insert(key.into(), body.into());
    }

    /// Lists, heads and gets so far.
    pub fn counts(&self) -> (usize, usize, usize) {
        (
            self.lists.load(SeqCst),
            self.heads.load(SeqCst),
            self.gets.load(SeqCst),
        )
    }

    /// After `skip` more calls, the next `count` are in trouble.
    pub fn trouble(&self, skip: usize, count: usize, trouble: Trouble) {
        let from = self.calls.load(SeqCst) + skip;
        *self.trouble.lock().unwrap() = Some((from, from.saturating_add(count), trouble));
    }

    pub fn no_trouble(&self) {
        *self.trouble.lock().unwrap() = None;
    }

    pub fn let_go(&self) {
        self.no_trouble();
        self.go.notify_waiters();
    }

    async fn call(&self) -> BucketResult<()> {
        let number = self.calls.fetch_add(1, SeqCst);
        let trouble = *self.trouble.lock().unwrap();
        match trouble {
            Some((from, to, trouble)) if (from..to).contains(&number) => match trouble {
                Trouble::Fails(kind) => Err(failure(kind)),
                Trouble::Hangs => {
                    let go = self.go.notified();
                    self.hanging.notify_one();
                    go.await;
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }
}

/// What explains failures, with no identity of the service known.
pub fn explainer() -> Explainer {
    let policies = Arc::new(PolicyTemplates::load().unwrap());
    let principal = PrincipalSource::new(None, identity_by(Arc::new(NoProbes)));
    Explainer::new(policies, Arc::new(principal))
}

/// The service's own identity, as this prober gives it.
fn identity_by(prober: Arc<dyn Prober>) -> Arc<OwnIdentity> {
    let observer = Arc::new(NobodyCounts);
    Arc::new(OwnIdentity::new(prober, observer, Arc::default()))
}

pub fn failure(kind: FailureKind) -> AwsFailure {
    AwsFailure {
        operation: "Fake",
        kind,
        http_status: None,
        error_code: None,
        request_id: None,
        denial: None,
        bucket_region: None,
        details: None,
        message: None,
    }
}

fn etag(body: &[u8]) -> String {
    let sum = body.iter().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    format!("\"{sum:x}\"")
}

fn metadata(body: &[u8]) -> ObjectMetadata {
    ObjectMetadata {
        size: Some(body.len() as i64),
        etag: Some(etag(body)),
        content_type: None,
        content_encoding: None,
        last_modified: None,
        version_id: None,
        storage_class: None,
        metadata: Vec::new(),
    }
}

#[async_trait]
impl BucketRead for FakeBucket {
    async fn list(&self, _: &ConnectedBucket, request: ListRequest) -> BucketResult<ListPage> {
        self.lists.fetch_add(1, SeqCst);
        self.call().await?;
        let prefix = request.prefix.as_str();
        let after = match &request.from {
            ListFrom::Beginning => String::new(),
            ListFrom::After(key) => key.as_str().to_owned(),
            ListFrom::Continuation(token) => token.clone(),
        };
        let objects = self.objects.lock().unwrap();
        let mut page = ListPage::default();
        let mut last = String::new();
        let begin = if after.as_str() < prefix {
            Bound::Included(prefix.to_owned())
        } else {
            Bound::Excluded(after.clone())
        };
        for (key, body) in objects.range((begin, Bound::Unbounded)) {
            if !key.starts_with(prefix) {
                break;
            }
            let below = &key[prefix.len()..];
            let folder = below
                .find('/')
                .filter(|_| !request.recursive)
                .map(|at| key[..prefix.len() + at + 1].to_owned());
            if folder.as_ref().is_some_and(|folder| {
                page.folders.last() == Some(folder) || after.starts_with(folder.as_str())
            }) {
                continue;
            }
            if page.folders.len() + page.objects.len() == request.page_size as usize {
                page.continuation = Some(last);
                break;
            }
            match folder {
                Some(folder) => {
                    // All that follows in this folder is behind this key.
                    last = format!("{folder}\u{10ffff}");
                    page.folders.push(folder);
                }
                None => {
                    last.clone_from(key);
                    page.objects.push(ListedObject {
                        key: key.clone(),
                        size: body.len() as i64,
                        last_modified: None,
                        etag: Some(etag(body)),
                        storage_class: None,
                    });
                }
            }
        }
        Ok(page)
    }

    async fn head(&self, _: &ConnectedBucket, key: &ObjectKey) -> BucketResult<ObjectMetadata> {
        self.heads.fetch_add(1, SeqCst);
        self.call().await?;
        let objects = self.objects.lock().unwrap();
        let body = objects.get(key.as_str());
        body.map(|body| metadata(body))
            .ok_or_else(|| failure(FailureKind::NoSuchKey))
    }

    async fn get(
        &self,
        _: &ConnectedBucket,
        key: &ObjectKey,
        conditions: &ReadConditions,
    ) -> BucketResult<ObjectContent> {
        self.gets.fetch_add(1, SeqCst);
        self.call().await?;
        let objects = self.objects.lock().unwrap();
        let body = objects
            .get(key.as_str())
            .ok_or_else(|| failure(FailureKind::NoSuchKey))?;
        if conditions.if_match.is_some() && conditions.if_match != Some(etag(body)) {
            return Err(failure(FailureKind::PreconditionFailed));
        }
        let chunks: Vec<_> = body.chunks(1000).map(|c| Ok(c.to_vec().into())).collect();
        Ok(ObjectContent {
            metadata: metadata(body),
            content_length: Some(body.len() as u64),
            content_range: None,
            body: stream::iter(chunks).boxed(),
            cut: Default::default(),
        })
    }

    async fn forget(&self, _: &Owner) {}

    async fn end(&self, _: &Owner) {}
}

/// Nobody checks connections here.
struct NoProbes;

#[async_trait]
impl Prober for NoProbes {
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        Err(failure(FailureKind::Network))
    }

    async fn assume_role(
        &self,
        _: &ConnectedBucket,
        _: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>> {
        Err(failure(FailureKind::Network))
    }

    async fn with_key(&self, _: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        Err(failure(FailureKind::Network))
    }

    async fn assume_role_in(&self, _: &ConnectedBucket, _: Region) -> Answer<Arc<dyn BucketProbe>> {
        Err(failure(FailureKind::Network))
    }

    async fn forget(&self, _: &Owner) {}
}

/// A clock that a test sets.
pub struct TestClock(Mutex<OffsetDateTime>);

impl TestClock {
    pub fn forward(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

/// The use cases on a database, with a storage whose bucket is a fake.
pub struct Rig {
    pub db: TestDb,
    pub bucket: Arc<FakeBucket>,
    pub clock: Arc<TestClock>,
    pub identity: Arc<OwnIdentity>,
    pub storages: Arc<Storages>,
    pub projects: Arc<Projects>,
    pub workspace: Workspace,
    pub storage: Storage,
}

/// The prefix of the storage that the samples make.
pub const PREFIX: &str = "team/ä b/";

pub const LEASE: Duration = Duration::from_secs(60);

impl Rig {
    /// Requests do up to `at_once` files themselves.
    pub async fn new(db: TestDb, at_once: usize) -> Self {
        Self::with_prober(db, at_once, Arc::new(NoProbes)).await
    }

    pub async fn with_prober(db: TestDb, at_once: usize, prober: Arc<dyn Prober>) -> Self {
        let workspace = samples::workspace(&db.database).await;
        let storage = samples::storage(&db.database, &workspace.id).await;
        let store: Arc<dyn Store> = Arc::new(db.database.clone());
        let bucket = Arc::new(FakeBucket::default());
        let clock = Arc::new(TestClock(Mutex::new(samples::now())));
        let policies = Arc::new(PolicyTemplates::load().unwrap());
        let vault = Arc::new(Vault::new(&MasterKey::generate().unwrap().0).unwrap());
        let identity = identity_by(prober.clone());
        let principal = Arc::new(PrincipalSource::new(None, identity.clone()));
        let explainer = Explainer::new(policies.clone(), principal.clone());
        let usage = Arc::new(UsageMeter::new(store.clone(), clock.clone()));
        let origins = Arc::new(BucketOrigins::without_workspaces(&[]));
        let checks = Arc::new(Checks {
            store: store.clone(),
            checker: Arc::new(ConnectionChecker::new(
                prober.clone(),
                policies.clone(),
                origins.clone(),
                principal.clone(),
                store.clone(),
            )),
            bucket: bucket.clone(),
            limits: CheckLimits::new(1.try_into().unwrap()),
            clock: clock.clone(),
            observer: Arc::new(NobodyCounts),
            usage: usage.clone(),
            running: TaskTracker::new(),
        });
        let storages = Arc::new(Storages {
            store: store.clone(),
            connections: Arc::new(Connections {
                vault: vault.clone(),
                policies: policies.clone(),
                principal,
                origins,
                lifecycle_folders: crate::domain::policy_document::LifecycleFolders::default(),
                quick_create: None,
            }),
            checks,
            files: bucket.clone(),
            built_in: Arc::new(BuiltIn::new(None, prober, explainer.clone())),
            clock: clock.clone(),
            quarantine: QuarantineMode::On,
        });
        let projects = Arc::new(Projects {
            store,
            storages: storages.clone(),
            bucket_files: bucket.clone(),
            files: Arc::new(Files {
                storages: storages.clone(),
                bucket: bucket.clone(),
                explainer: explainer.clone(),
                vault,
                longest_url_life: Duration::from_secs(60),
                memory: Arc::new(ByteBudget::new(64 << 20)),
                allowances: Arc::default(),
                usage,
                reader_pace: LeastPace {
                    rate: 0,
                    patience: Duration::from_secs(60),
                },
                running: TaskTracker::new(),
                runtime: Handle::current(),
            }),
            clock: clock.clone(),
            limits: Limits {
                at_once,
                ..Limits::default()
            },
            imports: Arc::new(Notify::new()),
            manifests: Semaphore::new(1),
        });
        Self {
            db,
            bucket,
            clock,
            identity,
            storages,
            projects,
            workspace,
            storage,
        }
    }

    /// A worker that does imports, with this many keys a step.
    pub fn importer(&self, step: usize) -> Worker {
        self.importer_at(Pace {
            step,
            lease: LEASE,
            ..Pace::default()
        })
    }

    pub fn importer_at(&self, pace: Pace) -> Worker {
        let store: Arc<dyn Store> = Arc::new(self.db.database.clone());
        Worker {
            lane: Lane::Slow,
            jobs: Arc::new([Arc::new(ImportFiles {
                store: store.clone(),
                storages: self.storages.clone(),
                files: self.bucket.clone(),
                explainer: explainer(),
                clock: self.clock.clone(),
                pace,
            })]),
            store,
            clock: self.clock.clone(),
            wake: Arc::new(Notify::new()),
            interval: Duration::from_secs(5),
            observer: Arc::new(NobodyCounts),
        }
    }

    pub fn member(&self) -> Member {
        Member {
            workspace: self.workspace.id.clone(),
            role: Role::Member,
            credential: Credential::Token(TokenId::generate()),
            on_behalf_of: None,
            reach: Reach::everything(),
        }
    }

    pub fn new_project(&self, files: FileSource, on_missing: OnMissing) -> NewProject {
        NewProject {
            name: samples::name("Katzen"),
            storage: Some(StorageRef::Own(self.storage.id.clone())),
            files,
            include_working_folders: false,
            on_missing,
            on_archived: OnArchived::default(),
        }
    }

    pub async fn create(
        &self,
        files: FileSource,
        on_missing: OnMissing,
    ) -> crate::application::error::Result<Project> {
        let new = self.new_project(files, on_missing);
        self.projects
            .create(&self.member(), new, Keep::nothing())
            .await
    }

    /// Puts a manifest with these keys, and imports it.
    pub async fn import_manifest(&self, keys: &[String], on_missing: OnMissing) -> Project {
        self.bucket
            .put(format!("{PREFIX}list.txt"), keys.join("\n"));
        let key = FileKey::parse("/list.txt").unwrap();
        self.create(FileSource::Manifest(key), on_missing)
            .await
            .unwrap()
    }

    pub async fn project(&self, id: &ProjectId) -> Project {
        let project = self.db.database.project(&self.workspace.id, id).await;
        project.unwrap().unwrap()
    }

    pub async fn files(&self, id: &ProjectId) -> Vec<ProjectFile> {
        let database = &self.db.database;
        let files = database.project_files(&self.workspace.id, id, None, 1_000_000);
        files.boxed().await.unwrap()
    }
}

/// Checks that the project has exactly these files, once each and in this order.
#[track_caller]
pub fn assert_files(files: &[ProjectFile], keys: &[String]) {
    let found: Vec<String> = files.iter().map(|file| file.file_key.to_string()).collect();
    let differs = found.iter().zip(keys).position(|(found, key)| found != key);
    let at = differs.map(|at| (at, &found[at], &keys[at]));
    assert_eq!((found.len(), at), (keys.len(), None));
    for (at, file) in files.iter().enumerate() {
        assert_eq!(file.position, at as i64);
        assert!(file.etag.is_some());
    }
}

pub struct NobodyCounts;

impl crate::application::observe::Observer for NobodyCounts {
    fn assumed_role(&self, _: bool) {}

    fn checked_connection(&self, _: crate::domain::check::Outcome) {}

    fn health_changed(&self, _: &HealthChange) {}
}
