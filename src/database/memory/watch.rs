//! Changes of this process, heeded before they are acknowledged.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::memory::Memory;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// The tables whose rows are kept in memory. Whatever goes with a row of another table by a reference is in one of
/// these itself.
pub const WATCHED: [&str; 8] = [
    "api_tokens",
    "default_storages",
    "product_keys",
    "remembered",
    "sessions",
    "storages",
    "workspace_origins",
    "workspaces",
];

/// How long an acknowledgement waits for what has changed to be read. After that everything is read again.
const LOOK_LIMIT: Duration = Duration::from_secs(1);

/// Reads what has changed since the last time.
pub trait Look: Send + Sync {
    fn look(&self) -> BoxFuture<'_, StoreResult<()>>;
}

/// Has the memory heed what this process changes.
#[derive(Clone)]
pub struct Watch {
    memory: Memory,
    look: Arc<dyn Look>,
}

/// A change on its way. Unless it is known what became of it, everything is read again: also where whoever waits for
/// it gives up.
#[must_use = "dropping it has everything read again"]
pub struct Armed(Option<Memory>);

impl Armed {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            memory.forget_all();
        }
    }
}

impl Watch {
    pub fn new(memory: &Memory, look: Arc<dyn Look>) -> Self {
        Self {
            memory: memory.clone(),
            look,
        }
    }

    /// To be called before a change is sent, and given to [`settle`](Self::settle). `None`: nothing is in memory.
    pub fn arm(&self) -> Option<Armed> {
        let is_fed = self.memory.is_fed();
        is_fed.then(|| Armed(Some(self.memory.clone())))
    }

    /// Heeds a change that has ended, if it was made.
    pub async fn settle<T>(&self, armed: Option<Armed>, done: &StoreResult<T>) {
        let Some(armed) = armed else {
            return;
        };
        match done {
            Ok(_) => {
                let looked = tokio::time::timeout(LOOK_LIMIT, self.look.look()).await;
                if matches!(looked, Ok(Ok(()))) {
                    armed.disarm();
                }
            }
            // Perhaps it was made.
            Err(StoreError::OutcomeUnknown(_)) => drop(armed),
            Err(
                StoreError::Unavailable(_)
                | StoreError::Busy(_)
                | StoreError::Full(_)
                | StoreError::ReadOnly(_)
                | StoreError::Conflict(_)
                | StoreError::KeyLost
                | StoreError::Damaged { .. }
                | StoreError::Failed(_),
            ) => armed.disarm(),
        }
    }
}

/// Whether a statement of this text may change a row that is kept in memory. Too often is right, too seldom is not.
pub fn may_change(sql: &str) -> bool {
    let sql = sql.trim_start();
    let word = sql.get(.."SELECT".len());
    let only_reads = word.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
    !only_reads && WATCHED.iter().any(|table| sql.contains(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::stamps::Scope;
    use futures_util::FutureExt;

    #[test]
    fn a_statement_that_names_a_table_is_looked_at_unless_it_reads() {
        for sql in [
            "UPDATE storages SET revision = 2",
            " delete from api_tokens",
            "WITH gone AS (DELETE FROM sessions RETURNING id) SELECT id FROM gone",
            "INSERT INTO workspace_origins (origin) VALUES ($1)",
        ] {
            assert!(may_change(sql), "{sql}");
        }
        for sql in [
            "SELECT id FROM storages FOR UPDATE",
            "\n select 1 from workspaces",
            "UPDATE jobs SET due_at = 1",
            "",
        ] {
            assert!(!may_change(sql), "{sql}");
        }
    }

    struct Looks(StoreResult<()>);

    impl Look for Looks {
        fn look(&self) -> BoxFuture<'_, StoreResult<()>> {
            async { self.0.clone() }.boxed()
        }
    }

    #[tokio::test]
    async fn everything_is_read_again_where_it_is_unknown_what_became_of_a_change() {
        let unknown = || StoreError::OutcomeUnknown(String::new());
        let refused = || StoreError::Conflict(String::new());
        for (look, done, is_forgotten) in [
            (Ok(()), Ok(1), false),
            (Ok(()), Err(refused()), false),
            (Ok(()), Err(unknown()), true),
            (Err(refused()), Ok(1), true),
        ] {
            let memory = Memory::default();
            let watch = Watch::new(&memory, Arc::new(Looks(look)));
            assert!(watch.arm().is_none(), "nobody reads the changes");
            memory.begin_feed();
            let stamp = memory.0.stamps.of(Scope::Product);
            watch.settle(watch.arm(), &done).await;
            assert_eq!(!memory.0.stamps.is_current(stamp), is_forgotten, "{done:?}");
            // Whoever waited has gone.
            let stamp = memory.0.stamps.of(Scope::Product);
            drop(watch.arm());
            assert!(!memory.0.stamps.is_current(stamp));
        }
    }
}
