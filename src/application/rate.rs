//! How often something may be done by each of many, so that none uses up what all share.

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

/// Above so many keys, those are forgotten that have done nothing lately: they count as new ones. Each takes about
/// 100 bytes.
const MOST_REMEMBERED: usize = 50_000;

/// A number for each key, such as a workspace, in a span of time. So many are possible at once after a pause.
pub struct Rate<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    pub fn per_minute(most: NonZeroU32) -> Self {
        Self::of(Quota::per_minute(most))
    }

    pub fn per_hour(most: NonZeroU32) -> Self {
        Self::of(Quota::per_hour(most))
    }

    fn of(quota: Quota) -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(quota),
        }
    }

    /// Counts one more of this key. `Err`: one too many, with how long to wait for the next; it does not count.
    pub fn enter(&self, key: &K) -> Result<(), Duration> {
        if self.limiter.len() > MOST_REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_number_of_its_own_and_is_told_how_long_to_wait() {
        let rate = Rate::per_hour(NonZeroU32::new(3).unwrap());
        let waits: Vec<Duration> = (0..5).filter_map(|_| rate.enter(&"one").err()).collect();
        assert_eq!(waits.len(), 2);
        let twenty_minutes = Duration::from_secs(20 * 60);
        assert!(
            waits
                .iter()
                .all(|wait| *wait <= twenty_minutes && !wait.is_zero())
        );
        assert_eq!(rate.enter(&"other"), Ok(()));
    }

    #[test]
    fn keys_that_do_nothing_are_forgotten() {
        // Full again after a nanosecond.
        let rate = Rate::per_minute(NonZeroU32::MAX);
        for key in 0..=MOST_REMEMBERED + 1 {
            assert_eq!(rate.enter(&key), Ok(()));
        }
        assert_eq!(rate.enter(&0), Ok(()));
        assert!(rate.limiter.len() < MOST_REMEMBERED);
    }
}
