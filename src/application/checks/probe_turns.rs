//! One check of a connection at a time.

use crate::application::checks::run::CheckRun;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is, by the probe object that a check writes: each setup and each storage has one. A check that comes
/// while another one runs waits until that has removed its object. Otherwise it would take the object for one that
/// an earlier check has left, or miss its own, which the other one has removed.
///
/// Checks by other replicas are not known here. Where one of theirs has removed the object, it is written again.
#[derive(Default)]
pub(crate) struct ProbeTurns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl ProbeTurns {
    /// Waits until no other check of this service is of the same connection. `None`: the check has no probe object.
    pub async fn take(&self, run: &CheckRun<'_>) -> Option<OwnedMutexGuard<()>> {
        let key = run.probe_key()?;
        let name = format!("{}/{}", run.bucket.connection.bucket, key.as_str());
        Some(self.turn(name).lock_owned().await)
    }

    fn turn(&self, name: String) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        match turns.get(&name).and_then(Weak::upgrade) {
            Some(turn) => turn,
            None => {
                let turn = Arc::new(tokio::sync::Mutex::new(()));
                turns.insert(name, Arc::downgrade(&turn));
                turn
            }
        }
    }
}
