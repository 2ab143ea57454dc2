//! For how long what is in memory may be used without the database.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// What another process has changed is used for no longer than this.
const LEASE: Duration = Duration::from_secs(1);

/// When the changes of all processes were last read.
pub struct Lease {
    base: Instant,
    /// When the last reading began that succeeded, in microseconds since `base`, and one more. 0: none has.
    begun: AtomicU64,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            begun: AtomicU64::default(),
        }
    }
}

impl Lease {
    /// A reading that began then has succeeded, and what it found is heeded.
    pub fn give(&self, begun: Instant) {
        self.begun.fetch_max(self.place_of(begun), SeqCst);
    }

    pub fn holds(&self) -> bool {
        match self.begun.load(SeqCst) {
            0 => false,
            begun => self.since(begun) < LEASE,
        }
    }

    /// Since the last reading began; since the start where there was none.
    pub fn age(&self) -> Duration {
        self.since(self.begun.load(SeqCst))
    }

    fn since(&self, begun: u64) -> Duration {
        Duration::from_micros(self.place_of(Instant::now()).saturating_sub(begun))
    }

    fn place_of(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.base).as_micros();
        // 580,000 years fit.
        u64::try_from(micros).unwrap_or(u64::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lasts_from_the_beginning_of_the_last_reading() {
        let lease = Lease::default();
        assert!(!lease.holds());
        let now = Instant::now();
        lease.give(now);
        assert!(lease.holds() && lease.age() < LEASE);
        let Some(long_ago) = now.checked_sub(Duration::from_secs(2)) else {
            return;
        };
        // An older reading that ends later takes nothing away.
        lease.give(long_ago);
        assert!(lease.holds());
        let old = Lease {
            base: long_ago,
            begun: AtomicU64::default(),
        };
        old.give(long_ago);
        assert!(!old.holds() && old.age() >= Duration::from_secs(2));
    }
}
