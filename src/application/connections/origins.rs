//! The web origins whose pages use the buckets of a workspace: those of the settings, and those that the workspace adds.
//!
//! The rules of a bucket name all of them, and the check tries all of them.

use crate::application::error::Result;
use crate::application::kept::store::Store;
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::{Origin, OriginPattern};
use std::sync::Arc;

pub struct BucketOrigins {
    everywhere: Vec<OriginPattern>,
    /// `None`: there are no workspaces, as on the command line.
    store: Option<Arc<dyn Store>>,
}

impl BucketOrigins {
    /// `everywhere`: the origins that use the buckets of every workspace.
    pub fn new(everywhere: &[Origin], store: Arc<dyn Store>) -> Self {
        Self {
            store: Some(store),
            ..Self::without_workspaces(everywhere)
        }
    }

    /// The same where no workspace adds any.
    pub fn without_workspaces(everywhere: &[Origin]) -> Self {
        Self {
            everywhere: everywhere.iter().map(OriginPattern::from).collect(),
            store: None,
        }
    }

    /// Those of the settings alone.
    pub fn everywhere(&self) -> &[OriginPattern] {
        &self.everywhere
    }

    /// Those of the settings, and then those of the workspace; each once.
    pub async fn of(&self, workspace: &WorkspaceId) -> Result<Vec<OriginPattern>> {
        let mut all = self.everywhere.clone();
        if let Some(store) = &self.store {
            for own in store.workspace_origins(workspace).await? {
                if !all.contains(&own) {
                    all.push(own);
                }
            }
        }
        Ok(all)
    }
}
