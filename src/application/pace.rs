//! How slow a client may be: a body that hardly moves holds memory, a connection and a place among those who use
//! the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How fast a client must send or take a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastPace {
    /// In bytes a second, on average over `patience`. 0: any.
    pub rate: u64,
    /// How long the client may send or take nothing.
    pub patience: Duration,
}

/// The time that a client still has. Waiting for it uses the time up, and each byte that it sends or takes gives
/// some back: never more than the patience, so a fast beginning does not pay for a slow rest. Time in which
/// somebody else is waited for is not the client's.
#[derive(Debug, Clone, Copy)]
pub struct Credit {
    pace: LeastPace,
    left: Duration,
}

impl Credit {
    pub fn new(pace: LeastPace) -> Self {
        Self {
            pace,
            left: pace.patience,
        }
    }

    /// How long the client may still be waited for.
    pub fn left(&self) -> Duration {
        self.left
    }

    /// The client was waited for.
    pub fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    /// The client has sent or taken so many bytes.
    pub fn earn(&mut self, bytes: usize) {
        let patience = self.pace.patience;
        self.left = match self.pace.rate {
            0 => patience,
            rate => {
                // A byte or a second more or less does not matter here.
                let earned = (bytes as f64 / rate as f64).min(patience.as_secs_f64());
                (self.left + Duration::from_secs_f64(earned)).min(patience)
            }
        };
    }
}

/// Says that a body was cut off because its reader is too slow.
#[derive(Debug, Clone, Default)]
pub struct CutMark(Arc<AtomicBool>);

impl CutMark {
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn credit(rate: u64) -> Credit {
        Credit::new(LeastPace {
            rate,
            patience: 30 * SECOND,
        })
    }

    #[test]
    fn a_client_keeps_up_or_runs_out_of_time() {
        let mut fast = credit(1_000);
        let mut slow = credit(1_000);
        let mut ran_out = None;
        for second in 0..100 {
            fast.spend(SECOND);
            assert!(!fast.left().is_zero(), "{fast:?}");
            fast.earn(1_000);
            slow.spend(SECOND);
            if slow.left().is_zero() {
                ran_out.get_or_insert(second);
            }
            slow.earn(500);
        }
        // Half a second is missing each second, and there are 30 to begin with.
        assert_eq!(ran_out, Some(58));
    }

    #[test]
    fn a_fast_beginning_does_not_pay_for_a_slow_rest() {
        let mut credit = credit(1_000);
        credit.earn(1 << 40);
        credit.spend(29 * SECOND);
        assert_eq!(credit.left(), SECOND);
        credit.spend(2 * SECOND);
        assert_eq!(credit.left(), Duration::ZERO);
    }

    #[test]
    fn without_a_rate_any_byte_will_do() {
        let mut credit = credit(0);
        credit.spend(29 * SECOND);
        credit.earn(1);
        assert_eq!(credit.left(), 30 * SECOND);
        credit.spend(30 * SECOND);
        assert_eq!(credit.left(), Duration::ZERO);
    }
}
