//! The only place where adapters meet use cases. Production and tests start the service by the same
//! [`build`].

mod commands;
mod error;
mod keys;
pub mod program;
mod use_cases;

pub use error::StartError;

use crate::application::clock::{Clock, SystemClock};
use crate::application::error::{Error, Kind};
use crate::application::jobs::janitor::Janitor;
use crate::application::jobs::lag::JobLag;
use crate::application::jobs::worker::Worker;
use crate::application::kept::idempotency::IdempotentRequests;
use crate::application::kept::master_key;
use crate::application::kept::page_tokens::PageTokens;
use crate::application::kept::retention::Remover;
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::people::audit::AuditLog;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::sign_in::SignIns;
use crate::application::people::tokens::Tokens;
use crate::application::people::workspaces::Workspaces;
use crate::application::readiness::{DatabaseReadiness, IdentityReadiness, Readiness};
use crate::application::setups::instructions::Instructions;
use crate::aws::client::clients::AwsClients;
use crate::database::Database;
use crate::http;
use crate::http::HttpParts;
use crate::http::metrics::{BucketMetrics, HttpMetrics};
use crate::http::state::{DialogServices, PeopleServices, RunningService, Services, Site, Started};
use crate::settings::Settings;
use crate::startup::error::with_cause;
use actix_web::HttpServer;
use actix_web::dev::Server;
use aws_config::SdkConfig;
use prometheus_client::registry::Registry;
use secrecy::ExposeSecret;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use use_cases::UseCases;

/// How often a database that was away at start is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a connection is kept without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The service, ready to [`run`](Self::run).
pub struct Application {
    address: SocketAddr,
    server: Server,
    database: Database,
    shutdown: CancellationToken,
    first_contact: Option<JoinHandle<Result<(), StartError>>>,
    workers: Vec<Worker>,
    janitor: Janitor,
    lag: JobLag,
    checks: TaskTracker,
    grace: Duration,
}

/// Puts the service together and listens; it answers once it runs. AWS is reached as the environment
/// says.
pub async fn build(settings: Settings) -> Result<Application, StartError> {
    let aws = AwsClients::environment().await;
    build_with(settings, &aws.map_err(StartError::Other)?).await
}

/// The same with a given AWS configuration.
pub async fn build_with(settings: Settings, aws: &SdkConfig) -> Result<Application, StartError> {
    let vault = Arc::new(keys::vault(&settings).await?);
    let database = Database::connect(&settings.database)
        .await
        .map_err(|error| StartError::Database(error.to_string()))?;
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let mut registry = Registry::default();
    let metrics = HttpMetrics::register(&mut registry);
    let observer = Arc::new(BucketMetrics::register(&mut registry));
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
    let use_cases = UseCases::assemble(&settings, aws, &store, &vault, &clock, observer)?;

    let readiness: Vec<Arc<dyn Readiness>> = vec![
        Arc::new(DatabaseReadiness(store.clone())),
        Arc::new(IdentityReadiness(use_cases.principal)),
    ];

    let listener = TcpListener::bind(settings.listen).map_err(|error| StartError::Listen {
        address: settings.listen,
        error,
    })?;
    let address = listener.local_addr().map_err(StartError::Server)?;

    let services = Arc::new(Services {
        people: people(&settings, &store, &clock),
        setups: use_cases.setups.clone(),
        dialog: DialogServices {
            instructions: Instructions {
                store: store.clone(),
                clock: clock.clone(),
                setups: use_cases.setups,
                lifetime: settings.instruction_link_ttl,
            },
            browser_probes: use_cases.browser_probes,
        },
        storages: use_cases.storages,
        files: use_cases.files,
        projects: use_cases.projects,
        idempotency: IdempotentRequests {
            store: store.clone(),
            vault: vault.clone(),
            clock,
        },
        page_tokens: PageTokens::new(vault.clone()),
        site: Site {
            public_url: settings.public_url.clone(),
            frame_ancestors: settings.frame_ancestors.clone(),
        },
        running: RunningService {
            started: Started::default(),
            readiness,
            metrics,
            registry,
            request_timeout: settings.request_timeout,
        },
    });
    let parts = HttpParts::new().map_err(|error| StartError::Other(with_cause(&error)))?;

    let shutdown = CancellationToken::new();
    let contact = FirstContact {
        store,
        vault,
        services: services.clone(),
    };
    let first_contact = match contact.make().await {
        Ok(()) => None,
        Err(NoContact::Away) => Some(tokio::spawn(contact.keep_trying(shutdown.clone()))),
        Err(NoContact::Refused(error)) => return Err(error),
    };
    let server =
        serve(listener, services, parts, &settings, &shutdown).map_err(StartError::Server)?;
    tracing::info!(%address, database = %settings.database, "listening");
    Ok(Application {
        address,
        server,
        database,
        shutdown,
        first_contact,
        workers: use_cases.workers,
        janitor,
        lag,
        checks: use_cases.running_checks,
        grace: settings.shutdown_grace,
    })
}

fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    parts: HttpParts,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> std::io::Result<Server> {
    let stop = shutdown.clone();
    Ok(
        HttpServer::new(move || http::app(services.clone(), parts.clone()))
            .client_request_timeout(settings.request_timeout)
            .client_disconnect_timeout(Duration::from_secs(5))
            .keep_alive(KEEP_ALIVE)
            // An answer's end must not wait for the acknowledgement of what went before it.
            .tcp_nodelay(true)
            .shutdown_timeout(settings.shutdown_grace.as_secs())
            .shutdown_signal(async move { stop.cancelled().await })
            .listen(listener)?
            .run(),
    )
}

impl Application {
    /// Where it listens: with the port that it was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cancelling it stops the service: running requests are finished, within the grace.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Serves until it is stopped.
    pub async fn run(self) -> Result<(), StartError> {
        let mut workers: Vec<_> = self
            .workers
            .into_iter()
            .map(|worker| tokio::spawn(worker.run(self.shutdown.clone())))
            .collect();
        workers.push(tokio::spawn(self.janitor.run(self.shutdown.clone())));
        workers.push(tokio::spawn(self.lag.run(self.shutdown.clone())));
        let served = self.server.await.map_err(StartError::Server);
        self.shutdown.cancel();
        // A check whose client has left still removes its probe object.
        self.checks.close();
        let checks = async {
            // Each gives its job back.
            for worker in workers {
                let _ = worker.await;
            }
            self.checks.wait().await;
        };
        if tokio::time::timeout(self.grace, checks).await.is_err() {
            tracing::warn!("stopping although a connection check or an import still runs");
        }
        let contact = match self.first_contact {
            Some(task) => task
                .await
                .unwrap_or_else(|error| Err(StartError::Other(error.to_string()))),
            None => Ok(()),
        };
        self.database.close().await;
        served.and(contact)
    }
}

/// The use cases about people, put together.
fn people(settings: &Settings, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>) -> PeopleServices {
    let workspaces = Arc::new(Workspaces {
        store: store.clone(),
        clock: clock.clone(),
    });
    PeopleServices {
        authenticator: Authenticator::new(
            store.clone(),
            clock.clone(),
            settings.operator_token.as_ref(),
        ),
        tokens: Tokens {
            store: store.clone(),
            clock: clock.clone(),
            workspaces: workspaces.clone(),
        },
        sign_ins: SignIns {
            store: store.clone(),
            clock: clock.clone(),
            workspaces: workspaces.clone(),
            link_lifetime: settings.sign_in_link_ttl,
            idle: settings.session_idle,
            absolute: settings.session_max,
        },
        audit_log: AuditLog {
            store: store.clone(),
            clock: clock.clone(),
        },
        workspaces,
    }
}

/// Why the database was not prepared.
enum NoContact {
    /// It cannot be reached; later it may be.
    Away,
    Refused(StartError),
}

/// The first contact with the database.
struct FirstContact {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    services: Arc<Services>,
}

impl FirstContact {
    /// Verifies the master key and finds out the operator's token. Requests are served from then on.
    async fn make(&self) -> Result<(), NoContact> {
        let refused = |error: Error| match error.kind {
            Kind::Unavailable => NoContact::Away,
            _ => NoContact::Refused(StartError::Database(with_cause(&error))),
        };
        if !master_key::is_right(self.store.as_ref(), &self.vault)
            .await
            .map_err(refused)?
        {
            return Err(NoContact::Refused(StartError::WrongMasterKey));
        }
        let authenticator = &self.services.people.authenticator;
        if let Some(token) = authenticator.prepare().await.map_err(refused)? {
            // To the terminal, not to the log. When nobody reads it, there is SALLYPORT_OPERATOR_TOKEN.
            let _ = writeln!(
                std::io::stderr(),
                "\nThe operator's token, shown this once:\n\n    {}\n",
                token.expose_secret()
            );
        }
        self.services.running.started.set();
        Ok(())
    }

    async fn keep_trying(self, shutdown: CancellationToken) -> Result<(), StartError> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(RETRY) => {}
            }
            match self.make().await {
                Ok(()) => {
                    tracing::info!("the database is there");
                    return Ok(());
                }
                Err(NoContact::Away) => {}
                Err(NoContact::Refused(error)) => {
                    tracing::error!(%error, "stopping");
                    shutdown.cancel();
                    return Err(error);
                }
            }
        }
    }
}
