//! The bucket prefix: the only part of a bucket that a storage can see.

use crate::domain::invalid::{Invalid, shown};
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
    pub fn parse(value: &str) -> Result<Self, Invalid> {
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
    fn the_stored_form_parses_to_itself() {
        let prefix = BucketPrefix::parse("a/b").unwrap();
        assert_eq!(BucketPrefix::parse(prefix.as_str()), Ok(prefix));
    }
}
