//! A person of the product's, by whom or for whom something is done.

use crate::domain::Invalid;
use crate::domain::names::Name;
use crate::domain::people::product_id;

/// The ID that the product knows a person by: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubjectId(String);

impl SubjectId {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        product_id::parse(value, "invalid_subject", "person").map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person of the product's, as it names them in a sign-in link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub id: SubjectId,
    /// For people to read.
    pub name: Option<Name>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_visible_ascii() {
        for id in ["u-1", "auth0|5f", "a@b.example", &"x".repeat(128)] {
            assert_eq!(SubjectId::parse(id).unwrap().as_str(), id);
        }
        for id in ["", " ", "a b", "ä", "a\n", &"x".repeat(129)] {
            assert!(SubjectId::parse(id).is_err(), "{id:?}");
        }
    }
}
