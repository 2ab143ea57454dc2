//! For how long what is in memory may be used without the database.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What another process has changed is used for no longer than this.
const LEASE: Duration = Duration::from_secs(1);

/// When the changes of all processes were last read.
pub struct Lease {
    base: Instant,
    /// When the last reading began that succeeded, in microseconds since `base`, and one more. 0: none has.
    begun: AtomicU64,
    /// When the last reading ended that succeeded, in microseconds since 1970, by the clock of the machine: the other
    /// one stands still while a machine sleeps.
    ended: AtomicU64,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            begun: AtomicU64::default(),
            ended: AtomicU64::new(by_the_clock(SystemTime::now())),
        }
    }
}

impl Lease {
    /// A reading that began then has succeeded, and what it found is heeded.
    pub fn give(&self, begun: Instant) {
        self.ended.store(by_the_clock(SystemTime::now()), SeqCst);
        self.begun.fetch_max(self.place_of(begun), SeqCst);
    }

    pub fn holds(&self) -> bool {
        match self.begun.load(SeqCst) {
            0 => false,
            begun => self.since(begun) < LEASE && self.gone_by(SystemTime::now()) < LEASE,
        }
    }

    /// For how long no reading has succeeded: since the start where none has. The time in which the machine slept
    /// counts.
    pub fn without_reading(&self) -> Duration {
        self.age().max(self.gone_by(SystemTime::now()))
    }

    /// By the clock of the machine. A clock that was put back says nothing.
    fn gone_by(&self, now: SystemTime) -> Duration {
        Duration::from_micros(by_the_clock(now).saturating_sub(self.ended.load(SeqCst)))
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

fn by_the_clock(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
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
            ..Lease::default()
        };
        old.give(long_ago);
        assert!(!old.holds() && old.age() >= Duration::from_secs(2));
    }

    /// `Instant` does not count the time in which a machine sleeps.
    #[test]
    fn a_machine_that_slept_does_not_use_what_it_knew() {
        let lease = Lease::default();
        lease.give(Instant::now());
        assert!(lease.holds());
        let slept = Duration::from_secs(3600);
        let before = by_the_clock(SystemTime::now()) - 3_600_000_000;
        lease.ended.store(before, SeqCst);
        assert!(!lease.holds() && lease.without_reading() >= slept);
        // A clock that was put back takes nothing away.
        lease.ended.store(before + 7_200_000_000, SeqCst);
        assert!(lease.holds());
    }
}
