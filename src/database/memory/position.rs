//! How far the table `changes` was read.

use crate::database::memory::stamps::Stamps;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many changes one reading takes. Where there are more, everything is read again.
pub const MOST_CHANGES: usize = 5_000;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: i64,
    /// Its place in the order in which changes come to be seen: the transaction on PostgreSQL, the ID on SQLite.
    pub mark: i64,
    pub scope: String,
}

/// What one statement found.
#[derive(Debug)]
pub struct Reading {
    /// Tells the server apart from others, and from itself before a restart.
    pub server: i64,
    /// Every change with a smaller mark was to be seen when the statement ran, or never will be.
    pub horizon: i64,
    /// Those from the mark on that was asked for; one more than [`MOST_CHANGES`] at most.
    pub changes: Vec<Change>,
}

/// How far the changes were read. The feed and whoever has changed something go on with it together.
#[derive(Default)]
pub struct Position(Mutex<Option<Reached>>);

struct Reached {
    /// Whose marks these are. A server that took another's place may give out marks again that were read of the other,
    /// where the last transactions of that one were lost.
    server: i64,
    /// Every change with a smaller mark was heeded.
    since: i64,
    /// The IDs, with their marks, of later ones that were heeded already.
    heeded: HashMap<i64, i64>,
}

impl Position {
    /// From which mark on to read. `None`: nothing was read yet, and only the horizon is of interest.
    pub fn next(&self) -> Option<i64> {
        self.lock().as_ref().map(|reached| reached.since)
    }

    /// Begins from the beginning at the next reading, which ends all that was read before.
    pub fn start_over(&self) {
        *self.lock() = None;
    }

    /// Heeds what was found from `from` on. Readings may end in another order than they began in.
    pub fn heed(&self, from: Option<i64>, reading: Reading, stamps: &Stamps) {
        let Reading {
            server,
            horizon,
            changes,
        } = reading;
        let mut slot = self.lock();
        // A database whose transactions have smaller numbers now is another one.
        let goes_on = from.is_some_and(|from| horizon >= from) && changes.len() <= MOST_CHANGES;
        let reached = slot.as_mut().filter(|reached| reached.server == server);
        match reached {
            Some(reached) if goes_on => {
                for change in changes {
                    if reached.heeded.insert(change.id, change.mark).is_none() {
                        stamps.bump(&change.scope);
                    }
                }
                reached.since = reached.since.max(horizon);
                let since = reached.since;
                reached.heeded.retain(|_, mark| *mark >= since);
            }
            Some(_) | None => {
                stamps.bump_all();
                *slot = Some(Reached {
                    server,
                    since: horizon,
                    heeded: HashMap::new(),
                });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::stamps::Scope;
    use crate::domain::ids::WorkspaceId;

    fn change(id: i64, mark: i64, scope: &WorkspaceId) -> Change {
        Change {
            id,
            mark,
            scope: scope.to_string(),
        }
    }

    #[test]
    fn a_change_is_heeded_once_and_none_is_missed() {
        let (stamps, position) = (Stamps::default(), Position::default());
        let mine = WorkspaceId::generate();
        let before = stamps.of(Scope::Workspace(&mine));
        assert_eq!(position.next(), None);
        let first = Reading {
            server: 1,
            horizon: 10,
            changes: Vec::new(),
        };
        position.heed(None, first, &stamps);
        assert!(!stamps.is_current(before), "what was read before has ended");
        // The transaction 12 has committed, 10 and 11 go on.
        let stamp = stamps.of(Scope::Workspace(&mine));
        let second = || Reading {
            server: 1,
            horizon: 10,
            changes: vec![change(5, 12, &mine)],
        };
        position.heed(position.next(), second(), &stamps);
        assert!(!stamps.is_current(stamp));
        let stamp = stamps.of(Scope::Workspace(&mine));
        position.heed(position.next(), second(), &stamps);
        assert!(stamps.is_current(stamp), "it was heeded");
        // 11 commits late, with a smaller ID.
        let late = Reading {
            server: 1,
            horizon: 13,
            changes: vec![change(4, 11, &mine), change(5, 12, &mine)],
        };
        assert_eq!(position.next(), Some(10));
        position.heed(Some(10), late, &stamps);
        assert!(!stamps.is_current(stamp));
        // A reading that began before, and ends now.
        position.heed(Some(10), second(), &stamps);
        assert_eq!(position.next(), Some(13));
    }

    #[test]
    fn another_database_and_too_many_changes_end_everything() {
        let mine = WorkspaceId::generate();
        let many: Vec<Change> = (0..)
            .take(MOST_CHANGES + 1)
            .map(|id| change(id, id, &mine))
            .collect();
        for (from, reading) in [
            (
                Some(100),
                Reading {
                    server: 1,
                    horizon: 7,
                    changes: Vec::new(),
                },
            ),
            (
                Some(100),
                Reading {
                    server: 1,
                    horizon: 200,
                    changes: many,
                },
            ),
            (
                None,
                Reading {
                    server: 1,
                    horizon: 200,
                    changes: Vec::new(),
                },
            ),
            // A replica that was promoted, and was behind.
            (
                Some(100),
                Reading {
                    server: 2,
                    horizon: 101,
                    changes: Vec::new(),
                },
            ),
        ] {
            let (stamps, position) = (Stamps::default(), Position::default());
            let begin = Reading {
                server: 1,
                horizon: 100,
                changes: Vec::new(),
            };
            position.heed(None, begin, &stamps);
            let stamp = stamps.of(Scope::Product);
            let horizon = reading.horizon;
            position.heed(from, reading, &stamps);
            assert!(!stamps.is_current(stamp));
            assert_eq!(position.next(), Some(horizon));
        }
    }
}
