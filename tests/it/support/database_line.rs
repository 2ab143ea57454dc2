//! The line to PostgreSQL: a proxy that can be cut.

use crate::database::DatabaseUrl;
use crate::it::support::database::empty_postgres;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Up,
    /// Connections are reset, new ones too.
    Cut,
    /// Bytes are swallowed in silence.
    Silent,
    /// New connections are reset. Those that are open go on.
    Shut,
}

/// A proxy to an empty database.
pub struct Proxy {
    line: watch::Sender<Line>,
    /// How many commits pass before one is cut off.
    commits: Arc<AtomicI64>,
    /// How often something came from the client.
    flights: Arc<AtomicUsize>,
    /// The database's URL by way of the proxy.
    pub url: DatabaseUrl,
    pub direct: DatabaseUrl,
}

impl Proxy {
    pub async fn start(line: Line) -> Self {
        let direct = empty_postgres().await;
        let DatabaseUrl::Postgres(options) = &direct else {
            panic!("not PostgreSQL");
        };
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = options.as_ref().clone().host("127.0.0.1").port(port);
        let line = watch::Sender::new(line);
        let lines = line.subscribe();
        let commits = Arc::new(AtomicI64::new(i64::MAX));
        let flights = Arc::new(AtomicUsize::new(0));
        let counts = (commits.clone(), flights.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, line, counts) = (server.clone(), lines.clone(), counts.clone());
                tokio::spawn(relay(client, server, line, counts));
            }
        });
        Self {
            line,
            commits,
            flights,
            url: DatabaseUrl::Postgres(Box::new(url)),
            direct,
        }
    }

    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Lets so many commits pass. The next one reaches the server, and its answer is lost with its
    /// connection.
    pub fn lose_a_commit_after(&self, commits: i64) {
        self.commits.store(commits, SeqCst);
    }

    /// How often the client has sent something so far. One that waits for each answer sends once for each round trip.
    pub fn flights(&self) -> usize {
        self.flights.load(SeqCst)
    }

    /// Whether the commit was cut off.
    pub fn has_lost_a_commit(&self) -> bool {
        self.commits.load(SeqCst) < 0
    }
}

/// Carries one connection, until the line changes. What was silenced stays so: the line that comes back
/// serves new connections only, as after a failover to another host.
async fn relay(
    mut client: TcpStream,
    server: (String, u16),
    mut line: watch::Receiver<Line>,
    counts: (Arc<AtomicI64>, Arc<AtomicUsize>),
) {
    let mut now = *line.borrow_and_update();
    match now {
        Line::Cut | Line::Shut => {}
        Line::Silent => hold(&mut client).await,
        Line::Up => {
            let mut server = TcpStream::connect(server).await.unwrap();
            {
                let mut carried = pin!(carry(&mut client, &mut server, &counts));
                loop {
                    tokio::select! {
                        () = &mut carried => return,
                        changed = line.changed() => if changed.is_err() {
                            break;
                        }
                    }
                    let before = now;
                    now = *line.borrow_and_update();
                    let goes_on = match now {
                        Line::Shut => true,
                        Line::Up => before == Line::Shut,
                        Line::Cut | Line::Silent => false,
                    };
                    if !goes_on {
                        break;
                    }
                }
            }
            if now == Line::Silent {
                hold(&mut client).await;
            }
            let _ = server.shutdown().await;
        }
    }
}

async fn carry(
    client: &mut TcpStream,
    server: &mut TcpStream,
    (commits, flights): &(Arc<AtomicI64>, Arc<AtomicUsize>),
) {
    let (mut from_client, mut from_server) = ([0; 16 << 10], [0; 16 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(read @ 1..) = read else { return };
                let bytes = &from_client[..read];
                flights.fetch_add(1, SeqCst);
                if server.write_all(bytes).await.is_err() {
                    return;
                }
                let commits_now = bytes.windows(7).any(|bytes| bytes == b"COMMIT\0");
                if commits_now && commits.fetch_sub(1, SeqCst) == 0 {
                    // Long enough for the server to do it.
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&from_server[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads and never answers.
async fn hold(client: &mut TcpStream) {
    let mut sink = [0; 1024];
    while client.read(&mut sink).await.is_ok_and(|read| read > 0) {}
}
