//! What workspaces use, counted by day.

use time::{Date, OffsetDateTime, UtcOffset};

/// How much was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Requests to the API and to pages, also those that were refused.
    pub requests: u64,
    /// Bytes of requests' bodies.
    pub bytes_in: u64,
    /// Bytes of responses' bodies, as they were sent.
    pub bytes_out: u64,
    /// Signed URLs that were given out.
    pub urls_signed: u64,
    /// Connection checks, also those that the service makes by itself.
    pub checks: u64,
}

impl Used {
    /// Adds what was used besides.
    pub fn add(&mut self, more: &Self) {
        let Self {
            requests,
            bytes_in,
            bytes_out,
            urls_signed,
            checks,
        } = more;
        self.requests = self.requests.saturating_add(*requests);
        self.bytes_in = self.bytes_in.saturating_add(*bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(*bytes_out);
        self.urls_signed = self.urls_signed.saturating_add(*urls_signed);
        self.checks = self.checks.saturating_add(*checks);
    }
}

/// What a workspace used on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUsage {
    pub day: UsageDay,
    pub used: Used,
}

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageDay(Date);

impl UsageDay {
    /// The day that a time is on.
    pub fn of(at: OffsetDateTime) -> Self {
        Self(at.to_offset(UtcOffset::UTC).date())
    }

    /// When it begins.
    pub fn begin(self) -> OffsetDateTime {
        self.0.midnight().assume_utc()
    }

    /// So many days earlier, or the first day there is.
    pub fn back(self, days: u16) -> Self {
        let earlier = self.0.checked_sub(time::Duration::days(days.into()));
        Self(earlier.unwrap_or(Date::MIN))
    }

    /// How many days it is after another one; negative where it is before.
    pub fn days_since(self, other: Self) -> i64 {
        (self.0 - other.0).whole_days()
    }

    /// As the API writes it: `2026-11-27`.
    pub fn text(self) -> String {
        let day = self.0;
        format!(
            "{:04}-{:02}-{:02}",
            day.year(),
            u8::from(day.month()),
            day.day()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_day_is_that_of_utc() {
        let day = UsageDay::of(datetime!(2026-11-27 01:30 +02:00));
        assert_eq!(day.text(), "2026-11-26");
        assert_eq!(day.begin(), datetime!(2026-11-26 00:00 UTC));
        assert_eq!(UsageDay::of(day.begin()), day);
        assert_eq!(day.back(26).text(), "2026-10-31");
        assert_eq!(day.days_since(day.back(26)), 26);
        assert_eq!(day.back(26).days_since(day), -26);
    }

    #[test]
    fn uses_add_up() {
        let mut used = Used {
            requests: 1,
            bytes_in: u64::MAX,
            ..Used::default()
        };
        used.add(&Used {
            requests: 2,
            bytes_in: 1,
            bytes_out: 3,
            urls_signed: 4,
            checks: 5,
        });
        let sum = Used {
            requests: 3,
            bytes_in: u64::MAX,
            bytes_out: 3,
            urls_signed: 4,
            checks: 5,
        };
        assert_eq!(used, sum);
    }
}
