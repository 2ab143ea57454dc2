//! How much is asked of customers' buckets at once: S3 throttles whoever asks too much, one storage's load
//! must not take the service from the others, and all together must fit into this process.
//!
//! A request takes a place at its storage, then at its workspace, then at the whole. Places are given in the
//! order in which they were asked for, and a workspace has fewer of them than there are, so its crowd waits
//! behind its own.

use crate::aws::failure::local;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::Owner;
use crate::domain::ids::WorkspaceId;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many requests have a place at the same time, and how many wait for one.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Calls to buckets until they are answered.
    calls: usize,
    /// Bodies on their way from or to buckets. More than calls, because a slow client keeps its body's
    /// place for long. Each takes about 1 MiB.
    transfers: usize,
    waiting: usize,
}

const OF_STORAGE: Size = Size {
    calls: 64,
    transfers: 256,
    waiting: 1_024,
};
const OF_WORKSPACE: Size = Size {
    calls: 192,
    transfers: 384,
    waiting: 2_048,
};
const OF_ALL: Size = Size {
    calls: 768,
    transfers: 1_024,
    waiting: 8_192,
};
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// What nobody used for so long needs no gate.
const UNUSED: Duration = Duration::from_secs(3_600);
/// The code of a request that did not get its turn.
pub const BUSY: &str = "StorageBusy";

/// The gates of all storages.
pub struct Gates {
    storages: Cache<Owner, Gate>,
    workspaces: Cache<WorkspaceId, Gate>,
    all: Gate,
}

#[derive(Clone)]
struct Gate {
    calls: Line,
    transfers: Line,
}

#[derive(Clone)]
struct Line {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A place among those who use buckets; given back when it is dropped.
pub struct Turn {
    _places: [OwnedSemaphorePermit; 3],
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            storages: Cache::builder().time_to_idle(UNUSED).build(),
            workspaces: Cache::builder().time_to_idle(UNUSED).build(),
            all: Gate::new(OF_ALL),
        }
    }
}

impl Gates {
    /// Waits to make a call. Refused at once where too many wait already.
    pub async fn call(&self, owner: &Owner) -> Result<Turn, AwsFailure> {
        self.turn(owner, |gate| &gate.calls).await
    }

    /// Waits to send a body, or to be sent one. Refused at once where too many wait already.
    pub async fn transfer(&self, owner: &Owner) -> Result<Turn, AwsFailure> {
        self.turn(owner, |gate| &gate.transfers).await
    }

    async fn turn(&self, owner: &Owner, line: fn(&Gate) -> &Line) -> Result<Turn, AwsFailure> {
        let end = Instant::now() + PATIENCE;
        let of_storage = async { Gate::new(OF_STORAGE) };
        let of_storage = self.storages.get_with_by_ref(owner, of_storage).await;
        let of_workspace = async { Gate::new(OF_WORKSPACE) };
        let of_workspace = self
            .workspaces
            .get_with_by_ref(owner.workspace(), of_workspace)
            .await;
        Ok(Turn {
            _places: [
                line(&of_storage).place(end).await?,
                line(&of_workspace).place(end).await?,
                line(&self.all).place(end).await?,
            ],
        })
    }
}

impl Gate {
    fn new(size: Size) -> Self {
        let line = |places| Line {
            places: Arc::new(Semaphore::new(places)),
            waiting: Arc::new(Semaphore::new(size.waiting)),
        };
        Self {
            calls: line(size.calls),
            transfers: line(size.transfers),
        }
    }
}

impl Line {
    async fn place(&self, end: Instant) -> Result<OwnedSemaphorePermit, AwsFailure> {
        // There is one only while nobody waits.
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| busy("too many wait already"))?;
        match timeout_at(end, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            // Nobody closes a line.
            Ok(Err(closed)) => Err(busy(closed)),
            Err(_) => Err(busy("too many at once")),
        }
    }
}

fn busy(why: impl std::fmt::Display) -> AwsFailure {
    AwsFailure {
        error_code: Some(BUSY.to_owned()),
        ..local("Wait", FailureKind::Throttled, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::StorageId;
    use futures_util::future::join_all;

    fn storage_of(workspace: &WorkspaceId) -> Owner {
        Owner::Storage(workspace.clone(), StorageId::generate())
    }

    async fn has_to_wait(gates: &Gates, owner: &Owner) -> bool {
        let waiting = gates.call(owner);
        let waited = tokio::time::timeout(Duration::from_millis(50), waiting).await;
        waited.is_err()
    }

    #[tokio::test]
    async fn one_storage_s_crowd_keeps_nobody_else_out() {
        let gates = Gates::default();
        let (workspace, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let crowded = storage_of(&workspace);
        let mut turns = Vec::new();
        for _ in 0..OF_STORAGE.calls {
            turns.push(gates.call(&crowded).await.unwrap());
        }
        assert!(has_to_wait(&gates, &crowded).await);
        assert!(gates.call(&storage_of(&other)).await.is_ok());
        assert!(gates.call(&storage_of(&workspace)).await.is_ok());
        assert!(gates.transfer(&crowded).await.is_ok());
        turns.pop();
        assert!(gates.call(&crowded).await.is_ok());
    }

    #[tokio::test]
    async fn a_workspace_with_many_storages_does_not_use_the_whole() {
        let gates = Gates::default();
        let (greedy, other) = (WorkspaceId::generate(), WorkspaceId::generate());
        let mut turns = Vec::new();
        for _ in 0..OF_WORKSPACE.calls / 8 {
            let storage = storage_of(&greedy);
            for _ in 0..8 {
                turns.push(gates.call(&storage).await.unwrap());
            }
        }
        // Each of these storages has places of its own left; their workspace has not.
        assert!(has_to_wait(&gates, &storage_of(&greedy)).await);
        for _ in 0..OF_STORAGE.calls {
            turns.push(gates.call(&storage_of(&other)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn places_of_the_whole_go_round() {
        let gates = Arc::new(Gates::default());
        let workspaces: Vec<_> = (0..OF_ALL.calls / OF_WORKSPACE.calls)
            .map(|_| WorkspaceId::generate())
            .collect();
        let mut turns = Vec::new();
        for workspace in &workspaces {
            for _ in 0..OF_WORKSPACE.calls / 2 {
                turns.push(gates.call(&storage_of(workspace)).await.unwrap());
                turns.push(gates.call(&storage_of(workspace)).await.unwrap());
            }
        }
        let asks = |owner: Owner| {
            let gates = gates.clone();
            tokio::spawn(async move { gates.call(&owner).await })
        };
        // The workspaces that have everything want more; one that has nothing is served before that.
        let crowd: Vec<_> = workspaces.iter().map(|w| asks(storage_of(w))).collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let newcomer = asks(storage_of(&WorkspaceId::generate()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        turns.pop();
        let newcomer = tokio::time::timeout(Duration::from_millis(500), newcomer).await;
        assert!(newcomer.unwrap().unwrap().is_ok());
        assert!(crowd.iter().all(|task| !task.is_finished()));
        turns.clear();
        for task in crowd {
            assert!(task.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn whoever_comes_to_a_full_line_is_refused_at_once() {
        let gates = Gates::default();
        let crowded = storage_of(&WorkspaceId::generate());
        let mut turns = Vec::new();
        for _ in 0..OF_STORAGE.calls {
            turns.push(gates.call(&crowded).await.unwrap());
        }
        let begun = Instant::now();
        let crowd = join_all((0..OF_STORAGE.waiting + 10).map(|_| async {
            let turn = gates.call(&crowded).await.map(drop);
            (turn, begun.elapsed())
        }));
        let release = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            turns.clear();
        };
        let (crowd, ()) = tokio::join!(crowd, release);
        let mut refused = 0;
        for (turn, after) in crowd {
            let Err(failure) = turn else { continue };
            assert_eq!(failure.error_code.as_deref(), Some(BUSY));
            assert!(after < Duration::from_millis(500), "{after:?}");
            refused += 1;
        }
        assert_eq!(refused, 10);
    }
}
