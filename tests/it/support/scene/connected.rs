//! What the tests of files start from.

use crate::it::support::app::{TestApp, TestWorkspace};
use crate::it::support::scene::storage::ConnectedStorage;

/// The service, a workspace, and a storage of it that passed its check.
pub struct Scene {
    pub app: TestApp,
    pub workspace: TestWorkspace,
    pub storage: ConnectedStorage,
}

impl Scene {
    /// The address of something of the storage: `path("/files")`.
    pub fn path(&self, below: &str) -> String {
        self.storage.path(below)
    }

    pub fn parts(self) -> (TestApp, TestWorkspace, ConnectedStorage) {
        (self.app, self.workspace, self.storage)
    }
}
