//! The time, as a parameter: tests set it.

use time::OffsetDateTime;

pub trait Clock: Send + Sync {
    /// Now, in UTC, in whole microseconds: what the database keeps.
    fn now(&self) -> OffsetDateTime;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_nanosecond(now.microsecond() * 1_000)
            .unwrap_or(now)
    }
}
