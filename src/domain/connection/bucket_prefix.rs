//! The bucket prefix: the only part of a bucket that a storage can see.

use crate::domain::invalid::{Invalid, shown};
use crate::domain::invisible::{meant, unveiled};
use std::fmt;

/// A bucket prefix in its stored form: empty (the whole bucket), or ending in `/`.
///
/// Invariants:
/// - no leading slash, and a trailing one unless empty. IAM's `s3:prefix` and S3's `prefix` compare raw
///   strings, so `team` without the slash would also reach `team-b/x`;
/// - no empty, `.` or `..` segment, and no control character;
/// - at most [`BucketPrefix::MAX_LEN`] bytes, which leaves room for a file key within S3's 1024 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct BucketPrefix(String);

impl BucketPrefix {
    /// In bytes of UTF-8, with the trailing slash.
    pub const MAX_LEN: usize = 512;

    /// Parses what an admin typed: `team`, `/team` and `team/` are the same prefix; nothing, or `/`
    /// alone, is the whole bucket.
    ///
    /// A name with a blank at an end, or with a character that nobody sees, is another folder than the one that
    /// is seen: it is refused, with the prefix that was meant.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let Some(meant) = meant(value) else {
            return Self::from_record(value);
        };
        // What is wrong besides is wrong with what was meant, too.
        Self::from_record(&meant)?;
        let remedy = match meant.is_empty() {
            true => "Leave it empty for the whole bucket.".to_owned(),
            false => format!("Use `{meant}`."),
        };
        Err(Invalid::new(
            "invalid_prefix",
            format!(
                "`{}` has blanks or invisible characters, which make it another folder than it seems. {remedy}",
                unveiled(value),
            ),
        ))
    }

    /// One that was stored. Earlier releases took blanks and invisible characters.
    pub fn from_record(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_prefix", detail));
        let inner = value.strip_prefix('/').unwrap_or(value);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            return if value.len() <= 1 {
                Ok(Self::default())
            } else {
                refuse("A bucket prefix has no empty part.".into())
            };
        }
        if inner.len() >= Self::MAX_LEN {
            return refuse(format!(
                "A bucket prefix has at most {} bytes; this one has {}.",
                Self::MAX_LEN - 1,
                inner.len()
            ));
        }
        if let Some(odd) = inner.chars().find(|c| c.is_control()) {
            return refuse(format!(
                "`{}` cannot be in a bucket prefix: control characters are refused.",
                odd.escape_debug()
            ));
        }
        for segment in inner.split('/') {
            match segment {
                "" => {
                    return refuse(format!(
                        "`{}` has an empty part: two slashes in a row.",
                        shown(value)
                    ));
                }
                "." | ".." => {
                    return refuse(format!(
                        "`{}` has the part `{segment}`, which a link cannot carry.",
                        shown(value)
                    ));
                }
                _ => {}
            }
        }
        Ok(Self(format!("{inner}/")))
    }

    /// Empty, or with its trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_whole_bucket(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for BucketPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_prefix_however_it_is_typed() {
        for text in ["team", "/team", "team/", "/team/"] {
            assert_eq!(BucketPrefix::parse(text).unwrap().as_str(), "team/");
        }
        assert_eq!(BucketPrefix::parse("a/b c/ü").unwrap().as_str(), "a/b c/ü/");
        assert_eq!(BucketPrefix::parse("${*}\"'").unwrap().as_str(), "${*}\"'/");
        for text in ["", "/"] {
            assert!(BucketPrefix::parse(text).unwrap().is_whole_bucket());
        }
    }

    #[test]
    fn what_cannot_be_a_prefix() {
        let long = "a".repeat(BucketPrefix::MAX_LEN);
        for text in [
            "//", "a//b", "//a", "a//", ".", "..", "a/../b", "./a", "a\nb", "a\0", "\u{85}", &long,
        ] {
            assert!(BucketPrefix::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_refused_with_what_was_meant() {
        for text in [
            "team ",
            " team",
            "team\u{a0}",
            "team\u{200b}",
            "\u{feff}team/",
            "team\u{3000}/",
            "/ team/",
            "te\u{200b}am",
            "team\u{200d}",
            "\u{202e}team",
            "team\n",
            "team\u{fe0f}",
            "team\u{2028}",
        ] {
            let refused = BucketPrefix::parse(text).unwrap_err();
            assert!(
                refused.detail.ends_with("Use `team`.") || refused.detail.ends_with("Use `team/`."),
                "{text:?}: {}",
                refused.detail
            );
            assert!(!refused.detail.contains("\\u{"), "{}", refused.detail);
            // One of an earlier release goes on.
            if !text.contains('\n') {
                assert!(BucketPrefix::from_record(text).is_ok());
            }
        }
        for blank in [" ", "\u{200b}", " / "] {
            assert!(BucketPrefix::parse(blank).is_err(), "{blank:?}");
        }
        let refused = BucketPrefix::parse("a\u{200b}/ b").unwrap_err();
        assert!(
            refused.detail.starts_with("`a[U+200B]/[U+0020]b` has"),
            "{}",
            refused.detail
        );
        assert!(refused.detail.ends_with("Use `a/b`."), "{}", refused.detail);
        for good in ["my team", "نمی\u{200c}خواهم", "👩\u{200d}🔬", "❤\u{fe0f}"] {
            assert!(BucketPrefix::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_stored_form_parses_to_itself() {
        let prefix = BucketPrefix::parse("a/b").unwrap();
        assert_eq!(BucketPrefix::parse(prefix.as_str()), Ok(prefix));
    }
}
