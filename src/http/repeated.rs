//! Errors that come again and again: each is in the log once in a while, with how often it came.

use crate::application::kept::vault::sha256;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same error is written.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many different errors are known at a time. Further ones count as one for each code.
const MOST: usize = 256;

/// What was written a moment ago.
#[derive(Default)]
pub struct Repeated(Mutex<HashMap<[u8; 32], Seen>>);

struct Seen {
    since: Instant,
    left_out: u64,
}

impl Repeated {
    /// Whether an error is to be written now: `Some` with how many like it were left out since it was written last.
    pub fn is_due(&self, code: &str, cause: &str, now: Instant) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = sha256(format!("{code}\n{cause}").as_bytes());
        if known.len() >= MOST && !known.contains_key(&name) {
            known.retain(|_, seen| now.duration_since(seen.since) < INTERVAL);
            if known.len() >= MOST {
                name = sha256(code.as_bytes());
            }
        }
        match known.get_mut(&name) {
            Some(seen) if now.duration_since(seen.since) < INTERVAL => {
                seen.left_out += 1;
                None
            }
            Some(seen) => {
                seen.since = now;
                Some(std::mem::take(&mut seen.left_out))
            }
            None => {
                let seen = Seen {
                    since: now,
                    left_out: 0,
                };
                known.insert(name, seen);
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_is_written_once_in_a_while_with_a_count() {
        let repeated = Repeated::default();
        let now = Instant::now();
        assert_eq!(repeated.is_due("a", "refused", now), Some(0));
        for _ in 0..5 {
            assert_eq!(repeated.is_due("a", "refused", now), None);
        }
        // Another cause, or another code, is another error.
        assert_eq!(repeated.is_due("a", "timed out", now), Some(0));
        assert_eq!(repeated.is_due("b", "refused", now), Some(0));
        let later = now + INTERVAL;
        assert_eq!(repeated.is_due("a", "refused", later), Some(5));
        assert_eq!(repeated.is_due("a", "refused", later), None);
        assert_eq!(repeated.is_due("a", "refused", later + INTERVAL), Some(1));
    }

    #[test]
    fn causes_that_always_differ_do_not_fill_the_memory_or_the_log() {
        let repeated = Repeated::default();
        let now = Instant::now();
        let written = (0..10_000)
            .filter(|number| repeated.is_due("a", &number.to_string(), now).is_some())
            .count();
        assert!(written <= MOST + 1, "{written}");
        assert!(repeated.0.lock().unwrap().len() <= MOST + 1);
    }
}
