//! What a product notes with a workspace for itself.

use crate::domain::Invalid;
use crate::domain::invalid::shown;
use std::collections::BTreeMap;

/// Names and values that the service keeps and gives back, and does nothing else with: at most 20 pairs, names of 1
/// to 40 characters, values of up to 500.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// How many pairs there may be.
    pub const MAX_PAIRS: usize = 20;
    /// In characters.
    pub const MAX_NAME: usize = 40;
    /// In characters.
    pub const MAX_VALUE: usize = 500;

    pub fn parse(pairs: BTreeMap<String, String>) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_metadata", detail));
        if pairs.len() > Self::MAX_PAIRS {
            return refuse(format!(
                "Metadata has at most {} pairs; this has {}.",
                Self::MAX_PAIRS,
                pairs.len()
            ));
        }
        for (name, value) in &pairs {
            // PostgreSQL keeps no NUL in a text.
            if name.contains('\0') || value.contains('\0') {
                return refuse(format!(
                    "`{}` has the character U+0000, which metadata cannot have.",
                    shown(name)
                ));
            }
            let length = name.chars().count();
            if !(1..=Self::MAX_NAME).contains(&length) {
                return refuse(format!(
                    "`{}` is no name of metadata: it has 1 to {} characters.",
                    shown(name),
                    Self::MAX_NAME
                ));
            }
            let length = value.chars().count();
            if length > Self::MAX_VALUE {
                return refuse(format!(
                    "The value of `{}` has {length} characters; it may have {}.",
                    shown(name),
                    Self::MAX_VALUE
                ));
            }
        }
        Ok(Self(pairs))
    }

    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Metadata, Invalid> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Metadata::parse(pairs.iter().map(owned).collect())
    }

    #[test]
    fn pairs_are_bounded_in_number_and_length() {
        assert_eq!(parse(&[]).unwrap(), Metadata::default());
        assert!(parse(&[("plan", "pro"), ("note", "")]).is_ok());
        let many: BTreeMap<_, _> = (0..21).map(|n| (n.to_string(), String::new())).collect();
        assert!(Metadata::parse(many).is_err());
        let (long_name, long_value) = ("n".repeat(41), "v".repeat(501));
        for (name, value) in [
            ("", "x"),
            (&long_name, "x"),
            ("x", &long_value),
            ("a", "b\0"),
        ] {
            assert!(parse(&[(name, value)]).is_err(), "{name:?}");
        }
    }
}
