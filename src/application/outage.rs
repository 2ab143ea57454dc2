//! What work in the background says of a database that is away: one line when it begins, one a minute while it lasts,
//! and one when the work goes on. All loops of the process share them, because they all fail for the same reason.

use crate::application::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often an outage is told.
const INTERVAL: Duration = Duration::from_secs(60);
/// The codes of a database that cannot be reached, or is too busy.
const AWAY: [&str; 2] = ["database_busy", "database_unavailable"];

/// As the log is the process's, so is what was told.
static DATABASE: Outage = Outage::new();

/// Writes that background work failed. `what`: the work, as in "cannot work on jobs".
pub fn failed(error: &Error, what: &str) {
    if !AWAY.contains(&error.code) {
        tracing::warn!(code = error.code, cause = error.internal, "{what}");
        return;
    }
    if let Some(left_out) = DATABASE.fails(Instant::now()) {
        tracing::warn!(
            code = error.code,
            cause = error.internal,
            left_out = (left_out > 0).then_some(left_out),
            "{what}"
        );
    }
}

/// Notes that background work reached the database.
pub fn worked() {
    if let Some(Told { lasted, left_out }) = DATABASE.ends(Instant::now()) {
        tracing::info!(
            seconds = lasted.as_secs(),
            left_out = (left_out > 0).then_some(left_out),
            "the work in the background goes on"
        );
    }
}

/// One outage after the other, and what was told of them.
struct Outage(Mutex<Known>);

struct Known {
    /// Since when it lasts, as far as it was told.
    since: Option<Instant>,
    /// When it was told last. Outages that follow each other closely are told as one.
    told: Option<Instant>,
    left_out: u64,
}

/// An outage that has ended.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    lasted: Duration,
    /// How many failures were not written since the last line.
    left_out: u64,
}

impl Outage {
    const fn new() -> Self {
        Self(Mutex::new(Known {
            since: None,
            told: None,
            left_out: 0,
        }))
    }

    /// Whether a failure is to be written: `Some` with how many were left out since the last line.
    fn fails(&self, now: Instant) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .told
            .is_some_and(|at| now.duration_since(at) < INTERVAL)
        {
            known.left_out += 1;
            return None;
        }
        known.since.get_or_insert(now);
        known.told = Some(now);
        Some(std::mem::take(&mut known.left_out))
    }

    /// Whether the end of an outage is to be written: once for each that was told.
    fn ends(&self, now: Instant) -> Option<Told> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.since.take()?;
        Some(Told {
            lasted: now.duration_since(since),
            left_out: std::mem::take(&mut known.left_out),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_each_minute_and_when_it_ends() {
        let outage = Outage::new();
        let begins = Instant::now();
        let after = |seconds: u64| begins + Duration::from_secs(seconds);
        assert_eq!(outage.ends(begins), None, "nothing has failed");
        // Ten workers, every three seconds, for two and a half minutes.
        let mut written = Vec::new();
        for second in (0..150).step_by(3) {
            for _ in 0..10 {
                written.extend(
                    outage
                        .fails(after(second))
                        .map(|left_out| (second, left_out)),
                );
            }
        }
        assert_eq!(written, [(0, 0), (60, 199), (120, 199)]);
        let told = outage.ends(after(150)).unwrap();
        assert_eq!(told.lasted, Duration::from_secs(150));
        assert_eq!(told.left_out, 99);
        assert_eq!(outage.ends(after(150)), None, "it is told once");
        // The next one, a moment later, has no line of its own, and neither has its end.
        assert_eq!(outage.fails(after(153)), None);
        assert_eq!(outage.ends(after(156)), None);
        assert_eq!(outage.fails(after(180)), Some(1));
    }
}
