//! Which projects use files.

use crate::application::error::Result;
use crate::application::kept::store::ProjectsOfFiles;
use crate::application::people::caller::Member;
use crate::application::projects::Projects;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;

/// How many projects are named at most.
const NAMED: u32 = 20;

impl Projects {
    /// The workspace's projects that have at least one of these files of the storage. The bucket is not asked.
    pub async fn using(
        &self,
        member: &Member,
        storage: &StorageRef,
        keys: &[FileKey],
    ) -> Result<ProjectsOfFiles> {
        let touched: Vec<Touch<'_>> = keys.iter().map(Touch::Read).collect();
        member.admit(storage, &touched)?;
        let found = self
            .store
            .projects_of_files(&member.workspace, storage, keys, NAMED)
            .await?;
        Ok(found)
    }
}
