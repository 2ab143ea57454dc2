//! Small changes of many requests, committed together.
//!
//! Each commit of SQLite waits for the disk and writes whole pages of its log. While one is written, the changes of
//! other requests gather, and the next transaction has them all. A change that is alone is not delayed, and one that
//! fails takes no other with it. PostgreSQL commits on many connections at the same time, and gathers by itself.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::Database;
use crate::database::engine::{Conn, Pool};
use crate::database::together::{Change, Statement, Turn};
use tokio::sync::oneshot;

impl Database {
    /// Stores a change of these statements. None of them may change a row that is kept in memory.
    pub(super) async fn change(&self, statements: Vec<Statement>) -> StoreResult<()> {
        match self.pool {
            Pool::Sqlite { .. } => {}
            Pool::Postgres { .. } => return self.change_alone(statements).await,
        }
        let (answer, answered) = oneshot::channel();
        let change = Change { statements, answer };
        if let Some(turn) = self.together.add(change)? {
            let database = self.clone();
            // On its own: whoever waits for the first change may leave.
            let runtime = self.together.runtime();
            runtime.spawn(async move { database.commit_all(turn).await });
        }
        answered.await.unwrap_or_else(|_| {
            let why = "the work on it was broken off".to_owned();
            Err(StoreError::OutcomeUnknown(why))
        })
    }

    async fn change_alone(&self, mut statements: Vec<Statement>) -> StoreResult<()> {
        if let [_] = statements.as_slice()
            && let Some((sql, values)) = statements.pop()
        {
            return self.execute(sql, values).await.map(drop);
        }
        let mut tx = self.begin().await?;
        for (sql, values) in statements {
            tx.execute(sql, values).await?;
        }
        tx.commit().await
    }

    async fn commit_all(&self, mut turn: Turn) {
        while turn.has_more() {
            // More come while the connection is waited for.
            let writer = self.writer().await;
            let mut changes = turn.next();
            if let [_] = changes.as_slice()
                && let Some(Change { statements, answer }) = changes.pop()
            {
                let done = self.store(writer, statements).await;
                end(answer, done);
                continue;
            }
            let all = changes.iter().flat_map(|change| change.statements.clone());
            match self.store(writer, all.collect()).await {
                Ok(()) => end_all(changes, &Ok(())),
                // Another one would fare no better, or may be stored twice.
                Err(
                    error @ (StoreError::Unavailable(_)
                    | StoreError::Busy(_)
                    | StoreError::OutcomeUnknown(_)
                    | StoreError::ReadOnly(_)),
                ) => end_all(changes, &Err(error)),
                // Nothing is stored. It may be due to one of them.
                Err(
                    StoreError::Full(_)
                    | StoreError::Conflict(_)
                    | StoreError::KeyLost
                    | StoreError::Damaged { .. }
                    | StoreError::Failed(_),
                ) => {
                    for Change { statements, answer } in changes {
                        let done = self.change_alone(statements).await;
                        end(answer, done);
                    }
                }
            }
        }
    }

    /// Stores all of them or none, on this connection.
    async fn store(
        &self,
        writer: StoreResult<Conn>,
        mut statements: Vec<Statement>,
    ) -> StoreResult<()> {
        let mut writer = writer?;
        if let [_] = statements.as_slice()
            && let Some((sql, values)) = statements.pop()
        {
            return writer.execute(sql, values).await.map(drop);
        }
        let mut tx = self.pool.begin_on(writer).await?;
        for (sql, values) in statements {
            tx.execute(sql, values).await?;
        }
        tx.commit().await
    }
}

fn end(answer: oneshot::Sender<StoreResult<()>>, with: StoreResult<()>) {
    // Nobody may wait for it any more. What was stored stays.
    let _ = answer.send(with);
}

fn end_all(changes: Vec<Change>, with: &StoreResult<()>) {
    for Change { answer, .. } in changes {
        end(answer, with.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::engine::{Sql, Take, values};
    use crate::database::url::DatabaseUrl;
    use futures_util::future::join_all;
    use std::time::Duration;
    use tokio::task::JoinHandle;

    const MANY: usize = 20;

    async fn opened(folder: &tempfile::TempDir) -> Database {
        let url = DatabaseUrl::sqlite_file(&folder.path().join("sallyport.db"));
        Database::connect(&url).await.unwrap()
    }

    fn entry(id: usize) -> Vec<Statement> {
        let id = format!("aud_{id:02}");
        let insert = "INSERT INTO audit_log (id, occurred_at, actor, action, result) VALUES ($1, 1, 'operator', 'a', $2)";
        let intent = "INSERT INTO audit_intents (id, begun_at, seen_at, actor, action, files) VALUES ($1, 1, 1, 'operator', 'a', '[]')";
        vec![
            (intent.into(), values![id.as_str()]),
            (insert.into(), values![id.as_str(), "done"]),
        ]
    }

    /// Changes that wait, because another one has the connection.
    async fn waiting(
        database: &Database,
        changes: impl Iterator<Item = Vec<Statement>>,
    ) -> Vec<JoinHandle<StoreResult<()>>> {
        let mut all = Vec::new();
        for change in changes {
            let database = database.clone();
            all.push(tokio::spawn(async move { database.change(change).await }));
        }
        // Each has begun to wait.
        tokio::time::sleep(Duration::from_millis(50)).await;
        all
    }

    async fn stored(database: &Database, table: &str) -> usize {
        let sql = Sql::Built(format!("SELECT id FROM {table}"));
        database
            .read(sql, Vec::new(), Take::All)
            .await
            .unwrap()
            .len()
    }

    /// How many pages the log has.
    async fn pages(database: &Database) -> i64 {
        let rows = database
            .fetch_by_writer("PRAGMA wal_checkpoint(PASSIVE)", Vec::new())
            .await
            .unwrap();
        rows[0].int("log").unwrap().unwrap()
    }

    #[tokio::test]
    async fn changes_that_wait_are_committed_together() {
        let mut logs = Vec::new();
        for is_together in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let database = opened(&folder).await;
            let before = pages(&database).await;
            if is_together {
                let other = database.begin().await.unwrap();
                let changes = waiting(&database, (0..MANY).map(entry)).await;
                drop(other);
                for done in join_all(changes).await {
                    done.unwrap().unwrap();
                }
            } else {
                for number in 0..MANY {
                    database.change(entry(number)).await.unwrap();
                }
            }
            assert_eq!(stored(&database, "audit_log").await, MANY);
            logs.push(pages(&database).await - before);
        }
        // The log begins again after a checkpoint: what counts is what each has written since.
        assert!(logs[0] * 4 < logs[1], "{logs:?} pages");
    }

    #[tokio::test]
    async fn one_that_fails_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = opened(&folder).await;
        let other = database.begin().await.unwrap();
        let mut changes: Vec<_> = (0..MANY).map(entry).collect();
        // Its first statement alone could be stored.
        changes[7][1] = changes[3][1].clone();
        let mut changes = waiting(&database, changes.into_iter()).await;
        // Whoever asked for this one leaves.
        changes.remove(11).abort();
        drop(other);
        for (number, done) in join_all(changes).await.into_iter().enumerate() {
            match (number, done.unwrap()) {
                (7, Err(StoreError::Conflict(_))) => {}
                (7, other) => panic!("{other:?}"),
                (_, done) => done.unwrap(),
            }
        }
        database.change(entry(MANY)).await.unwrap();
        for table in ["audit_log", "audit_intents"] {
            assert_eq!(stored(&database, table).await, MANY, "{table}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_change_is_lost_between_two_turns() {
        let folder = tempfile::tempdir().unwrap();
        let database = opened(&folder).await;
        let mut all = tokio::task::JoinSet::new();
        for of in 0..4 {
            let database = database.clone();
            all.spawn(async move {
                for number in 0..100 {
                    database.change(entry(of * 100 + number)).await.unwrap();
                }
            });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
        assert_eq!(stored(&database, "audit_log").await, 400);
    }

    #[test]
    fn nobody_waits_for_a_runtime_that_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let first = tokio::runtime::Runtime::new().unwrap();
        let second = tokio::runtime::Runtime::new().unwrap();
        let database = first.block_on(opened(&folder));
        let other = first.block_on(database.begin()).unwrap();
        let waits = second.block_on(waiting(&database, (0..2).map(entry)));
        drop(first);
        second.block_on(async {
            let later = waiting(&database, (2..3).map(entry)).await;
            for done in join_all(waits.into_iter().chain(later)).await {
                let lost = matches!(done.unwrap(), Err(StoreError::OutcomeUnknown(_)));
                assert!(lost);
            }
        });
        drop(other);
    }
}
