//! A session has expired before its time.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// `ExpiredToken` for a role's session that is still good by the time that STS gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionExpired;

impl CauseEntry for SessionExpired {
    fn facts(&self) -> Facts {
        Facts::proved(
            "session_expired",
            Stage::Bucket,
            Side::Service,
            "S3 says that a session has expired before its time.",
        )
        .likely()
        .bearing(Bearing::Undecided)
        .may_pass()
    }

    fn words(&self) -> Words {
        Words::new(
            "The role's session has expired",
            "S3 says that the session has expired, and by the time that STS gave it, it has not. The clock of one of them differs, or the session was ended.",
            "Try again in a moment. If the problem persists, contact the operator.",
        )
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
    fn it_may_pass() {
        words_of::<SessionExpired>();
        assert!(SessionExpired.facts().may_pass_later);
    }
}
