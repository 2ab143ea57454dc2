//! What was written reads back differently.

use crate::domain::cause::entry::{CauseEntry, Facts, Side, Stage, Words};

/// The bytes are others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeDiffers {
    /// How many came back.
    pub size: u64,
}

impl CauseEntry for ProbeDiffers {
    fn facts(&self) -> Facts {
        Facts::proved(
            "probe_differs",
            Stage::Objects,
            Side::Network,
            "What was written reads back differently.",
        )
        .likely()
    }

    fn words(&self) -> Words {
        Words::new(
            "What was written reads back differently",
            format!(
                "The store confirmed that it stored the probe file, and gave back {} bytes that are not the same. Something between the service and the store changes files, or answers in its place.",
                self.size
            ),
            "Look at what is between the service and the store. Files of this storage would be damaged in the same way.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self { size: 7 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_offered() {
        for (cause, words) in ProbeDiffers::examples()
            .iter()
            .zip(words_of::<ProbeDiffers>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("7 bytes"), "{words}");
            assert!(!words.contains("permission"), "{words}");
        }
    }
}
