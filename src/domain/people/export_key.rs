//! What a workspace's file is encrypted with.

use crate::domain::invalid::{Invalid, shown};

/// Which key opens the file again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKey {
    /// The service's own: the file comes back into this service.
    MasterKey,
    /// One that two services share: the file goes from one to the other.
    TransferKey,
}

impl ExportKey {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MasterKey => "master_key",
            Self::TransferKey => "transfer_key",
        }
    }

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        [Self::MasterKey, Self::TransferKey]
            .into_iter()
            .find(|key| key.as_str() == value)
            .ok_or_else(|| {
                Invalid::new(
                    "unknown_value",
                    format!(
                        "`{}` is neither `master_key` nor `transfer_key`.",
                        shown(value)
                    ),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_word_of_its_own() {
        for key in [ExportKey::MasterKey, ExportKey::TransferKey] {
            assert_eq!(ExportKey::parse(key.as_str()), Ok(key));
        }
        for word in ["", "Master_Key", "passphrase"] {
            assert!(ExportKey::parse(word).is_err(), "{word:?}");
        }
    }
}
