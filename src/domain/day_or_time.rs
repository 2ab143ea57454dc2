//! A bound of a search in time: a moment, or a whole day in UTC.

use crate::domain::Invalid;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// A moment, or a whole day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrTime {
    Day(Date),
    Time(OffsetDateTime),
}

impl DayOrTime {
    /// Parses a day like `2030-12-31`, or a time of RFC 3339 like `2030-12-31T23:59:59Z`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
        day.map(Self::Day)
            .or_else(|_| OffsetDateTime::parse(text, &Rfc3339).map(Self::Time))
            .map_err(|_| {
                Invalid::new(
                    "invalid_time",
                    "A day is written like `2030-12-31`, and a time like `2030-12-31T23:59:59Z` (RFC 3339). A `+` in an address is written as `%2B`.",
                )
            })
    }

    /// Its first moment.
    pub fn begins(self) -> OffsetDateTime {
        match self {
            Self::Day(day) => day.midnight().assume_utc(),
            Self::Time(time) => time,
        }
    }

    /// What everything up to its end is before: the next day's first moment, or the time itself.
    pub fn ends(self) -> OffsetDateTime {
        match self {
            // The last day of the calendar has no next one.
            Self::Day(day) => day.next_day().unwrap_or(day).midnight().assume_utc(),
            Self::Time(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_day_has_a_begin_and_an_end_and_a_time_is_both() {
        let day = DayOrTime::parse("2026-12-31").unwrap();
        assert_eq!(day.begins(), datetime!(2026-12-31 00:00 UTC));
        assert_eq!(day.ends(), datetime!(2027-01-01 00:00 UTC));
        let time = DayOrTime::parse("2026-11-27T14:25:08.5+02:00").unwrap();
        assert_eq!(time.begins(), datetime!(2026-11-27 12:25:08.5 UTC));
        assert_eq!(time.begins(), time.ends());
        DayOrTime::parse("9999-12-31").unwrap().ends();
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "yesterday",
            "2026-01-01T",
            "2026-01-01T12:00:00",
            "2026-01-01 ",
        ] {
            let refused = DayOrTime::parse(text).unwrap_err();
            assert_eq!(refused.code, "invalid_time", "{text}");
        }
    }
}
