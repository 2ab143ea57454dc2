//! Which files of a listing are shown.

use crate::application::error::{Error, Result};
use crate::domain::Invalid;
use globset::{GlobBuilder, GlobMatcher};

/// The longest glob or suffix, in bytes.
const LONGEST: usize = 1024;

/// A glob against the path below the folder, and a suffix of it; both must fit. `*` and `?` stay within
/// a folder, `**` crosses folders, letter case counts.
#[derive(Debug, Clone, Default)]
pub struct NameFilter {
    glob: Option<GlobMatcher>,
    suffix: Option<String>,
}

impl NameFilter {
    pub fn new(glob: Option<&str>, suffix: Option<String>) -> Result<Self> {
        let refuse = |field, code, detail: String| Error::field(field, Invalid::new(code, detail));
        for (field, text) in [("glob", glob), ("suffix", suffix.as_deref())] {
            if text.is_some_and(|text| text.is_empty() || text.len() > LONGEST) {
                let detail = format!("`{field}` has 1 to {LONGEST} bytes.");
                return Err(refuse(field, "invalid_length", detail));
            }
        }
        let glob = glob
            .map(|glob| {
                GlobBuilder::new(glob)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()
                    .map(|glob| glob.compile_matcher())
                    .map_err(|error| {
                        let why = error.kind().to_string();
                        let detail = format!("This is not a glob, like `**/*.png`: {why}.");
                        refuse("glob", "invalid_glob", detail)
                    })
            })
            .transpose()?;
        Ok(Self { glob, suffix })
    }

    /// Whether a file is shown, by its path below the folder.
    pub fn shows(&self, below: &str) -> bool {
        let by_glob = self.glob.as_ref().is_none_or(|glob| glob.is_match(below));
        let by_suffix = self.suffix.as_deref().is_none_or(|s| below.ends_with(s));
        by_glob && by_suffix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_must_fit() {
        let filter =
            |glob, suffix: Option<&str>| NameFilter::new(glob, suffix.map(str::to_owned)).unwrap();
        assert!(filter(None, None).shows("a/b"));
        assert!(filter(Some("*.png"), None).shows("a.png"));
        assert!(!filter(Some("*.png"), None).shows("a/b.png"));
        assert!(filter(Some("**/*.png"), None).shows("a/b.png"));
        assert!(!filter(Some("**/*.png"), Some("b.png")).shows("a/c.png"));
        assert!(filter(None, Some(".PNG")).shows("a.PNG"));
        assert!(!filter(None, Some(".PNG")).shows("a.png"));
        assert!(NameFilter::new(Some("a{b"), None).is_err());
        assert!(NameFilter::new(Some(""), None).is_err());
    }
}
