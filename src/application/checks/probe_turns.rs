//! One check at a time writes the probe object of a connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is, by bucket and key. Checks by another replica are not known here: they are met by writing
/// the object again where it has gone.
#[derive(Default)]
pub(crate) struct ProbeTurns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl ProbeTurns {
    /// Waits until no other check of this service uses the object.
    pub async fn take(&self, bucket: &str, key: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let name = format!("{bucket}/{key}");
            match turns.get(&name).and_then(Weak::upgrade) {
                Some(turn) => turn,
                None => {
                    let turn = Arc::new(tokio::sync::Mutex::new(()));
                    turns.insert(name, Arc::downgrade(&turn));
                    turn
                }
            }
        };
        turn.lock_owned().await
    }
}
