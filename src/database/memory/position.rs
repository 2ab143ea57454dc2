//! How far the table `changes` was read.

use crate::database::memory::stamps::Stamps;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many changes one reading takes. Where there are more, everything is read again.
pub const MOST_CHANGES: usize = 5_000;

/// Which changes were to be seen when a statement ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Tells the server apart from others, and from itself before a restart. One that took another's place may give out
    /// marks again that were read of the other, where the last transactions of that one were lost.
    pub server: i64,
    /// No change with this mark or a larger one. The mark is a change's place in the order in which changes come to be
    /// seen: the transaction on PostgreSQL, the ID on SQLite.
    pub next: i64,
    /// No change with these smaller marks, with commas between them: their transactions were running.
    pub running: String,
}

/// What one statement found.
#[derive(Debug)]
pub struct Reading {
    pub seen: Seen,
    /// The scopes of the changes that were to be seen now and not when the one before ran; one more than
    /// [`MOST_CHANGES`] at most.
    pub scopes: Vec<String>,
}

/// How far the changes were read. The feed and whoever has changed something go on with it together.
#[derive(Default)]
pub struct Position(Mutex<Option<Seen>>);

impl Position {
    /// From where on to read. `None`: nothing was read yet, and only what is to be seen now is of interest.
    pub fn reached(&self) -> Option<Seen> {
        self.lock().clone()
    }

    /// Begins from the beginning at the next reading, which ends all that was read before.
    pub fn start_over(&self) {
        *self.lock() = None;
    }

    /// Heeds what was found from `from` on. Readings may end in another order than they began in: whichever is gone on
    /// from, all that was to be seen then is heeded.
    pub fn heed(&self, from: Option<&Seen>, reading: Reading, stamps: &Stamps) {
        let Reading { seen, scopes } = reading;
        // A database whose marks are smaller now is another one.
        let is_after = |other: &Seen| other.server == seen.server && seen.next >= other.next;
        let mut slot = self.lock();
        let is_same = slot.as_ref().is_some_and(|at| at.server == seen.server);
        if !is_same || !from.is_some_and(is_after) || scopes.len() > MOST_CHANGES {
            stamps.bump_all();
            *slot = Some(seen);
            return;
        }
        for scope in &scopes {
            stamps.bump(scope);
        }
        if slot.as_ref().is_some_and(is_after) {
            *slot = Some(seen);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::stamps::Scope;
    use crate::domain::ids::WorkspaceId;

    fn seen(next: i64, running: &str) -> Seen {
        Seen {
            server: 1,
            next,
            running: running.to_owned(),
        }
    }

    fn reading(seen: Seen, scopes: &[&WorkspaceId]) -> Reading {
        Reading {
            seen,
            scopes: scopes.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_change_is_heeded_and_none_is_missed() {
        let (stamps, position) = (Stamps::default(), Position::default());
        let (mine, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let stamp = || stamps.of(Scope::Workspace(&mine));
        let before = stamp();
        assert_eq!(position.reached(), None);
        position.heed(None, reading(seen(10, ""), &[]), &stamps);
        assert!(!stamps.is_current(before), "what was read before has ended");
        // The transaction 12 has committed, 10 and 11 go on.
        let (first, before) = (position.reached().unwrap(), stamp());
        position.heed(Some(&first), reading(seen(13, "10,11"), &[&mine]), &stamps);
        assert!(!stamps.is_current(before));
        assert_eq!(position.reached(), Some(seen(13, "10,11")));
        // Nothing is new.
        let (second, before) = (position.reached().unwrap(), stamp());
        position.heed(Some(&second), reading(seen(13, "10,11"), &[]), &stamps);
        assert!(stamps.is_current(before));
        // 11 commits late.
        position.heed(Some(&second), reading(seen(14, "10"), &[&mine]), &stamps);
        assert!(!stamps.is_current(before));
        // A reading that began before, and ends now: what it found is heeded, and nobody goes back to it.
        let before = stamps.of(Scope::Workspace(&other));
        position.heed(Some(&first), reading(seen(12, "10"), &[&other]), &stamps);
        assert!(!stamps.is_current(before));
        assert_eq!(position.reached(), Some(seen(14, "10")));
    }

    #[test]
    fn another_database_and_too_many_changes_end_everything() {
        let mine = WorkspaceId::generate();
        let many = vec![&mine; MOST_CHANGES + 1];
        let promoted = Seen {
            server: 2,
            ..seen(101, "")
        };
        let from = seen(100, "");
        for (from, reading) in [
            (Some(&from), reading(seen(7, ""), &[])),
            (Some(&from), reading(seen(200, ""), &many)),
            (None, reading(seen(200, ""), &[])),
            // A replica that took the server's place, and was behind.
            (Some(&from), reading(promoted, &[])),
        ] {
            let (stamps, position) = (Stamps::default(), Position::default());
            position.heed(None, self::reading(seen(100, ""), &[]), &stamps);
            let stamp = stamps.of(Scope::Product);
            let reached = reading.seen.clone();
            position.heed(from, reading, &stamps);
            assert!(!stamps.is_current(stamp));
            assert_eq!(position.reached(), Some(reached));
        }
    }

    #[test]
    fn a_reading_from_before_a_new_beginning_ends_everything() {
        let (stamps, position) = (Stamps::default(), Position::default());
        position.heed(None, reading(seen(100, ""), &[]), &stamps);
        let from = position.reached();
        position.start_over();
        let stamp = stamps.of(Scope::Product);
        position.heed(from.as_ref(), reading(seen(101, ""), &[]), &stamps);
        assert!(!stamps.is_current(stamp));
    }
}
