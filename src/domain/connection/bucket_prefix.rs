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
    ///
    /// A blank or an invisible character at an end of the whole prefix, and some invisible ones inside, come of
    /// copying: the prefix would be another folder than the one that is seen. They are refused, with the prefix
    /// that was meant. Blanks at the ends of the folders inside are taken as they are.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let meant = seen(value);
        if meant != value {
            let remedy = match meant.is_empty() {
                true => "Leave it empty for the whole bucket.".to_owned(),
                false => format!("Use `{}`.", shown(&meant)),
            };
            return Err(Invalid::new(
                "invalid_prefix",
                format!(
                    "`{}` has blanks or invisible characters, which make it another folder than it seems. {remedy}",
                    shown(&value.escape_debug().to_string()),
                ),
            ));
        }
        Self::from_record(value)
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

/// The prefix without what nobody sees: blanks and invisible characters at the ends, and inside those that
/// are none of a script's own. Slashes at the ends are no part of what is compared.
fn seen(value: &str) -> String {
    let visible: String = value.chars().filter(|c| !is_invisible(*c)).collect();
    let core = visible.strip_prefix('/').unwrap_or(&visible);
    let core = core.strip_suffix('/').unwrap_or(core);
    let trimmed = core.trim_matches(is_blank);
    match trimmed == core {
        true => visible,
        false => trimmed.to_owned(),
    }
}

/// White space, but for control characters, which are refused by that name; and the joiners, which are of
/// use between two characters only.
fn is_blank(c: char) -> bool {
    (c.is_whitespace() && !c.is_control())
        || matches!(
            c,
            '\u{200c}' | '\u{200d}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        )
}

/// Characters of Unicode's category Cf that show nothing and belong to no word: soft hyphen, zero-width
/// space, marks of direction, word joiner and the like, byte order mark, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
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
        ] {
            let refused = BucketPrefix::parse(text).unwrap_err();
            assert!(
                refused.detail.ends_with("Use `team`.") || refused.detail.ends_with("Use `team/`."),
                "{text:?}: {}",
                refused.detail
            );
            // One of an earlier release goes on.
            assert!(BucketPrefix::from_record(text).is_ok());
        }
        for blank in [" ", "\u{200b}", " / "] {
            assert!(BucketPrefix::parse(blank).is_err(), "{blank:?}");
        }
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
