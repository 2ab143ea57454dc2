//! The store does not have the operation.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// `NotImplemented`, `MethodNotAllowed` and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationNotSupported {
    /// The operation, like `PutObject`.
    pub operation: String,
}

impl CauseEntry for OperationNotSupported {
    fn facts(&self) -> Facts {
        Facts::proved(
            "operation_not_supported",
            Stage::Bucket,
            Side::Aws,
            "The store does not have the operation.",
        )
    }

    fn words(&self) -> Words {
        Words::new(
            "The store does not have this operation",
            format!(
                "The store says that it does not support `{}`. No permission changes that.",
                self.operation
            ),
            "Use a store that supports it, or connect the bucket for reading if only writing is affected.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            operation: "OPERATION".to_owned(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_blamed() {
        for words in words_of::<OperationNotSupported>() {
            assert!(words.contains("No permission"), "{words}");
        }
    }
}
