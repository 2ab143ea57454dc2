//! Numbers that say whether what was read still holds.

use crate::domain::ids::WorkspaceId;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How many numbers the workspaces share. Two that share one are read again together.
const SLOTS: usize = 8_192;
/// The place of what belongs to no workspace.
const OF_PRODUCT: usize = SLOTS;
/// How the table `changes` calls what belongs to no workspace.
const PRODUCT: &str = "product";
/// How it calls all of it.
const EVERYTHING: &str = "everything";

/// Whose a row is.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    Workspace(&'a WorkspaceId),
    /// It belongs to no workspace.
    Product,
}

/// The number of a scope at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    slot: usize,
    number: u64,
}

/// A number for each scope, which is another one after each change that was seen of it.
pub struct Stamps {
    slots: Vec<AtomicU64>,
    /// Counts every change of any scope, each before its own number is changed.
    epoch: AtomicU64,
    hasher: RandomState,
}

impl Default for Stamps {
    fn default() -> Self {
        let mut slots = Vec::new();
        slots.resize_with(SLOTS + 1, AtomicU64::default);
        Self {
            slots,
            epoch: AtomicU64::default(),
            hasher: RandomState::new(),
        }
    }
}

impl Stamps {
    /// The scope's number now. Taken before a row is read, it holds for the row until it is another one.
    pub fn of(&self, scope: Scope<'_>) -> Stamp {
        let slot = match scope {
            Scope::Workspace(id) => self.slot(id.as_str()),
            Scope::Product => OF_PRODUCT,
        };
        Stamp {
            slot,
            number: self.number(slot).load(SeqCst),
        }
    }

    pub fn is_current(&self, stamp: Stamp) -> bool {
        self.number(stamp.slot).load(SeqCst) == stamp.number
    }

    /// How many changes were seen, of whatever scope. Where it is the same before a row was read and after the stamp
    /// of its scope was taken, the stamp is as good as one that was taken before.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(SeqCst)
    }

    /// A change was seen of the scope, named as in the table `changes`.
    pub fn bump(&self, scope: &str) {
        match scope {
            EVERYTHING => self.bump_all(),
            PRODUCT => self.bump_slot(OF_PRODUCT),
            workspace => self.bump_slot(self.slot(workspace)),
        }
    }

    /// Nothing holds that was read until now.
    pub fn bump_all(&self) {
        self.epoch.fetch_add(1, SeqCst);
        for number in &self.slots {
            number.fetch_add(1, SeqCst);
        }
    }

    /// The epoch first: who has taken the new number sees that it is another one.
    fn bump_slot(&self, slot: usize) {
        self.epoch.fetch_add(1, SeqCst);
        self.number(slot).fetch_add(1, SeqCst);
    }

    fn slot(&self, workspace: &str) -> usize {
        // The remainder is below the number of slots.
        (self.hasher.hash_one(workspace) % SLOTS as u64) as usize
    }

    fn number(&self, slot: usize) -> &AtomicU64 {
        &self.slots[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ends_what_was_read_of_its_scope() {
        let stamps = Stamps::default();
        let (mine, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let (of_mine, of_product) = (
            stamps.of(Scope::Workspace(&mine)),
            stamps.of(Scope::Product),
        );
        let epoch = stamps.epoch();
        stamps.bump(mine.as_str());
        assert!(!stamps.is_current(of_mine) && stamps.is_current(of_product));
        assert_ne!(stamps.epoch(), epoch);
        stamps.bump(PRODUCT);
        assert!(!stamps.is_current(of_product));
        let all = [
            stamps.of(Scope::Workspace(&mine)),
            stamps.of(Scope::Workspace(&other)),
            stamps.of(Scope::Product),
        ];
        assert!(all.iter().all(|stamp| stamps.is_current(*stamp)));
        stamps.bump(EVERYTHING);
        assert!(!all.iter().any(|stamp| stamps.is_current(*stamp)));
    }
}
