//! The use cases about buckets, put together.

use crate::application::bucket::port::Bucket;
use crate::application::bucket::probe::Prober;
use crate::application::budget::ByteBudget;
use crate::application::checks::Checks;
use crate::application::checks::checker::ConnectionChecker;
use crate::application::checks::limits::CheckLimits;
use crate::application::checks::scheduled::{CheckPace, ScheduledChecks};
use crate::application::clock::Clock;
use crate::application::connections::Connections;
use crate::application::connections::identity::OwnIdentity;
use crate::application::connections::origins::BucketOrigins;
use crate::application::connections::principal::PrincipalSource;
use crate::application::connections::quick_create::QuickCreate;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::doctor::Doctor;
use crate::application::events::Events;
use crate::application::events::courier::Courier;
use crate::application::events::deliver::Deliverer;
use crate::application::events::expiry::SetupExpiry;
use crate::application::events::webhooks::{WebhookRate, Webhooks};
use crate::application::files::shared::Files;
use crate::application::jobs::worker::Worker;
use crate::application::jobs::{Job, Lane};
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::observe::Observer;
use crate::application::pace::LeastPace;
use crate::application::people::allowance::Allowances;
use crate::application::people::usage::UsageMeter;
use crate::application::projects::imports::{ImportFiles, Pace};
use crate::application::projects::{Limits, MANIFESTS_AT_ONCE, Projects};
use crate::application::setups::Setups;
use crate::application::setups::browser_probe::BrowserProbes;
use crate::application::setups::places::Places;
use crate::application::setups::waiting::RoleWaits;
use crate::application::storages::Storages;
use crate::application::storages::built_in::BuiltIn;
use crate::aws::checks::AwsProber;
use crate::aws::client::clients::AwsClients;
use crate::aws::client::egress::Egress;
use crate::aws::client::template_shelf::S3TemplateShelf;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::sessions::{RoleSessions, SessionOpener};
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::policy_document::PolicyTemplates;
use crate::outgoing::webhooks::HttpWebhookSender;
use crate::settings::Settings;
use crate::startup::error::StartError;
use aws_config::SdkConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

/// How many slow jobs go on at the same time: one more than one workspace has in work. An import may hold a large
/// manifest in memory.
const SLOW_WORKERS: usize = 3;
/// How many quick jobs go on at the same time: more than one workspace has in work.
const QUICK_WORKERS: usize = 16;
/// How many checks of storages that do not answer in time go on at the same time.
const UNRESPONSIVE_WORKERS: usize = 4;
/// How often a worker asks for slow jobs that another replica left, or was given.
const SLOW_INTERVAL: Duration = Duration::from_secs(5);
/// How often a worker asks for quick jobs that are due.
const QUICK_INTERVAL: Duration = Duration::from_secs(15);

/// After how long a client that takes nothing of an answer is cut off.
pub(super) fn reader_patience(settings: &Settings) -> Duration {
    2 * settings.request_timeout
}

pub(super) struct UseCases {
    pub setups: Arc<Setups>,
    pub storages: Arc<Storages>,
    pub doctor: Doctor,
    pub files: Arc<Files>,
    pub projects: Arc<Projects>,
    pub workers: Vec<Worker>,
    pub browser_probes: BrowserProbes,
    pub role_waits: Arc<RoleWaits>,
    pub events: Events,
    pub webhooks: Webhooks,
    pub deliverer: Arc<Deliverer>,
    pub setup_expiry: SetupExpiry,
    pub places: Places,
    pub identity: Arc<OwnIdentity>,
    pub running_checks: TaskTracker,
    pub sessions: Arc<RoleSessions>,
}

impl UseCases {
    pub fn assemble(
        settings: &Settings,
        (aws, egress): (&SdkConfig, Egress),
        store: &Arc<dyn Store>,
        vault: &Arc<Vault>,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        (usage, allowances): (&Arc<UsageMeter>, &Arc<Allowances>),
    ) -> Result<Self, StartError> {
        let other = |cause: String| StartError::Other(cause);
        let policies = PolicyTemplates::load().map_err(|invalid| other(invalid.to_string()))?;
        let policies = Arc::new(policies);
        let networks = Arc::new(EndpointNetworks::new(settings.endpoint_networks.clone()));
        let clients =
            AwsClients::new(aws, networks.clone(), egress, observer.clone()).map_err(other)?;
        let sender = HttpWebhookSender::new(networks).map_err(|error| other(error.to_string()))?;
        let courier = Courier {
            vault: vault.clone(),
            clock: clock.clone(),
            sender: Arc::new(sender),
        };
        let clients = Arc::new(clients);
        let quick_create = settings.template_bucket.clone().map(|bucket| {
            let shelf = Arc::new(S3TemplateShelf::new(clients.clone(), bucket));
            QuickCreate::new(shelf).map(Arc::new)
        });
        let quick_create = quick_create
            .transpose()
            .map_err(|invalid| other(invalid.to_string()))?;
        let doubts = clients.doubts().clone();
        let opener = SessionOpener::new(clients, policies.clone(), vault.clone());
        let sessions =
            RoleSessions::new(opener, observer.clone()).attributing(settings.attribution);
        let sessions = Arc::new(sessions);
        let prober = AwsProber::new(sessions.clone()).map_err(|error| other(error.to_string()))?;
        let prober: Arc<dyn Prober> = Arc::new(prober);
        let memory = Arc::new(ByteBudget::new(settings.memory_budget));
        let bucket: Arc<dyn Bucket> = Arc::new(
            S3Bucket::new(sessions.clone())
                .spooling_in(settings.data_dir.join("spool"))
                .going_ahead_in(memory.clone()),
        );
        let identity = OwnIdentity::new(prober.clone(), observer.clone(), doubts);
        let identity = Arc::new(identity);
        let principal = Arc::new(PrincipalSource::new(
            settings.service_principal.clone(),
            identity.clone(),
        ));
        let origins = Arc::new(BucketOrigins::new(&settings.allowed_origins, store.clone()));
        let connections = Arc::new(Connections {
            vault: vault.clone(),
            policies: policies.clone(),
            principal: principal.clone(),
            origins: origins.clone(),
            lifecycle_folders: settings.lifecycle_folders.clone(),
            quick_create,
        });
        let running_checks = TaskTracker::new();
        let checks = Arc::new(Checks {
            store: store.clone(),
            checker: Arc::new(
                ConnectionChecker::new(
                    prober.clone(),
                    policies.clone(),
                    origins,
                    principal.clone(),
                    store.clone(),
                )
                .with_lifecycle_folders(settings.lifecycle_folders.clone()),
            ),
            bucket: bucket.clone(),
            limits: CheckLimits::new(settings.checks_per_minute),
            clock: clock.clone(),
            observer: observer.clone(),
            usage: usage.clone(),
            running: running_checks.clone(),
        });
        let explainer = Explainer::new(policies.clone(), principal.clone());
        let storages = Arc::new(Storages {
            store: store.clone(),
            connections: connections.clone(),
            checks: checks.clone(),
            files: bucket.clone(),
            built_in: Arc::new(BuiltIn::new(
                settings.built_in_bucket.clone(),
                prober.clone(),
                explainer.clone(),
            )),
            clock: clock.clone(),
            quarantine: settings.quarantine,
        });
        let files = Arc::new(Files {
            storages: storages.clone(),
            bucket: bucket.clone(),
            explainer: explainer.clone(),
            vault: vault.clone(),
            longest_url_life: settings.signed_url_max,
            memory,
            allowances: allowances.clone(),
            usage: usage.clone(),
            reader_pace: LeastPace {
                rate: settings.least_transfer_rate,
                patience: reader_patience(settings),
            },
            running: running_checks.clone(),
            runtime: Handle::current(),
        });
        let imports = Arc::new(Notify::new());
        let scheduled = |pace| ScheduledChecks {
            store: store.clone(),
            checks: checks.clone(),
            identity: identity.clone(),
            interval: settings.recheck_interval,
            pace,
        };
        // Every kind of job. A new one is added here.
        let jobs: Arc<[Arc<dyn Job>]> = Arc::new([
            Arc::new(ImportFiles {
                store: store.clone(),
                storages: storages.clone(),
                files: bucket.clone(),
                explainer: explainer.clone(),
                clock: clock.clone(),
                pace: Pace::default(),
            }),
            Arc::new(scheduled(CheckPace::InTime)),
            Arc::new(scheduled(CheckPace::Slow)),
        ]);
        let worker = |lane, wake: &Arc<Notify>, interval| Worker {
            store: store.clone(),
            clock: clock.clone(),
            lane,
            jobs: jobs.clone(),
            wake: wake.clone(),
            interval,
            observer: observer.clone(),
        };
        let workers = Lane::ALL.iter().flat_map(|lane| match lane {
            Lane::Slow => vec![worker(*lane, &imports, SLOW_INTERVAL); SLOW_WORKERS],
            Lane::Quick => vec![worker(*lane, &Arc::default(), QUICK_INTERVAL); QUICK_WORKERS],
            Lane::Unresponsive => {
                vec![worker(*lane, &Arc::default(), QUICK_INTERVAL); UNRESPONSIVE_WORKERS]
            }
        });
        let workers = workers.collect();
        let setups = Arc::new(Setups {
            store: store.clone(),
            connections: connections.clone(),
            checks: checks.clone(),
            clock: clock.clone(),
            lifetime: settings.setup_ttl,
            refuse_overlaps: settings.refuse_overlapping_storages,
        });
        Ok(Self {
            doctor: Doctor {
                store: store.clone(),
                connections,
                setups: setups.clone(),
                built_in: storages.built_in.clone(),
            },
            places: Places::new(
                setups.clone(),
                prober.clone(),
                bucket.clone(),
                explainer.clone(),
            ),
            browser_probes: BrowserProbes {
                setups: setups.clone(),
                bucket: bucket.clone(),
                explainer,
            },
            events: Events {
                store: store.clone(),
                vault: vault.clone(),
                clock: clock.clone(),
            },
            webhooks: Webhooks {
                store: store.clone(),
                vault: vault.clone(),
                clock: clock.clone(),
                courier: courier.clone(),
                rate: WebhookRate::new(settings.webhooks_per_hour),
            },
            deliverer: Arc::new(Deliverer {
                store: store.clone(),
                clock: clock.clone(),
                courier,
                observer: observer.clone(),
            }),
            setup_expiry: SetupExpiry {
                store: store.clone(),
                clock: clock.clone(),
            },
            role_waits: Arc::new(RoleWaits {
                store: store.clone(),
                clock: clock.clone(),
                prober,
                setups: setups.clone(),
                observer,
            }),
            setups,
            workers,
            projects: Arc::new(Projects {
                store: store.clone(),
                storages: storages.clone(),
                bucket_files: bucket,
                files: files.clone(),
                clock: clock.clone(),
                limits: Limits::default(),
                imports: imports.clone(),
                manifests: Semaphore::new(MANIFESTS_AT_ONCE),
            }),
            files,
            storages,
            identity,
            running_checks,
            sessions,
        })
    }
}
