//! The only place where adapters meet use cases. Production and tests start the service by the same
//! [`build`].

mod brand;
mod closing;
mod commands;
mod descriptors;
mod error;
mod first_contact;
mod keys;
mod listening;
mod people;
mod places;
mod private_file;
pub mod program;
pub(crate) mod reload;
mod signing_in;
mod straight;
mod token_file;
mod upkeep;
mod use_cases;

pub use error::StartError;

use crate::application::clock::{Clock, SystemClock};
use crate::application::connections::identity::OwnIdentity;
use crate::application::events::deliver::Deliverer;
use crate::application::events::expiry::SetupExpiry;
use crate::application::jobs::janitor::Janitor;
use crate::application::jobs::lag::JobLag;
use crate::application::jobs::worker::Worker;
use crate::application::kept::idempotency::IdempotentRequests;
use crate::application::kept::page_tokens::PageTokens;
use crate::application::kept::retention::Remover;
use crate::application::kept::store::Store;
use crate::application::moving::moves::Moves;
use crate::application::observe::Observer;
use crate::application::people::allowance::Allowances;
use crate::application::people::link_rate::LinkRate;
use crate::application::people::usage::UsageMeter;
use crate::application::readiness::{DatabaseReadiness, IdentityReadiness, Readiness};
use crate::application::setups::events::SetupEvents;
use crate::application::setups::instructions::Instructions;
use crate::application::setups::waiting::RoleWaits;
use crate::aws::client::clients::AwsClients;
use crate::aws::client::egress::Egress;
use crate::database::{Database, DatabaseLock};
use crate::http::listener::Listener;
use crate::http::metrics::{HttpMetrics, ServiceReadings, WorkMetrics};
use crate::http::repeated::Repeated;
use crate::http::state::{DialogServices, RunningService, Services, Site, Started};
use crate::logging;
use crate::settings::{DocsPlace, Settings};
use aws_config::SdkConfig;
use first_contact::{FirstContact, NoContact};
use listening::{Listening, StopPlan};
use prometheus_client::registry::Registry;
use reload::Reload;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use use_cases::UseCases;

/// How long a stop waits for the last writing of what was counted.
const LAST_WRITING: Duration = Duration::from_secs(5);

/// The service, ready to [`run`](Self::run).
pub struct Application {
    listening: Listening,
    management: Option<Listening>,
    services: Arc<Services>,
    database: Database,
    lock: DatabaseLock,
    shutdown: CancellationToken,
    without_drain: CancellationToken,
    first_contact: Option<JoinHandle<Result<(), StartError>>>,
    reload: Arc<Reload>,
    workers: Vec<Worker>,
    identity: Arc<OwnIdentity>,
    role_waits: Arc<RoleWaits>,
    deliverer: Arc<Deliverer>,
    setup_expiry: SetupExpiry,
    janitor: Janitor,
    lag: JobLag,
    checks: TaskTracker,
    plan: StopPlan,
}

/// Puts the service together and listens; it answers once it runs. AWS is reached as the environment
/// says.
pub async fn build(settings: Settings) -> Result<Application, StartError> {
    let aws = AwsClients::environment().await;
    let (aws, egress) = aws.map_err(StartError::Other)?;
    build_on(settings, &aws, egress).await
}

/// The same with a given AWS configuration.
pub async fn build_with(settings: Settings, aws: &SdkConfig) -> Result<Application, StartError> {
    let egress = Egress::from_environment().await;
    build_on(settings, aws, egress.map_err(StartError::Other)?).await
}

async fn build_on(
    settings: Settings,
    aws: &SdkConfig,
    egress: Egress,
) -> Result<Application, StartError> {
    // A start that is refused leaves nothing behind: no folder, no lock file, no database, no key.
    let brand = Arc::new(brand::of(&settings.brand).await?);
    Database::refuse_absent(&settings.database, settings.schema_changes)
        .map_err(|error| StartError::Database(error.to_string()))?;
    signing_in::refuse_unusable(&settings).await?;
    let (address, management_address) = places::take(&settings).await?;
    let lock = DatabaseLock::of_service(&settings.database).await?;
    places::warn(&settings);
    let vault = keys::vault_if_any(&settings).await?;
    let database = Database::connect_through(
        &settings.database,
        settings.database_pooler,
        settings.schema_changes,
    )
    .await
    .map_err(|error| StartError::Database(error.to_string()))?;
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let vault = Arc::new(match vault {
        Some(vault) => vault,
        None => keys::first_vault(&settings, store.as_ref()).await?,
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let mut registry = Registry::default();
    let metrics = HttpMetrics::register(&mut registry);
    let observer: Arc<dyn Observer> = Arc::new(WorkMetrics::register(&mut registry));
    let janitor = Janitor {
        store: store.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        remover: Remover {
            store: store.clone(),
            retention: settings.retention.clone(),
        },
    };
    let lag = JobLag {
        store: store.clone(),
        clock: clock.clone(),
        observer: observer.clone(),
    };
    let usage = Arc::new(UsageMeter::new(store.clone(), clock.clone()));
    let allowances = Arc::new(Allowances::default());
    let use_cases = UseCases::assemble(
        &settings,
        (aws, egress),
        &store,
        &vault,
        &clock,
        observer.clone(),
        (&usage, &allowances),
    )?;
    readings(&database, &use_cases).register(&mut registry);

    let readiness: Vec<Arc<dyn Readiness>> = vec![
        Arc::new(DatabaseReadiness(store.clone())),
        Arc::new(IdentityReadiness(use_cases.identity.clone())),
    ];

    let transfer_key = Arc::new(keys::transfer_key(&settings)?);
    let moves = Moves::new(
        (&store, &vault),
        &clock,
        transfer_key.clone(),
        use_cases.setups.connections.principal.clone(),
        settings.built_in_bucket.clone(),
    );
    let mut people = people::people(
        &settings,
        (&store, &vault),
        &clock,
        &observer,
        (&usage, &allowances),
        moves,
    );
    signing_in::add(&settings, &store, &vault, &clock, &mut people).await?;
    let services = Arc::new(Services {
        people,
        setups: use_cases.setups.clone(),
        dialog: DialogServices {
            instructions: Instructions {
                store: store.clone(),
                clock: clock.clone(),
                setups: use_cases.setups,
                lifetime: settings.instruction_link_ttl,
                rate: LinkRate::default(),
                allowances,
            },
            browser_probes: use_cases.browser_probes,
            events: SetupEvents::new(use_cases.role_waits.clone()),
            places: use_cases.places,
        },
        doctor: use_cases.doctor,
        storages: use_cases.storages,
        files: use_cases.files,
        projects: use_cases.projects,
        events: use_cases.events,
        webhooks: use_cases.webhooks,
        idempotency: IdempotentRequests {
            store: store.clone(),
            vault: vault.clone(),
            clock,
        },
        page_tokens: PageTokens::new(vault.clone()),
        site: Site {
            public_url: settings.public_url.clone(),
            frame_ancestors: settings.frame_ancestors.clone(),
            brand,
        },
        running: RunningService {
            started: Started::default(),
            readiness,
            metrics,
            registry,
            request_timeout: settings.request_timeout,
            least_rate: settings.least_transfer_rate,
            trusted_proxies: settings.trusted_proxies.clone(),
            stopping: Arc::default(),
            repeated: Repeated::default(),
        },
    });
    let listening = Listening::begin(
        address,
        services.clone(),
        Listener {
            product: true,
            management: settings.management_listen.is_none(),
            documentation: settings.docs == DocsPlace::Public,
        },
        &settings,
    )?;
    let management = match management_address {
        None => None,
        Some(address) => Some(Listening::begin(
            address,
            services.clone(),
            Listener {
                product: false,
                management: true,
                documentation: settings.docs == DocsPlace::Management,
            },
            &settings,
        )?),
    };
    if settings.public_url.scheme() == "http" && !listening.address.ip().is_loopback() {
        tracing::warn!(
            public_url = %settings.public_url,
            "SALLYPORT_PUBLIC_URL is not https, and the service listens to other machines: session cookies and tokens can be read on their way. Put TLS in front of it and set SALLYPORT_PUBLIC_URL to its https address"
        );
    }

    if !settings.frame_ancestors.is_empty() && !services.site.takes_embedded_cookies() {
        tracing::warn!(
            public_url = %settings.public_url,
            "SALLYPORT_FRAME_ANCESTORS is set, and SALLYPORT_PUBLIC_URL is http on a host that is not this machine: browsers keep no session of a page in a frame there. Use https"
        );
    }

    let shutdown = CancellationToken::new();
    let reload = Reload {
        store: store.clone(),
        vault: vault.clone(),
        database: database.clone(),
        services: services.clone(),
        transfer_key,
    };
    let contact = FirstContact {
        store,
        vault,
        services: services.clone(),
        data_dir: settings.data_dir.clone(),
    };
    let first_contact = match contact.make().await {
        Ok(()) => None,
        Err(NoContact::Away) => Some(tokio::spawn(contact.keep_trying(shutdown.clone()))),
        Err(NoContact::Refused(error)) => return Err(error),
    };
    tracing::info!(
        address = %listening.address,
        management = management.as_ref().map(|m| tracing::field::display(m.address)),
        database = %settings.database,
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    Ok(Application {
        listening,
        management,
        services,
        database,
        lock,
        shutdown,
        without_drain: CancellationToken::new(),
        first_contact,
        reload: Arc::new(reload),
        workers: use_cases.workers,
        identity: use_cases.identity,
        role_waits: use_cases.role_waits,
        deliverer: use_cases.deliverer,
        setup_expiry: use_cases.setup_expiry,
        janitor,
        lag,
        checks: use_cases.running_checks,
        plan: StopPlan {
            drain: settings.drain,
            grace: settings.shutdown_grace,
        },
    })
}

impl Application {
    /// Where it listens: with the port that it was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The same of the listener for readiness and metrics, if there is one.
    pub fn management_address(&self) -> Option<SocketAddr> {
        self.management
            .as_ref()
            .map(|management| management.address)
    }

    /// Cancelling it stops the service: running requests are finished, within the grace.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Cancelling it leaves out the time in which a stopping service goes on for load balancers.
    pub fn without_drain(&self) -> CancellationToken {
        self.without_drain.clone()
    }

    /// What a running service takes from the files of its secrets again.
    pub(crate) fn reload(&self) -> Arc<Reload> {
        self.reload.clone()
    }

    /// Serves until it is stopped.
    pub async fn run(self) -> Result<(), StartError> {
        let mut workers: Vec<_> = self
            .workers
            .into_iter()
            .map(|worker| tokio::spawn(worker.run(self.shutdown.clone())))
            .collect();
        workers.push(tokio::spawn(self.identity.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.role_waits.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.deliverer.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.setup_expiry.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.janitor.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.lag.run(self.shutdown.clone())));
        let feed = self.database.clone();
        workers.push(tokio::spawn(feed.follow_changes(self.shutdown.clone())));
        let meter = self.services.people.usage.meter.clone();
        workers.push(tokio::spawn(meter.clone().run(self.shutdown.clone())));
        let background = TaskTracker::new();
        background.spawn(keep_recovering(
            self.services.clone(),
            self.shutdown.clone(),
        ));
        let stopping = self.services.running.stopping.clone();
        let end = {
            let (shutdown, stopping, grace) =
                (self.shutdown.clone(), stopping.clone(), self.plan.grace);
            tokio::spawn(async move {
                shutdown.cancelled().await;
                stopping.begin();
                Instant::now() + grace
            })
        };
        // The second listener answers until the first has stopped.
        let product_ended = CancellationToken::new();
        let management = self.management.map(|listening| {
            let plan = StopPlan {
                drain: Duration::ZERO,
                ..self.plan
            };
            let (stopping, stop) = (stopping.clone(), product_ended.clone());
            tokio::spawn(listening.run(stopping, plan, stop.clone(), stop))
        });
        let served = self
            .listening
            .run(
                stopping,
                self.plan,
                self.shutdown.clone(),
                self.without_drain,
            )
            .await;
        self.shutdown.cancel();
        let end = end.await.unwrap_or_else(|_| Instant::now());
        // A check whose client has left still removes its probe object.
        self.checks.close();
        background.close();
        let rest = async {
            // Each gives its job back.
            for worker in workers {
                let _ = worker.await;
            }
            self.checks.wait().await;
            background.wait().await;
        };
        if timeout_at(end, rest).await.is_err() {
            tracing::warn!("stopping although a connection check or an import still runs");
        }
        // What was counted until now. A database that is away keeps nobody from stopping.
        if timeout(LAST_WRITING, meter.write_down()).await.is_err() {
            tracing::warn!("stopping although what workspaces use was not written down");
        }
        product_ended.cancel();
        let managed = match management {
            Some(task) => task
                .await
                .unwrap_or_else(|error| Err(StartError::Other(error.to_string()))),
            None => Ok(()),
        };
        let contact = match self.first_contact {
            Some(task) => task
                .await
                .unwrap_or_else(|error| Err(StartError::Other(error.to_string()))),
            None => Ok(()),
        };
        self.database.close().await;
        // Another process may have the database now.
        drop(self.lock);
        served.and(managed).and(contact)
    }
}

/// Makes entries of the audit log of what stopped processes have left.
async fn keep_recovering(services: Arc<Services>, stop: CancellationToken) {
    services.people.audit_log.keep_recovering(stop).await;
}

/// What is read for metrics at each scrape.
fn readings(database: &Database, use_cases: &UseCases) -> ServiceReadings {
    let (used, idle) = (database.clone(), database.clone());
    let [taken, found, not_found, age] = [(); 4].map(|()| database.clone());
    let sessions = use_cases.sessions.clone();
    ServiceReadings {
        database_connections_used: Box::new(move || used.connections().used),
        database_connections_idle: Box::new(move || idle.connections().idle),
        database_connections_limit: database.connections().limit,
        database_connections_taken: Box::new(move || taken.memory_counts().taken),
        rows_found: Box::new(move || found.memory_counts().found),
        rows_not_found: Box::new(move || not_found.memory_counts().not_found),
        changes_age: Box::new(move || age.memory_counts().age),
        role_sessions: Box::new(move || sessions.kept()),
        dropped_log_lines: Box::new(logging::dropped_lines),
    }
}
