//! How many retries each storage and workspace has.
//!
//! The SDK gives all clients of one service and Region one budget of retries for the whole process. A
//! throttled bucket would use up everybody's.

use crate::domain::connection::Owner;
use crate::domain::ids::WorkspaceId;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use moka::future::Cache;
use std::time::Duration;

/// What a budget holds. A retry takes 5 after a throttled call and 10 after one that broke; a first try
/// that succeeds gives 1 back. The SDK's own numbers.
const TOKENS: usize = 500;
/// What comes back in a second besides.
const TOKENS_PER_SECOND: f32 = 1.0;
/// Budgets of more storages than this are given up, and begin full again.
const MOST: u64 = 20_000;
/// A budget that nobody uses is full again by then.
const UNUSED: Duration = Duration::from_secs(3_600);

/// The budgets of retries.
pub struct RetryBudgets {
    owners: Cache<Owner, RetryPartition>,
    workspaces: Cache<WorkspaceId, RetryPartition>,
}

impl Default for RetryBudgets {
    fn default() -> Self {
        Self {
            owners: Cache::builder()
                .max_capacity(MOST)
                .time_to_idle(UNUSED)
                .build(),
            workspaces: Cache::builder()
                .max_capacity(MOST)
                .time_to_idle(UNUSED)
                .build(),
        }
    }
}

impl RetryBudgets {
    /// For calls to an owner's bucket.
    pub async fn of_owner(&self, owner: &Owner) -> RetryPartition {
        let new = async { budget() };
        self.owners.get_with_by_ref(owner, new).await
    }

    /// For calls of STS in a workspace's name.
    pub async fn of_workspace(&self, workspace: &WorkspaceId) -> RetryPartition {
        let new = async { budget() };
        self.workspaces.get_with_by_ref(workspace, new).await
    }
}

/// A custom partition has a bucket of tokens of its own, whatever its name.
fn budget() -> RetryPartition {
    let tokens = TokenBucket::builder()
        .capacity(TOKENS)
        .refill_rate(TOKENS_PER_SECOND)
        .build();
    RetryPartition::custom("sallyport")
        .token_bucket(tokens)
        .build()
}
