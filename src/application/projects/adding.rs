//! Files that are added to a project that is there.
//!
//! They are looked up as those of a new project are, and stored together or not at all. A file that the
//! project has already stays as it is, and is not looked up again.

use crate::application::connections::errors::changed_meanwhile;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::StoreError;
use crate::application::people::caller::Member;
use crate::application::projects::collected::{SortedOut, count, sort_out};
use crate::application::projects::{
    ListedFile, Projects, check_list, lookup, manifest, missing_files_error, too_slow,
};
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::ProjectId;
use crate::domain::people::reach::Touch;
use crate::domain::project::{OnArchived, Project, ProjectFile, ProjectStatus, WantedFile};
use std::collections::HashSet;

/// How often it is tried while others add files to the same project.
const TRIES: u32 = 8;

/// What became of the files that were to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedFiles {
    pub added: i64,
    /// How many of them the project had already.
    pub already_there: i64,
    /// How many files the project has now.
    pub file_count: i64,
}

impl Projects {
    /// Adds files to a project that is ready, behind those that it has, in the order of the request.
    pub async fn add_files(
        &self,
        member: &Member,
        id: &ProjectId,
        listed: Vec<ListedFile>,
        keep: Keep<'_, AddedFiles>,
    ) -> Result<AddedFiles> {
        let mut project = self.ready_project(member, id).await?;
        if listed.is_empty() {
            let invalid = Invalid::new("empty_list", "At least one file is needed.");
            return Err(Error::field("files", invalid));
        }
        let bucket = self
            .storages
            .usable(&member.workspace, &project.storage)
            .await?
            .on_behalf_of(member.person());
        let wanted = check_list(&bucket, listed)?;
        let touched = wanted.iter().map(|file| Touch::Read(&file.file_key));
        member.admit(&project.storage, &touched.collect::<Vec<_>>())?;
        let asked = wanted.len();
        let paths: Vec<String> = wanted
            .iter()
            .map(|file| file.file_key.path().to_owned())
            .collect();
        let mut known = self.known_keys(member, id, &paths).await?;
        let new: Vec<WantedFile> = wanted
            .into_iter()
            .filter(|file| !known.contains(&file.file_key))
            .collect();
        let found = self.find_all(&bucket, &new, asked).await?;
        for _ in 0..TRIES {
            let files = behind(&project, &found, &known);
            let added = count(files.len());
            let outcome = AddedFiles {
                added,
                already_there: count(asked) - added,
                file_count: project.file_count.saturating_add(added),
            };
            if added > 0 && outcome.file_count > count(manifest::MOST_KEYS) {
                return Err(too_many(&project));
            }
            let answer = keep.answer(&outcome)?;
            let stored = self.store.add_project_files(
                &member.workspace,
                id,
                project.file_count,
                &files,
                answer.as_ref(),
            );
            match stored.await {
                Ok(()) => return Ok(outcome),
                // Somebody else has added files, or the project is gone.
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            // In this order: what comes in between is found out when the files are stored.
            project = self.ready_project(member, id).await?;
            known = self.known_keys(member, id, &paths).await?;
        }
        Err(changed_meanwhile())
    }

    async fn ready_project(&self, member: &Member, id: &ProjectId) -> Result<Project> {
        let project = self.get(member, id).await?;
        match project.status {
            ProjectStatus::Ready => Ok(project),
            ProjectStatus::Importing => Err(still_importing()),
            ProjectStatus::Failed => Err(failed()),
        }
    }

    /// Which of these files the project has.
    async fn known_keys(
        &self,
        member: &Member,
        id: &ProjectId,
        paths: &[String],
    ) -> Result<HashSet<FileKey>> {
        let known = self
            .store
            .project_files_by_path(&member.workspace, id, paths)
            .await?;
        Ok(known.into_iter().map(|file| file.file_key).collect())
    }

    /// Looks the files up. All of them must be there.
    async fn find_all(
        &self,
        bucket: &ConnectedBucket,
        new: &[WantedFile],
        asked: usize,
    ) -> Result<Vec<ProjectFile>> {
        let keys: Vec<&FileKey> = new.iter().map(|file| &file.file_key).collect();
        let looking = lookup::look_up(self.source(), bucket, &keys);
        let found = tokio::time::timeout(self.limits.look_up, looking)
            .await
            .map_err(|_| too_slow())??;
        let SortedOut {
            files,
            missing,
            archived: _,
        } = sort_out(new, found, 0, OnArchived::Keep);
        match missing.is_empty() {
            true => Ok(files),
            false => Err(missing_files_error(
                &missing,
                asked,
                "Nothing was added.",
                "Correct the keys, letter case included, or leave the missing ones out.",
            )),
        }
    }
}

/// The files that the project does not have, at the positions behind those that it has.
fn behind(project: &Project, found: &[ProjectFile], known: &HashSet<FileKey>) -> Vec<ProjectFile> {
    let new = found.iter().filter(|file| !known.contains(&file.file_key));
    new.zip(project.file_count..)
        .map(|(file, position)| ProjectFile {
            position,
            ..file.clone()
        })
        .collect()
}

fn still_importing() -> Error {
    Error::new(
        Kind::Conflict,
        "project_importing",
        "The project's files are still being imported. Nothing was added.",
    )
    .remedy("Wait until the project's status is `ready`, then repeat it.")
}

fn failed() -> Error {
    Error::new(
        Kind::Conflict,
        "project_failed",
        "The project's import failed, so it has no files, and none can be added.",
    )
    .remedy("Create the project again.")
}

fn too_many(project: &Project) -> Error {
    let detail = format!(
        "A project has at most {} files, and this one has {} already. Nothing was added.",
        manifest::MOST_KEYS,
        project.file_count
    );
    Error::new(Kind::Unprocessable, "too_many_files", detail)
        .remedy("Create another project for these files.")
}
