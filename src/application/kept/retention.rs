//! What is removed after its time: old checks, ended setups, expired links and keys.

use crate::application::error::Result;
use crate::application::kept::idempotency::RETENTION as KEPT_ANSWERS;
use crate::application::kept::store::{Expired, OldCheck, Store};
use crate::domain::check::Outcome;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How many checks of a storage are kept, however old they are.
pub const NEWEST_CHECKS: u32 = 20;
/// How many rows one statement removes: short enough for others to write in between.
const BATCH: u32 = 500;
/// How many storages' checks one round looks at.
const STORAGES: u32 = 200;
/// Links and sessions are kept a day longer, so somebody who comes late reads that they have ended.
const LINKS: Duration = Duration::from_secs(24 * 60 * 60);
/// How long events can be read and are delivered again.
pub const EVENTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long it is known what was used on a day: two years, and the month in which that is asked for.
const USAGE: Duration = Duration::from_secs((2 * 366 + 31) * 24 * 60 * 60);
/// How long notes of changes are kept. Every process reads them a few times a second.
const CHANGES: Duration = Duration::from_secs(60 * 60);
/// How long the parts of a workspace's file may be there before the import must have ended.
const PARTS: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a setup without any input is kept after its dialog was last open.
const DIALOGS: Duration = Duration::from_secs(60 * 60);

/// How long things are kept. `None`: always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    pub checks: Option<Duration>,
    pub setups: Option<Duration>,
    /// Applies to entries that have been exported; others are always kept.
    pub audit: Option<Duration>,
}

/// Removes what is older than it is kept.
pub struct Remover {
    pub store: Arc<dyn Store>,
    pub retention: Retention,
}

/// Where the next round goes on with the checks of storages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckPosition(String);

impl Remover {
    /// Every kind of thing that expires, with the time before which it has.
    pub fn expired(&self, now: OffsetDateTime) -> Vec<(Expired, OffsetDateTime)> {
        let mut all = vec![
            (Expired::SetupSecrets, now),
            (Expired::LeftDialogs, now - DIALOGS),
            (Expired::SignInLinks, now - LINKS),
            (Expired::Sessions, now - LINKS),
            (Expired::InstructionLinks, now - LINKS),
            (Expired::IdempotencyKeys, now - KEPT_ANSWERS),
            (Expired::Events, now - EVENTS),
            (Expired::Usage, now - USAGE),
            (Expired::Changes, now - CHANGES),
            (Expired::LeftParts, now - PARTS),
        ];
        let kept = [
            (Expired::Setups, self.retention.setups),
            (Expired::AuditEntries, self.retention.audit),
        ];
        all.extend(
            kept.into_iter()
                .filter_map(|(what, kept)| Some((what, now - kept?))),
        );
        all
    }

    /// Removes a batch. True when there may be more.
    pub async fn remove(&self, what: Expired, before: OffsetDateTime) -> Result<bool> {
        let removed = self.store.remove_expired(what, before, BATCH).await?;
        if removed > 0 {
            tracing::info!(?what, removed, "removed what had expired");
        }
        Ok(removed >= u64::from(BATCH))
    }

    /// Removes old checks of some storages, and says where to go on. Kept are the newest, and each whose
    /// outcome differs from the one before: it stays known when a storage broke and when it worked again.
    pub async fn remove_checks(
        &self,
        now: OffsetDateTime,
        from: CheckPosition,
    ) -> Result<CheckPosition> {
        let Some(kept) = self.retention.checks else {
            return Ok(from);
        };
        let storages = self.store.storages_after(&from.0, STORAGES).await?;
        let mut removed = 0;
        for storage in &storages {
            removed += self.remove_checks_of(storage, now - kept).await?;
        }
        if removed > 0 {
            tracing::info!(removed, "removed old checks");
        }
        let is_last = storages.len() < STORAGES as usize;
        let last = storages.into_iter().last().filter(|_| !is_last);
        Ok(CheckPosition(last.unwrap_or_default()))
    }

    async fn remove_checks_of(&self, storage: &str, before: OffsetDateTime) -> Result<u64> {
        let (mut removed, mut after, mut outcome) = (0, String::new(), None);
        loop {
            let old = self
                .store
                .old_checks(storage, before, NEWEST_CHECKS, &after, BATCH)
                .await?;
            let Some(last) = old.last() else {
                return Ok(removed);
            };
            after.clone_from(&last.id);
            let unneeded = without_changes(&mut outcome, old);
            if !unneeded.is_empty() {
                removed += self.store.remove_checks(&unneeded).await?;
            }
        }
    }
}

/// The checks with the same outcome as the one before. `last` is the outcome before the first of them.
fn without_changes(last: &mut Option<Outcome>, checks: Vec<OldCheck>) -> Vec<String> {
    let mut unneeded = Vec::new();
    for check in checks {
        if *last == Some(check.outcome) {
            unneeded.push(check.id);
        }
        *last = Some(check.outcome);
    }
    unneeded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_with_another_outcome_than_before_is_kept() {
        use Outcome::{Failed as Broken, Passed as Healthy};
        let checks = |states: &[Outcome]| -> Vec<OldCheck> {
            let numbered = states.iter().enumerate();
            numbered
                .map(|(at, state)| OldCheck {
                    id: at.to_string(),
                    outcome: *state,
                })
                .collect()
        };
        let mut state = None;
        let first = checks(&[Healthy, Healthy, Broken, Broken, Healthy]);
        assert_eq!(without_changes(&mut state, first), ["1", "3"]);
        // The next batch follows on the last of this one.
        let second = checks(&[Healthy, Broken]);
        assert_eq!(without_changes(&mut state, second), ["0"]);
    }
}
