//! PostgreSQL goes away and comes back, behind a proxy that can be cut.

use crate::application::kept::store::{Store, StoreError, Window, WorkspaceStore};
use crate::database::{Database, DatabaseTls, DatabaseUrl};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::workspace::Workspace;
use crate::it::support::database::{drop_postgres, empty_postgres};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A call that meets a database which is away answers within this time.
const BOUND: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Up,
    /// Connections are reset, new ones too.
    Cut,
    /// Bytes are swallowed in silence.
    Silent,
}

struct Proxy {
    line: watch::Sender<Line>,
    /// The database's URL by way of the proxy.
    url: DatabaseUrl,
    direct: DatabaseUrl,
}

impl Proxy {
    async fn start(line: Line) -> Self {
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
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, server.clone(), lines.clone()));
            }
        });
        Self {
            line,
            url: DatabaseUrl::Postgres(Box::new(url)),
            direct,
        }
    }

    fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

/// Carries one connection, until the line changes. What was silenced stays so: the line that comes back
/// serves new connections only, as after a failover to another host.
async fn relay(mut client: TcpStream, server: (String, u16), mut line: watch::Receiver<Line>) {
    if *line.borrow_and_update() == Line::Up {
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = line.changed() => {}
        }
        if *line.borrow() == Line::Silent {
            hold(&mut client).await;
        }
        let _ = server.shutdown().await;
    } else if *line.borrow() == Line::Silent {
        hold(&mut client).await;
    }
}

/// Reads and never answers.
async fn hold(client: &mut TcpStream) {
    let mut sink = [0; 1024];
    while client.read(&mut sink).await.is_ok_and(|read| read > 0) {}
}

fn sample() -> Workspace {
    Workspace {
        id: WorkspaceId::generate(),
        name: Name::parse("here").unwrap(),
        default_storage: StorageRef::BuiltIn,
        created_at: time::OffsetDateTime::UNIX_EPOCH,
    }
}

fn all() -> Window {
    Window {
        after: None,
        limit: 100,
    }
}

/// Many calls at once, as a service has them: each fails with `Unavailable`, and in time.
async fn expect_away(database: &Database) {
    let started = Instant::now();
    let mut calls = Vec::new();
    for at in 0..30 {
        let database = database.clone();
        calls.push(tokio::spawn(async move {
            match at % 3 {
                0 => database.ping().await,
                1 => database.list_workspaces(&all()).await.map(drop),
                _ => database.create_workspace(&sample()).await,
            }
        }));
    }
    for call in calls {
        let answer = call.await.unwrap();
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
}

/// After the line came back: at once, or after the connections that died were found out.
async fn expect_back(database: &Database) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.ping().await.is_err() {
        assert!(Instant::now() < deadline, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..30 {
        database.create_workspace(&sample()).await.unwrap();
    }
}

async fn goes_and_comes_back(away: Line) {
    let proxy = Proxy::start(Line::Up).await;
    let database = Database::connect(&proxy.url).await.unwrap();
    let made = sample();
    database.create_workspace(&made).await.unwrap();
    for _ in 0..2 {
        proxy.set(away);
        expect_away(&database).await;
        proxy.set(Line::Up);
        expect_back(&database).await;
    }
    assert_eq!(database.workspace(&made.id).await, Ok(Some(made)));
    drop(database);
    drop_postgres(&proxy.direct).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_resumes_after_connections_were_cut() {
    goes_and_comes_back(Line::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_resumes_after_the_network_swallowed_everything() {
    goes_and_comes_back(Line::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_the_database_waits_for_it() {
    for away in [Line::Cut, Line::Silent] {
        let proxy = Proxy::start(away).await;
        let started = Instant::now();
        let database = Database::connect(&proxy.url).await.unwrap();
        assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
        expect_away(&database).await;
        proxy.set(Line::Up);
        // The schema is made by the first call that reaches the database.
        expect_back(&database).await;
        assert_eq!(database.list_workspaces(&all()).await.unwrap().len(), 30);
        drop(database);
        drop_postgres(&proxy.direct).await;
    }
}

#[tokio::test]
async fn nobody_listens_at_all() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = DatabaseUrl::parse(
        &format!("postgres://me:hush@127.0.0.1:{port}/none"),
        DatabaseTls::Verified,
    )
    .unwrap();
    let database = Database::connect(&url).await.unwrap();
    expect_away(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_line_broke_leaves_nothing() {
    let proxy = Proxy::start(Line::Up).await;
    let database = Arc::new(Database::connect(&proxy.url).await.unwrap());
    let mut calls = Vec::new();
    for _ in 0..100 {
        let database = Arc::clone(&database);
        calls.push(tokio::spawn(async move {
            let workspace = sample();
            (database.create_workspace(&workspace).await, workspace)
        }));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    proxy.set(Line::Cut);
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    proxy.set(Line::Up);
    expect_back(&database).await;
    for (answer, workspace) in answers {
        let found = database.workspace(&workspace.id).await.unwrap();
        match answer {
            Ok(()) => assert_eq!(found, Some(workspace)),
            // Whether a commit arrived whose answer was lost is open; that it is whole is not.
            Err(StoreError::Unavailable(_)) => assert!(found.is_none_or(|f| f == workspace)),
            Err(odd) => panic!("{odd:?}"),
        }
    }
    drop(database);
    drop_postgres(&proxy.direct).await;
}
