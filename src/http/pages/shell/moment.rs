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
