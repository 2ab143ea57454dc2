//! Times as the API writes them: RFC 3339, in UTC, with three decimals and `Z`.
//!
//! All have the same form, so they sort as text as they do in time. What is finer than a millisecond is cut off,
//! so no time is written later than it is.

use serde::Serializer;
use time::{OffsetDateTime, UtcOffset};

/// A time of the years 0 to 9999, which is all that S3 and the service's own clock have.
pub fn text(at: OffsetDateTime) -> String {
    let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// For `#[serde(with = "crate::domain::rfc3339")]`.
pub fn serialize<S: Serializer>(at: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text(*at))
}

pub mod option {
    //! The same for a time that may be absent.

    use serde::Serializer;
    use time::OffsetDateTime;

    /// For `#[serde(with = "crate::domain::rfc3339::option")]`.
    pub fn serialize<S: Serializer>(at: &Option<OffsetDateTime>, to: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, to),
            None => to.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use time::macros::datetime;

    #[test]
    fn every_time_has_three_decimals_and_z() {
        for (at, written) in [
            (
                datetime!(1970-01-01 00:00:00 UTC),
                "1970-01-01T00:00:00.000Z",
            ),
            (
                datetime!(2026-11-27 14:25:08.1 UTC),
                "2026-11-27T14:25:08.100Z",
            ),
            (
                datetime!(2026-11-27 14:25:08.123_999_999 UTC),
                "2026-11-27T14:25:08.123Z",
            ),
            (
                datetime!(2026-11-27 01:00:00.000_001 +02:00),
                "2026-11-26T23:00:00.000Z",
            ),
        ] {
            assert_eq!(text(at), written);
        }
    }

    #[test]
    fn text_sorts_as_time_does() {
        let begin = datetime!(2026-11-27 23:59:59.9 UTC);
        let times: Vec<String> = (0..2_000)
            .map(|n| text(begin + time::Duration::milliseconds(n)))
            .collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn an_absent_time_is_null() {
        #[derive(Serialize)]
        struct Times {
            #[serde(with = "crate::domain::rfc3339")]
            at: OffsetDateTime,
            #[serde(with = "crate::domain::rfc3339::option")]
            until: Option<OffsetDateTime>,
        }
        let times = |until| Times {
            at: OffsetDateTime::UNIX_EPOCH,
            until,
        };
        let written = serde_json::to_value(times(None)).unwrap();
        assert_eq!(
            written,
            serde_json::json!({"at": "1970-01-01T00:00:00.000Z", "until": null})
        );
        let written = serde_json::to_value(times(Some(OffsetDateTime::UNIX_EPOCH))).unwrap();
        assert_eq!(written["until"], written["at"]);
    }
}
