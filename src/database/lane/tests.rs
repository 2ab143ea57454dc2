//! The queue, and what becomes of connections, on SQLite in memory and in a file.

use super::*;
use crate::application::kept::store::StoreError;
use crate::database::engine::{Conn, OpenTx, Pool, Take, values};
use crate::database::open;
use sqlx::Sqlite;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

fn rules(connections: u32, waiting: usize) -> Rules<Sqlite> {
    Rules {
        connections,
        waiting,
        connect_limit: Duration::from_secs(5),
        stall_limit: Duration::from_secs(5),
        idle_limit: None,
        life_limit: None,
        is_remote: false,
        is_irreplaceable: true,
        prepared: Prepared::Constant,
        greet: None,
    }
}

fn lane(waiting: usize) -> Lane<Sqlite> {
    let options = SqliteConnectOptions::new().in_memory(true);
    Lane::new(options, rules(1, waiting))
}

/// Waits until so many wait.
async fn until_waiting(lane: &Lane<Sqlite>, number: usize) {
    while lane.0.waiting.load(Ordering::Acquire) != number {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn what_would_wait_behind_too_many_is_refused_at_once() {
    let lane = lane(2);
    let held = lane.acquire().await.unwrap();
    let mut waiting = Vec::new();
    for number in 1..=2 {
        let lane_of_it = lane.clone();
        waiting.push(tokio::spawn(
            async move { lane_of_it.acquire().await.map(drop) },
        ));
        until_waiting(&lane, number).await;
    }
    let refused = lane.acquire().await.map(drop);
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    // Those who wait are served, and then there is room again.
    drop(held);
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap(), Ok(()));
    }
    assert_eq!(lane.acquire().await.map(drop), Ok(()));
}

#[tokio::test]
async fn who_waits_for_a_change_that_takes_long_is_refused_after_a_while() {
    let short = Rules {
        stall_limit: Duration::from_millis(20),
        ..rules(1, 10)
    };
    let lane = Lane::new(SqliteConnectOptions::new().in_memory(true), short);
    let held = lane.acquire().await.unwrap();
    let refused = lane.acquire().await.map(drop);
    // A file is not away.
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    drop(held);
    assert_eq!(lane.acquire().await.map(drop), Ok(()));
}

#[tokio::test]
async fn one_who_gives_up_leaves_the_queue() {
    let lane = lane(1);
    let held = lane.acquire().await.unwrap();
    let lane_of_it = lane.clone();
    let waiter = tokio::spawn(async move { lane_of_it.acquire().await.map(drop) });
    until_waiting(&lane, 1).await;
    waiter.abort();
    until_waiting(&lane, 0).await;
    drop(held);
    assert_eq!(lane.acquire().await.map(drop), Ok(()));
}

#[tokio::test]
async fn turns_are_given_in_the_order_of_asking() {
    let lane = lane(100);
    let held = lane.acquire().await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 1..=20 {
        let (lane_of_it, order) = (lane.clone(), order.clone());
        waiting.push(tokio::spawn(async move {
            let held = lane_of_it.acquire().await.unwrap();
            order.lock().unwrap().push(number);
            drop(held);
        }));
        until_waiting(&lane, number).await;
    }
    drop(held);
    for waiter in waiting {
        waiter.await.unwrap();
    }
    let expected: Vec<usize> = (1..=20).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_closed_lane_gives_nothing_and_lets_nobody_wait() {
    let lane = lane(10);
    let held = lane.acquire().await.unwrap();
    let lane_of_it = lane.clone();
    let waiter = tokio::spawn(async move { lane_of_it.acquire().await.map(drop) });
    until_waiting(&lane, 1).await;
    let lane_of_it = lane.clone();
    let closing = tokio::spawn(async move { lane_of_it.close().await });
    while !lane.0.is_closed.load(Ordering::Acquire) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(held);
    assert!(waiter.await.unwrap().is_err());
    closing.await.unwrap();
    assert!(lane.acquire().await.is_err());
}

#[tokio::test]
async fn a_connection_that_was_left_in_a_transaction_comes_back_without_it() {
    let lane = lane(10);
    let run = async |sql: &'static str| {
        let mut held = lane.acquire().await.unwrap();
        held.sent();
        let answer = within(Sqlite::run(held.connection(), sql)).await;
        held.heard(&answer);
        answer.map_err(|lost| format!("{lost:?}"))
    };
    run("CREATE TABLE things (id INTEGER)").await.unwrap();
    let held = lane.acquire().await.unwrap();
    let Ok(mut begun) = Begun::begin(held, "BEGIN IMMEDIATE").await else {
        panic!("it was not begun");
    };
    let insert = "INSERT INTO things VALUES (1)";
    Sqlite::run(begun.held.connection(), insert).await.unwrap();
    drop(begun);
    // A row that was kept would be one too many.
    run("CREATE UNIQUE INDEX one ON things (id)").await.unwrap();
    run(insert).await.unwrap();
    // So does one whose user went away before the answer.
    let held = lane.acquire().await.unwrap();
    let beginning =
        tokio::spawn(async move { Begun::begin(held, "BEGIN IMMEDIATE").await.is_ok() });
    beginning.abort();
    let _ = beginning.await;
    let held = lane.acquire().await.unwrap();
    assert!(Begun::begin(held, "BEGIN IMMEDIATE").await.is_ok());
}

/// A database in a file, as the service has it.
struct File {
    pool: Pool,
    _folder: TempDir,
}

impl File {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let pool = open::sqlite(&folder.path().join("x.db"), None)
            .await
            .unwrap();
        let mut tx = pool.begin().await.unwrap();
        tx.execute("CREATE TABLE things (id INTEGER)", values![])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Self {
            pool,
            _folder: folder,
        }
    }

    async fn insert(&self, tx: &mut OpenTx, id: i64) {
        tx.execute("INSERT INTO things VALUES ($1)", values![id])
            .await
            .unwrap();
    }

    async fn count(&self) -> usize {
        let read = self
            .pool
            .read("SELECT id FROM things", values![], Take::All);
        read.await.unwrap().len()
    }
}

#[tokio::test]
async fn readers_are_served_while_a_writer_holds_its_transaction() {
    let file = File::new().await;
    let mut tx = file.pool.begin().await.unwrap();
    file.insert(&mut tx, 1).await;
    // More often than there are readers.
    for _ in 0..50 {
        assert_eq!(file.count().await, 0);
    }
    tx.commit().await.unwrap();
    // What was acknowledged is seen by whoever reads next.
    assert_eq!(file.count().await, 1);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let file = File::new().await;
    for sql in [
        "INSERT INTO things VALUES (1)",
        "INSERT INTO things VALUES (1) RETURNING id",
        "DELETE FROM things",
        "CREATE TABLE others (id INTEGER)",
    ] {
        let refused = file.pool.read(sql, values![], Take::All).await.map(|_| ());
        assert!(
            matches!(refused, Err(StoreError::ReadOnly(_))),
            "{sql}: {refused:?}"
        );
    }
    assert_eq!(file.count().await, 0);
    // The one that writes can.
    let mut writer = file.pool.writer().await.unwrap();
    assert!(matches!(writer, Conn::Sqlite(_)));
    let written = writer.execute("INSERT INTO things VALUES (1)", values![]);
    assert_eq!(written.await, Ok(1));
}

#[tokio::test]
async fn what_the_writer_acknowledges_is_on_the_disk() {
    let file = File::new().await;
    let mut writer = file.pool.writer().await.unwrap();
    let rows = writer
        .fetch_all("PRAGMA synchronous", values![])
        .await
        .unwrap();
    // 2 is FULL (SQLite, "PRAGMA synchronous").
    assert_eq!(rows[0].int("synchronous").unwrap(), Some(2));
}
