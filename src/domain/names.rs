//! Names that people give to things.

use crate::domain::invalid::Invalid;
use std::fmt;

/// A workspace's, token's, storage's or project's name: 1 to 200 characters on one line, without
/// surrounding white space.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// In characters.
    pub const MAX_LEN: usize = 200;

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_name", detail));
        let name = value.trim();
        if name.is_empty() {
            return refuse("A name has at least one visible character.".into());
        }
        let length = name.chars().count();
        if length > Self::MAX_LEN {
            return refuse(format!(
                "A name has at most {} characters; this one has {length}.",
                Self::MAX_LEN
            ));
        }
        if let Some(odd) = name.chars().find(|c| c.is_control()) {
            return refuse(format!(
                "`{}` cannot be in a name: control characters are refused.",
                odd.escape_debug()
            ));
        }
        Ok(Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Name::parse(" Ünïcode ✓ ").unwrap().as_str(), "Ünïcode ✓");
        assert!(Name::parse(&"é".repeat(200)).is_ok());
        for text in ["", "  ", "a\nb", "a\0", &"é".repeat(201)] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }
}
