//! Times on pages.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// A time, for `<time>`: the script shows it in the viewer's zone, and without one it says UTC.
#[derive(Debug, Clone, Copy)]
pub struct Moment(pub OffsetDateTime);

const WORDS: &[BorrowedFormatItem<'static>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");

impl Moment {
    pub fn machine(&self) -> String {
        self.0.format(&Rfc3339).unwrap_or_default()
    }

    pub fn words(&self) -> String {
        self.0.format(WORDS).unwrap_or_default()
    }

    /// How long ago it was, or how soon it is, as the page is made.
    pub fn ago(&self) -> String {
        self.seen_from(OffsetDateTime::now_utc())
    }

    fn seen_from(&self, now: OffsetDateTime) -> String {
        let seconds = (now - self.0).whole_seconds();
        let (number, unit) = match seconds.unsigned_abs() {
            0..45 => return "just now".to_owned(),
            seconds @ 45..3_570 => ((seconds + 30) / 60, "min"),
            seconds @ 3_570..84_600 => ((seconds + 1_800) / 3_600, "h"),
            seconds @ 84_600..5_184_000 => ((seconds + 43_200) / 86_400, "day"),
            _ => return self.0.format(DAY).unwrap_or_default(),
        };
        let plural = match (unit, number) {
            ("day", 2..) => "s",
            _ => "",
        };
        match seconds < 0 {
            true => format!("in {number} {unit}{plural}"),
            false => format!("{number} {unit}{plural} ago"),
        }
    }
}

const DAY: &[BorrowedFormatItem<'static>] =
    format_description!("[day padding:none] [month repr:short] [year]");

/// A number with its thousands apart: `12,480`.
pub fn thousands(number: impl Into<i64>) -> String {
    let number: i64 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size for people: `0 bytes`, `1 byte`, `1.4 MB`.
pub fn size_in_words(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes == 1 {
        return "1 byte".into();
    }
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64;
    let mut unit = "";
    for name in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = name;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_and_how_soon() {
        let now = time::macros::datetime!(2026-11-26 12:00:00 UTC);
        for (seconds, words) in [
            (0, "just now"),
            (-20, "just now"),
            (60, "1 min ago"),
            (200, "3 min ago"),
            (3_599, "1 h ago"),
            (80_000, "22 h ago"),
            (86_400, "1 day ago"),
            (3 * 86_400, "3 days ago"),
            (-7 * 86_400 + 5, "in 7 days"),
            (-900, "in 15 min"),
            (70 * 86_400, "17 Sep 2026"),
        ] {
            let at = Moment(now - time::Duration::seconds(seconds));
            assert_eq!(at.seen_from(now), words);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, words) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(thousands(number), words);
        }
    }

    #[test]
    fn sizes() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 KB"),
            (1_440_000, "1.4 MB"),
            (5_497_558_138_880, "5.5 TB"),
        ] {
            assert_eq!(size_in_words(bytes), words);
        }
    }
}
