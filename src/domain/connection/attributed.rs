//! The person for whom a role's session is, as a part of its name.

use aws_lc_rs::digest;
use std::fmt::Write;

/// How much room a session's name has for the person: of 64 characters, `sallyport@`, the last 8 of the storage's ID and
/// a dot take 19.
const ROOM: usize = 45;
/// How many of them are the person's own ID, where it does not fit whole.
const KEPT: usize = 32;
/// How many bytes of its digest then tell it from others with the same beginning.
const TOLD: usize = 6;

/// The product's ID of a person, in the characters that STS takes in the name of a session (STS API reference,
/// "AssumeRole": at most 64 of `[\w+=,.@-]`). An ID of these characters that is short enough stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attributed(String);

impl Attributed {
    pub fn to(id: &str) -> Self {
        let is_taken = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if id.len() <= ROOM && id.chars().all(is_taken) {
            return Self(id.to_owned());
        }
        let begins = id.chars().map(|c| if is_taken(c) { c } else { '-' });
        let mut name: String = begins.take(KEPT).collect();
        name.push('.');
        let digest = digest::digest(&digest::SHA256, id.as_bytes());
        for byte in digest.as_ref().iter().take(TOLD) {
            // Writing into a string cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Self(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_readable_and_is_told_from_others() {
        for id in ["user-7", "ada@example.com", "a", &"x".repeat(45)] {
            assert_eq!(Attributed::to(id).as_str(), id);
        }
        let long = |end: &str| format!("{}{end}", "x".repeat(60));
        for (one, other) in [
            ("auth0|5f".to_owned(), "auth0/5f".to_owned()),
            (long("1"), long("2")),
        ] {
            let (one, other) = (Attributed::to(&one), Attributed::to(&other));
            assert_ne!(one, other);
            for name in [one, other] {
                assert!(name.as_str().len() <= ROOM, "{name:?}");
                let mut bytes = name.as_str().bytes();
                assert!(bytes.all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)));
            }
        }
        assert!(Attributed::to("auth0|5f").as_str().starts_with("auth0-5f."));
        // However it was made.
        for id in ["", "ä", "\n"] {
            assert!(Attributed::to(id).as_str().len() <= ROOM);
        }
    }
}
