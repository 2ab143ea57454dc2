//! The external ID: distinguishes one customer's role from another's when both trust the same vendor.

use crate::domain::Invalid;
use std::fmt;
use uuid::Uuid;

/// The value that this service, and nobody else, issues for one setup, and sends with every
/// AssumeRole for it.
///
/// Invariants: a UUID version 4 in its canonical hyphenated lower-case form, made by the operating
/// system's random number generator. A client can neither choose nor change one, so this type has no
/// conversion from a request. [`ExternalId::from_record`] reads one back from the database and refuses
/// anything else, so a damaged record can never become an AssumeRole without an ID.
///
/// AWS allows 2 to 1224 characters of `[\w+=,.@:\/-]` (STS API reference, AssumeRole, ExternalId).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExternalId(Uuid);

impl ExternalId {
    /// A new one, from the operating system's generator.
    pub fn issue() -> Self {
        Self(Uuid::new_v4())
    }

    /// The same but for its last digit. A role that asks for exactly this ID refuses it; one that asks for
    /// a pattern which begins like this ID does not. It is sent to be refused, and is nobody's.
    pub fn near_miss(&self) -> Self {
        let mut bytes = *self.0.as_bytes();
        bytes[15] ^= 1;
        Self(Uuid::from_bytes(bytes))
    }

    /// The same in capitals, which is another ID to AWS. It is sent to find out whether a role asks for it.
    pub fn in_capitals(&self) -> String {
        self.to_string().to_uppercase()
    }

    /// Reads one back from a stored record.
    pub fn from_record(value: &str) -> Result<Self, Invalid> {
        match Uuid::try_parse(value) {
            Ok(uuid) if uuid.get_version_num() == 4 && uuid.hyphenated().to_string() == value => {
                Ok(Self(uuid))
            }
            _ => Err(Invalid::new(
                "damaged_external_id",
                "The stored external ID is not one that this service issued.",
            )),
        }
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_ids_differ_and_read_back() {
        let (a, b) = (ExternalId::issue(), ExternalId::issue());
        assert_ne!(a, b);
        assert_eq!(ExternalId::from_record(&a.to_string()), Ok(a));
    }

    #[test]
    fn a_near_miss_differs_in_one_digit() {
        let own = ExternalId::issue();
        let (own, near) = (own.to_string(), own.near_miss().to_string());
        let differing = own.chars().zip(near.chars());
        assert_eq!(differing.filter(|(a, b)| a != b).count(), 1);
        assert!(ExternalId::from_record(&near).is_ok(), "{near}");
    }

    #[test]
    fn a_damaged_record_is_refused() {
        let issued = ExternalId::issue().to_string();
        for damaged in [
            "",
            "x",
            "acme",
            &issued.to_uppercase(),
            &issued.replace('-', ""),
            &format!("{issued} "),
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert!(ExternalId::from_record(damaged).is_err(), "{damaged:?}");
        }
    }
}
