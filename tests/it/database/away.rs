//! PostgreSQL goes away and comes back, behind a proxy that can be cut.

use crate::application::kept::store::{Store, StoreError, Window, WorkspaceStore};
use crate::database::{Database, DatabaseTls, DatabaseUrl};
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::standing::Standing;
use crate::domain::people::workspace::Workspace;
use crate::it::database::restarts::end_all;
use crate::it::support::database::{TestDb, drop_postgres};
use crate::it::support::database_line::{Line, Proxy};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// A call that meets a database which is away answers within this time.
const BOUND: Duration = Duration::from_secs(5);

fn sample() -> Workspace {
    Workspace {
        id: WorkspaceId::generate(),
        name: Name::parse("here").unwrap(),
        external_id: None,
        metadata: Metadata::default(),
        default_storage: StorageRef::BuiltIn,
        standing: Standing::default(),
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
                _ => database.create_workspace(&sample(), None).await,
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

/// Once it is known that the database is away, nobody waits to hear it again.
async fn expect_known_to_be_away(database: &Database) {
    let started = Instant::now();
    for _ in 0..100 {
        let answer = database.ping().await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    }
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
}

/// After the line came back: at once, or after the connections that died were found out.
async fn expect_back(database: &Database) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.ping().await.is_err() {
        assert!(Instant::now() < deadline, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..30 {
        database.create_workspace(&sample(), None).await.unwrap();
    }
}

async fn goes_and_comes_back(away: Line) {
    let proxy = Proxy::start(Line::Up).await;
    let database = Database::connect(&proxy.url).await.unwrap();
    let made = sample();
    database.create_workspace(&made, None).await.unwrap();
    for _ in 0..2 {
        proxy.set(away);
        expect_away(&database).await;
        expect_known_to_be_away(&database).await;
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

/// Somebody finds no open connection and cannot make one: that is no reason to refuse those who have one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_work_are_used_while_no_other_can_be_made() {
    let proxy = Proxy::start(Line::Up).await;
    let database = Database::connect(&proxy.url).await.unwrap();
    let made = sample();
    database.create_workspace(&made, None).await.unwrap();
    proxy.set(Line::Shut);
    // More than have an open connection. The others have somebody look for the server.
    let many = (0..14).map(|_| database.ping());
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    let refused =
        |answer: &&Result<(), StoreError>| matches!(answer, Err(StoreError::Unavailable(_)));
    assert!(answers.iter().filter(refused).count() > 1, "{answers:?}");
    // For longer than it takes to look several times.
    for _ in 0..60 {
        assert_eq!(database.ping().await, Ok(()));
        let another = database.create_workspace(&sample(), None).await;
        assert_eq!(another, Ok(()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proxy.set(Line::Up);
    expect_back(&database).await;
    database.close().await;
    drop_postgres(&proxy.direct).await;
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
    // What is wrong is said, and not that a pool has waited for it.
    let asked = [
        database.ping().await,
        Database::migrate(&url).await.map(drop),
    ];
    for answer in asked {
        let Err(StoreError::Unavailable(why)) = answer else {
            panic!("{answer:?}");
        };
        assert!(why.contains("refused") && !why.contains("pool"), "{why}");
    }
}

/// Another user or password is taken over while the service runs; another database is not.
#[tokio::test]
async fn the_way_to_sign_in_can_be_exchanged() {
    let db = TestDb::postgres().await;
    let DatabaseUrl::Postgres(options) = db.url.clone() else {
        panic!("not PostgreSQL");
    };
    db.run(|db| async move {
        let wrong = options.as_ref().clone().username("nobody_of_this_name");
        let wrong = DatabaseUrl::Postgres(Box::new(wrong));
        assert_eq!(db.database.sign_in_with(&wrong), Ok(()));
        // New connections use it.
        end_all(&options).await;
        let many = (0..12).map(|_| db.database.ping());
        let answers = futures_util::future::join_all(many).await;
        assert!(answers.iter().any(Result::is_err), "{answers:?}");
        assert_eq!(db.database.sign_in_with(&db.url), Ok(()));
        // Somebody may just be looking for the server, by the name of before.
        let mut there = db.database.ping().await;
        for _ in 0..50 {
            if there.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            there = db.database.ping().await;
        }
        assert_eq!(there, Ok(()));
        let elsewhere = options.as_ref().clone().database("postgres");
        let elsewhere = DatabaseUrl::Postgres(Box::new(elsewhere));
        assert!(db.database.sign_in_with(&elsewhere).is_err());
        let file = DatabaseUrl::sqlite_file(std::path::Path::new("x.db"));
        assert!(db.database.sign_in_with(&file).is_err());
    })
    .await;
}

/// A server-side limit ends a statement that nobody waits for any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_ends_statements_by_itself() {
    let db = TestDb::postgres().await;
    db.tamper(
        "CREATE FUNCTION shows_limit() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.name := current_setting('statement_timeout'); RETURN NEW; END $$;
         CREATE TRIGGER shows_limit BEFORE INSERT ON workspaces
             FOR EACH ROW EXECUTE FUNCTION shows_limit()",
    )
    .await
    .unwrap();
    db.run(|db| async move {
        let made = sample();
        db.database.create_workspace(&made, None).await.unwrap();
        let kept = db.database.workspace(&made.id).await.unwrap().unwrap();
        assert_eq!(kept.name.as_str(), "25s");
    })
    .await;
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
            (database.create_workspace(&workspace, None).await, workspace)
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
            Err(StoreError::Unavailable(_)) => assert_eq!(found, None),
            // Whether a commit arrived whose answer was lost is open; that it is whole is not.
            Err(StoreError::OutcomeUnknown(_)) => assert!(found.is_none_or(|f| f == workspace)),
            Err(odd) => panic!("{odd:?}"),
        }
    }
    drop(database);
    drop_postgres(&proxy.direct).await;
}
