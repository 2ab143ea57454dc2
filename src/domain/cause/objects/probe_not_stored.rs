//! What was written is not there.

use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Side, Stage, Words};

/// The store confirmed the write, and has no such file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeNotStored;

impl CauseEntry for ProbeNotStored {
    fn facts(&self) -> Facts {
        Facts::proved(
            "probe_not_stored",
            Stage::Objects,
            Side::Network,
            "What was written is not there.",
        )
        .one_of()
    }

    fn words(&self) -> Words {
        Words::new(
            "What was written is not there",
            "The store confirmed that it stored the probe file, and then said that there is no such file.",
            "Look at what is between the service and the store, and at rules of the bucket that move or delete files.",
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![
            Candidate::new(
                "proxy",
                "Something between the service and the store answers in its place.",
            )
            .console("The operator's network, and the endpoint in the settings"),
            Candidate::new(
                "rule",
                "A rule or a function of the bucket moves or removes new files at once.",
            )
            .console("S3 > the bucket > Properties > Event notifications"),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn no_permission_is_offered() {
        for (cause, words) in ProbeNotStored::examples()
            .iter()
            .zip(words_of::<ProbeNotStored>())
        {
            assert_eq!(cause.fix(), None);
            assert!(!words.contains("permission"), "{words}");
        }
    }
}
