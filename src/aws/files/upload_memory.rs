//! How much memory uploads may take together.

use crate::application::bucket::write::PutFailure;
use crate::domain::files::part_plan::MIB;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long an upload waits for memory.
const MEMORY_PATIENCE: Duration = Duration::from_secs(30);

/// The memory that held parts may take, all uploads together: 32 MiB, in MiB.
pub struct UploadMemory(Arc<Semaphore>);

impl Default for UploadMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(32)))
    }
}

impl UploadMemory {
    /// Waits for so many bytes, rounded up to whole MiB.
    pub(crate) async fn take(&self, bytes: u64) -> Result<OwnedSemaphorePermit, PutFailure> {
        let mib = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
        let taking = self.0.clone().acquire_many_owned(mib);
        match tokio::time::timeout(MEMORY_PATIENCE, taking).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(PutFailure::NoMemory),
        }
    }
}
