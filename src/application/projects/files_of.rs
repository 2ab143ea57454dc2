//! Reading a project's files: by URL, or through the service.

use crate::application::bucket::sign::{ReadMethod, SignedUrls};
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::files::sign::SignRequest;
use crate::application::people::caller::Member;
use crate::application::projects::{MOST_ERRORS, Projects};
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, StorageRef};
use crate::domain::people::reach::Touch;
use crate::domain::project::{Project, ProjectFile};
use std::collections::HashSet;
use std::time::Duration;

/// What helps where a key is not in the project.
const LIST_THEM: &str = "List the project's files, or add this one to the project.";

impl Projects {
    /// The storage that has a file of the project. One that is not in the project is refused, also where the
    /// storage has it.
    pub async fn storage_of_file(
        &self,
        member: &Member,
        id: &ProjectId,
        key: &FileKey,
    ) -> Result<StorageRef> {
        let project = self.get(member, id).await?;
        member.admit(&project.storage, &[Touch::Read(key)])?;
        let paths = [key.path().to_owned()];
        let found = self
            .store
            .project_files_by_path(&member.workspace, id, &paths)
            .await?;
        match found.is_empty() {
            false => Ok(project.storage),
            true => Err(Error::new(
                Kind::NotFound,
                "not_in_project",
                "The project has no file with this key.",
            )
            .remedy(LIST_THEM)),
        }
    }

    /// Signs URLs of files of the project.
    pub async fn sign(
        &self,
        member: &Member,
        id: &ProjectId,
        request: &SignRequest,
    ) -> Result<SignedUrls> {
        let project = self.get(member, id).await?;
        let touched: Vec<Touch<'_>> = request.keys.iter().map(Touch::Read).collect();
        member.admit(&project.storage, &touched)?;
        let paths: Vec<String> = request
            .keys
            .iter()
            .map(|key| key.path().to_owned())
            .collect();
        let known = self
            .store
            .project_files_by_path(&member.workspace, id, &paths)
            .await?;
        let known: HashSet<&FileKey> = known.iter().map(|file| &file.file_key).collect();
        let unknown: Vec<(usize, &FileKey)> = request
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| !known.contains(key))
            .collect();
        if !unknown.is_empty() {
            return Err(not_in_project(&unknown));
        }
        self.files.sign_get(member, &project.storage, request).await
    }

    /// Signs a URL for each of these files of a project, in their order. They were just listed, so nobody asks
    /// whether they are the project's.
    pub async fn sign_listed(
        &self,
        member: &Member,
        project: &Project,
        files: &[ProjectFile],
        expires_in: Option<Duration>,
    ) -> Result<SignedUrls> {
        let request = SignRequest {
            keys: files.iter().map(|file| file.file_key.clone()).collect(),
            expires_in,
            content_type: None,
            download_name: None,
            method: ReadMethod::Get,
            range: None,
            alike: false,
        };
        self.files
            .sign_get(member, &project.storage, &request)
            .await
    }
}

fn not_in_project(unknown: &[(usize, &FileKey)]) -> Error {
    let invalid = || Invalid::new("not_in_project", "The project has no file with this key.");
    let fields = unknown.iter().take(MOST_ERRORS);
    let fields = fields.map(|(at, _)| FieldError::new(format!("keys[{at}]"), invalid()));
    let keys: Vec<String> = unknown.iter().map(|(_, key)| key.to_string()).collect();
    let detail = match unknown.len() {
        1 => "The project has no file with this key. Nothing was signed.".to_owned(),
        several => {
            format!("The project has no files with {several} of the keys. Nothing was signed.")
        }
    };
    let mut error = Error::new(Kind::Unprocessable, "not_in_project", detail);
    error.fields = fields.collect();
    error.remedy(LIST_THEM).member("unknown_files", keys)
}
