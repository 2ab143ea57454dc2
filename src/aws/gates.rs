//! How much is asked of one customer's bucket at once: S3 throttles whoever asks too much, and one
//! storage's load must not take the service from the others.

use crate::aws::failure::local;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::Owner;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls to one storage's bucket until they are answered.
const CALLS: usize = 64;
/// Bodies on their way from or to one storage's bucket. More than calls, because a slow client keeps
/// its body's place for long.
const TRANSFERS: usize = 256;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// The code of a request that did not get its turn.
pub const BUSY: &str = "StorageBusy";

/// The gates of all storages.
pub struct Gates(Cache<Owner, Gate>);

#[derive(Clone)]
struct Gate {
    calls: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
}

/// A place among those who use the bucket; given back when it is dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Default for Gates {
    fn default() -> Self {
        let unused = Duration::from_secs(3_600);
        Self(Cache::builder().time_to_idle(unused).build())
    }
}

impl Gates {
    /// Waits to make a call.
    pub async fn call(&self, owner: &Owner) -> Result<Turn, AwsFailure> {
        turn(self.gate(owner).await.calls).await
    }

    /// Waits to send a body, or to be sent one.
    pub async fn transfer(&self, owner: &Owner) -> Result<Turn, AwsFailure> {
        turn(self.gate(owner).await.transfers).await
    }

    async fn gate(&self, owner: &Owner) -> Gate {
        let new = async {
            Gate {
                calls: Arc::new(Semaphore::new(CALLS)),
                transfers: Arc::new(Semaphore::new(TRANSFERS)),
            }
        };
        match self.0.get(owner).await {
            Some(gate) => gate,
            None => self.0.get_with(owner.clone(), new).await,
        }
    }
}

async fn turn(places: Arc<Semaphore>) -> Result<Turn, AwsFailure> {
    match tokio::time::timeout(PATIENCE, places.acquire_owned()).await {
        Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
        _ => Err(AwsFailure {
            error_code: Some(BUSY.to_owned()),
            ..local("Wait", FailureKind::Throttled, "too many at once")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::WorkspaceId;

    #[tokio::test]
    async fn one_storage_s_crowd_keeps_nobody_else_out() {
        let gates = Gates::default();
        let owner = |workspace: &WorkspaceId| Owner::BuiltIn(workspace.clone());
        let (one, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let mut turns = Vec::new();
        for _ in 0..CALLS {
            turns.push(gates.call(&owner(&one)).await.unwrap());
        }
        let crowded = owner(&one);
        let waiting = gates.call(&crowded);
        let waited = tokio::time::timeout(Duration::from_millis(50), waiting).await;
        assert!(waited.is_err());
        assert!(gates.call(&owner(&other)).await.is_ok());
        assert!(gates.transfer(&owner(&one)).await.is_ok());
        turns.pop();
        assert!(gates.call(&owner(&one)).await.is_ok());
    }
}
