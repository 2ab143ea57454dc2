//! Listeners: how they begin, and how they end.

use crate::http;
use crate::http::HttpParts;
use crate::http::listener::Listener;
use crate::http::state::Services;
use crate::http::stopping::Stopping;
use crate::logging;
use crate::settings::Settings;
use crate::startup::closing::close;
use crate::startup::error::{StartError, with_cause};
use crate::startup::use_cases::reader_patience;
use actix_web::HttpServer;
use actix_web::dev::Server;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long a connection is kept without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How many connections wait to be accepted. The kernel shortens it to `net.core.somaxconn`, which is
/// 4,096 by default.
const BACKLOG: u32 = 4_096;
/// The most connections at a time, over all of a listener's threads: idle ones cost about 10 KiB each,
/// and a descriptor. Further ones wait in the backlog.
const MOST_CONNECTIONS: usize = 16_384;

/// The most threads that read requests and write answers. Each has a router of its own, which takes 10 MiB with all
/// routes (measured). Calls to buckets and the database run on other threads, as many as there are processors.
const MOST_WORKERS: usize = 8;
/// The same where only probes and metrics are answered.
const MOST_WORKERS_OF_MANAGEMENT: usize = 2;

/// How much of an answer is gathered before it is written, in bytes: each write is a system call.
const WRITE_BUFFER: usize = 64 << 10;

/// An answer whose client has taken nothing for so long does not hold up a stop.
const STALLED: Duration = Duration::from_secs(5);
/// What ended just now may still be in a connection's buffer.
const LINGER: Duration = Duration::from_millis(250);
/// How long a stop waits for the first request of a connection that was just accepted. Not longer than the drain.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// How often a stop looks whether it has to wait.
const LOOK: Duration = Duration::from_millis(20);
/// How much of the grace is kept for closing connections and for what runs in the background.
const RESERVE: Duration = Duration::from_secs(2);

/// An address that this process has taken. Nobody can connect to it before it serves.
pub(super) struct Taken {
    address: SocketAddr,
    socket: TcpSocket,
}

impl Taken {
    /// Takes the address, unless another program listens there.
    pub fn take(address: SocketAddr, settings: &Settings) -> Result<Self, StartError> {
        let socket = bind(address, reader_patience(settings))
            .map_err(|error| StartError::Listen { address, error })?;
        Ok(Self { address, socket })
    }

    fn listen(self) -> Result<TcpListener, StartError> {
        let Self { address, socket } = self;
        // Another program may have been quicker.
        let refused = |error| StartError::Listen { address, error };
        let listener = socket.listen(BACKLOG).map_err(refused)?;
        listener.into_std().map_err(StartError::Server)
    }
}

/// A listener that serves.
pub(super) struct Listening {
    pub address: SocketAddr,
    server: Server,
    /// The same socket as the server's.
    socket: TcpListener,
}

/// How a service stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopPlan {
    /// How long the service goes on, not ready, so that load balancers see it.
    pub drain: Duration,
    /// From the signal to the end, the drain included.
    pub grace: Duration,
}

impl StopPlan {
    /// When requests have to be done, for a stop that begins now.
    fn deadline(self) -> Instant {
        let reserve = RESERVE.min(self.grace / 4);
        Instant::now() + (self.grace - reserve)
    }
}

impl Listening {
    pub fn begin(
        taken: Taken,
        services: Arc<Services>,
        listener: Listener,
        settings: &Settings,
    ) -> Result<Self, StartError> {
        let socket = taken.listen()?;
        let address = socket.local_addr().map_err(StartError::Server)?;
        let parts = HttpParts::new(listener)
            .and_then(|parts| parts.below(services.site.base()))
            .and_then(|parts| parts.with_dev(settings.dev_helper.clone()))
            .map_err(|error| StartError::Other(with_cause(&error)))?;
        let most = match listener.product {
            true => MOST_WORKERS,
            false => MOST_WORKERS_OF_MANAGEMENT,
        };
        let workers = available_parallelism().map_or(1, usize::from).min(most);
        let server = HttpServer::new(move || http::app(services.clone(), parts.clone()))
            .workers(workers)
            .max_connections(MOST_CONNECTIONS.div_ceil(workers))
            .client_request_timeout(settings.request_timeout)
            .client_disconnect_timeout(Duration::from_secs(5))
            .keep_alive(KEEP_ALIVE)
            .tcp_nodelay(true)
            .h1_write_buffer_size(WRITE_BUFFER)
            .shutdown_timeout(RESERVE.as_secs())
            .disable_signals()
            .listen(socket.try_clone().map_err(StartError::Server)?)
            .map_err(StartError::Server)?
            .run();
        Ok(Self {
            address,
            server,
            socket,
        })
    }

    /// Serves until `stop` or until the server fails, and ends as planned.
    pub async fn run(
        self,
        stopping: Arc<Stopping>,
        plan: StopPlan,
        stop: CancellationToken,
        without_drain: CancellationToken,
    ) -> Result<(), StartError> {
        let handle = self.server.handle();
        // In a task of its own, which goes on while the stop waits. Dropped, it closes what is left.
        let mut server = tokio::spawn(self.server);
        let stopped = tokio::select! {
            ended = &mut server => Some(ended),
            () = stop.cancelled() => None,
        };
        let ended = match stopped {
            Some(ended) => ended,
            None => {
                let deadline = plan.deadline();
                tokio::select! {
                    () = sleep(plan.drain) => {}
                    () = without_drain.cancelled() => {}
                    () = sleep_until(deadline) => {}
                }
                logging::listeners_close();
                let drains = !plan.drain.is_zero() && !without_drain.is_cancelled();
                close(&handle, self.socket, drains).await;
                if drains {
                    let first_request = Instant::now() + FIRST_REQUEST.min(plan.drain);
                    sleep_until(first_request.min(deadline)).await;
                }
                while !stopping.is_quiet(STALLED, LINGER) && Instant::now() < deadline {
                    sleep(LOOK).await;
                }
                if !stopping.is_quiet(STALLED, LINGER) {
                    tracing::warn!("stopping although requests are still worked on");
                }
                // Closes idle connections at once, and the others after what is in their buffers.
                let asked = handle.stop(true);
                let soon = Instant::now() + RESERVE / 2;
                if timeout_at(soon, asked).await.is_err() {
                    server.abort();
                }
                server.await
            }
        };
        match ended {
            Ok(served) => served.map_err(StartError::Server),
            Err(error) if error.is_cancelled() => Ok(()),
            Err(error) => Err(StartError::Other(error.to_string())),
        }
    }
}

fn bind(address: SocketAddr, patience: Duration) -> std::io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As the standard library does: a restart may take the address while old connections fade out.
    socket.set_reuseaddr(true)?;
    give_up_after(&socket, patience);
    socket.bind(address)?;
    Ok(socket)
}

/// Lets the kernel end connections of which the other side has taken nothing for so long, although something was
/// sent: nobody else sees that while a write waits. Connections have this from the socket that listens (tcp(7),
/// `TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
fn give_up_after(socket: &TcpSocket, patience: Duration) {
    let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(socket, milliseconds) {
        tracing::warn!(%error, "connections of clients that take nothing stay open");
    }
}

/// Elsewhere they stay open until the client leaves; what they hold besides is freed.
#[cfg(not(target_os = "linux"))]
fn give_up_after(_: &TcpSocket, _: Duration) {}
