//! Projects: named sets of files, by file key.
//!
//! A project is made from files that were there when it was made: existence, size and ETag of each are
//! read before anything is stored. Small ones are made at once, large ones by an [import](imports).

pub mod adding;
mod collected;
mod files_of;
mod import_steps;
pub mod imports;
pub mod input;
pub mod lookup;
pub mod manifest;
mod reading;
pub mod selection;
mod source;
pub mod source_files;
mod used_by;

use crate::application::bucket::port::Bucket;
use crate::application::bucket::read::ListFrom;
use crate::application::clock::Clock;
use crate::application::connections::errors::changed_meanwhile;
use crate::application::error::{Error, FieldError, Kind, Reason, Result};
use crate::application::files::shared::Files;
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{IMPORT, NewJob, ProjectFilter, Store, StoreError, Window};
use crate::application::people::caller::{Admin, Member, outside_of_token};
use crate::application::storages::Storages;
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, StorageRef};
use crate::domain::names::Name;
use crate::domain::people::reach::Touch;
use crate::domain::project::{
    FileName, OnArchived, OnMissing, Progress, Project, ProjectFile, ProjectStatus, Skipped,
    WantedFile, count_archived,
};
use crate::domain::working_folders::WorkingFolders;
use collected::{
    SortedOut, archived_files, count, no_files, only_working_folders, refuse_archived, sort_out,
    total_size,
};
use manifest::{FileListing, FileReference, ListSource};
use reading::{PAGE, check_lengths, list_page, listed_storage, read_manifest};
use selection::Selection;
use source::{ImportCursor, ImportSource};
use source_files::SourceFiles;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// How many files one request names at most.
pub const MOST_FILES: usize = 10_000;
/// How many bad entries of a list are reported.
const MOST_ERRORS: usize = 100;

pub struct Projects {
    pub store: Arc<dyn Store>,
    pub storages: Arc<Storages>,
    pub bucket_files: Arc<dyn Bucket>,
    pub files: Arc<Files>,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
    /// Wakes the importers.
    pub imports: Arc<Notify>,
    /// Leave to hold a manifest in memory for a request.
    pub manifests: Semaphore,
}

/// Where a request stops doing the work itself.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Folders and manifests with more files than this are imported in the background.
    pub at_once: usize,
    /// How long the files of one request are looked up.
    pub look_up: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            at_once: MOST_FILES,
            look_up: Duration::from_secs(50),
        }
    }
}

/// How many requests hold a manifest in memory at the same time.
pub const MANIFESTS_AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
pub struct NewProject {
    pub name: Name,
    /// `None`: the default storage.
    pub storage: Option<StorageRef>,
    pub files: FileSource,
    /// Whether a folder's files in the product's working folders are taken too.
    pub include_working_folders: bool,
    pub on_missing: OnMissing,
    pub on_archived: OnArchived,
}

/// Where the list of a project's files comes from.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// At most [`MOST_FILES`], each once.
    Listed(Vec<ListedFile>),
    /// A list as it was pasted.
    Pasted(String),
    Folder(Selection),
    Manifest(FileKey),
}

/// One file of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    pub file: FileReference,
    pub name: Option<FileName>,
}

/// Who wants a project of which storage's files.
struct Source<'a> {
    member: &'a Member,
    storage: &'a StorageRef,
    on_missing: OnMissing,
    on_archived: OnArchived,
}

impl Source<'_> {
    /// Refuses what the caller does not reach, as far as the request alone says it. What a manifest names is known
    /// only when it was read, perhaps after the request: it is for those who reach every folder.
    fn admit(&self, files: &FileSource) -> Result<()> {
        let touch = match files {
            FileSource::Listed(_) | FileSource::Pasted(_) => Touch::Storage,
            FileSource::Folder(selection) => Touch::List(selection.folder()),
            FileSource::Manifest(_) if self.member.reach.has_folders() => {
                return Err(outside_of_token());
            }
            FileSource::Manifest(key) => Touch::Read(key),
        };
        self.member.admit(self.storage, &[touch])
    }

    fn admit_files(&self, wanted: &[WantedFile]) -> Result<()> {
        let touched = wanted.iter().map(|file| Touch::Read(&file.file_key));
        let touched: Vec<Touch<'_>> = touched.collect();
        self.member.admit(self.storage, &touched)
    }
}

/// The files of a new project, or how they will be imported.
enum ProjectPlan {
    Now {
        files: Vec<ProjectFile>,
        skipped: Skipped,
    },
    Later(Box<ImportPlan>),
}

/// What an import begins with.
struct ImportPlan {
    source: ImportSource,
    /// How many keys there are, where it is known.
    total: Option<i64>,
    /// What the request has read already. The import goes on behind it.
    files: Vec<ProjectFile>,
    skipped: Skipped,
    cursor: Option<ImportCursor>,
}

impl Projects {
    pub async fn create(
        &self,
        member: &Member,
        new: NewProject,
        keep: Keep<'_, Project>,
    ) -> Result<Project> {
        let storage = match new.storage {
            Some(storage) => storage,
            None => self.storages.default_of(&member.workspace).await?,
        };
        let source = Source {
            member,
            storage: &storage,
            on_missing: new.on_missing,
            on_archived: new.on_archived,
        };
        source.admit(&new.files)?;
        let bucket = self.storages.usable(&member.workspace, &storage).await?;
        let bucket = bucket.on_behalf_of(member.person());
        let lifecycle = &self.storages.connections.lifecycle_folders;
        let working_folders = match &new.files {
            FileSource::Folder(selection) if !new.include_working_folders => {
                WorkingFolders::below(selection.folder(), lifecycle)
            }
            FileSource::Folder(_)
            | FileSource::Listed(_)
            | FileSource::Pasted(_)
            | FileSource::Manifest(_) => WorkingFolders::default(),
        };
        let planning = self.plan(&bucket, &source, new.files, &working_folders);
        let plan = tokio::time::timeout(self.limits.look_up, planning)
            .await
            .map_err(|_| too_slow())??;
        let mut project = Project {
            working_folders,
            id: ProjectId::generate(),
            workspace: member.workspace.clone(),
            name: new.name,
            storage,
            status: ProjectStatus::Ready,
            progress: Progress::default(),
            file_count: 0,
            total_size: 0,
            archived_count: 0,
            skipped_count: 0,
            skipped: Some(Skipped::default()),
            failure: None,
            created_at: self.clock.now(),
            on_behalf_of: member.on_behalf_of.clone(),
        };
        let (files, job) = match plan {
            ProjectPlan::Now { files, skipped } => {
                project.file_count = count(files.len());
                project.total_size = total_size(&files);
                project.archived_count = count_archived(&files);
                project.skipped_count = skipped.total();
                project.skipped = Some(skipped);
                let looked_up = project.file_count.saturating_add(skipped.total());
                project.progress = Progress {
                    done: looked_up,
                    total: Some(looked_up),
                };
                (files, None)
            }
            ProjectPlan::Later(plan) => {
                let cursor = plan.cursor.as_ref();
                project.status = ProjectStatus::Importing;
                project.file_count = count(plan.files.len());
                project.total_size = total_size(&plan.files);
                project.archived_count = count_archived(&plan.files);
                project.skipped_count = plan.skipped.total();
                project.skipped = Some(plan.skipped);
                project.progress = Progress {
                    done: cursor.map_or(0, |cursor| cursor.done),
                    total: plan.total,
                };
                let job = NewJob {
                    kind: IMPORT,
                    workspace: member.workspace.clone(),
                    subject: project.id.to_string(),
                    payload: plan.source.to_json()?,
                    cursor: cursor.map(ImportCursor::to_json).transpose()?,
                    due: project.created_at,
                };
                (plan.files, Some(job))
            }
        };
        let answer = keep.answer(&project)?;
        self.store
            .create_project(
                &project,
                bucket.revision,
                &files,
                job.as_ref(),
                answer.as_ref(),
            )
            .await
            .map_err(|error| match error {
                // The storage, or the workspace, has been changed or deleted since.
                StoreError::Conflict(_) => changed_meanwhile().internal(error),
                error => error.into(),
            })?;
        if job.is_some() {
            self.imports.notify_one();
        }
        Ok(project)
    }

    async fn plan(
        &self,
        bucket: &ConnectedBucket,
        source: &Source<'_>,
        files: FileSource,
        working_folders: &WorkingFolders,
    ) -> Result<ProjectPlan> {
        let (on_missing, on_archived) = (source.on_missing, source.on_archived);
        match files {
            FileSource::Listed(listed) => {
                let wanted = check_list(bucket, listed)?;
                source.admit_files(&wanted)?;
                self.look_up(bucket, &wanted, on_missing, on_archived).await
            }
            FileSource::Pasted(text) => {
                let wanted = read_pasted(bucket, text)?;
                source.admit_files(&wanted)?;
                self.look_up(bucket, &wanted, on_missing, on_archived).await
            }
            FileSource::Folder(selection) => {
                self.list(bucket, selection, working_folders, on_archived)
                    .await
            }
            FileSource::Manifest(key) => {
                let _leave = self.manifests.acquire().await.map_err(Error::bug)?;
                let manifest = read_manifest(self.source(), bucket, &key, None).await;
                let manifest = manifest.map_err(|error| match error.reason {
                    Some(Reason::FileAbsent) => {
                        let invalid = Invalid::new("file_not_found", error.detail.clone());
                        Error::field(manifest::FIELD, invalid)
                    }
                    _ => error,
                })?;
                if manifest.files.is_empty() {
                    return Err(no_files());
                }
                if manifest.files.len() <= self.limits.at_once {
                    let wanted = &manifest.files;
                    return self.look_up(bucket, wanted, on_missing, on_archived).await;
                }
                let total = manifest.files.len();
                Ok(ProjectPlan::Later(Box::new(ImportPlan {
                    source: ImportSource::manifest(&key, manifest.etag, on_missing, on_archived),
                    total: Some(count(total)),
                    files: Vec::new(),
                    skipped: Skipped::default(),
                    cursor: None,
                })))
            }
        }
    }

    fn source(&self) -> SourceFiles<'_> {
        SourceFiles {
            files: self.bucket_files.as_ref(),
            explainer: &self.files.explainer,
        }
    }

    async fn look_up(
        &self,
        bucket: &ConnectedBucket,
        wanted: &[WantedFile],
        on_missing: OnMissing,
        on_archived: OnArchived,
    ) -> Result<ProjectPlan> {
        let keys: Vec<&FileKey> = wanted.iter().map(|file| &file.file_key).collect();
        let found = lookup::look_up(self.source(), bucket, &keys).await?;
        let SortedOut {
            files,
            missing,
            archived,
        } = sort_out(wanted, found, 0, on_archived);
        if !missing.is_empty() && (on_missing == OnMissing::Fail || files.is_empty()) {
            return Err(missing_files(&missing, wanted.len()));
        }
        refuse_archived(on_archived, &archived)?;
        if files.is_empty() && !archived.is_empty() {
            return Err(archived_files(&archived));
        }
        Ok(ProjectPlan::Now {
            skipped: Skipped {
                missing: count(missing.len()),
                archived: count(archived.len()),
                no_file_key: 0,
                working_folder: 0,
            },
            files,
        })
    }

    /// Lists the folder, as far as one request does. An import goes on behind the pages that were read.
    async fn list(
        &self,
        bucket: &ConnectedBucket,
        selection: Selection,
        working_folders: &WorkingFolders,
        on_archived: OnArchived,
    ) -> Result<ProjectPlan> {
        let most_pages = 1 + self.limits.at_once.div_ceil(PAGE as usize);
        let mut cursor = ImportCursor::default();
        let mut files = Vec::new();
        let mut skipped = Skipped::default();
        let mut archived = Vec::new();
        let mut from = ListFrom::Beginning;
        for _ in 0..most_pages {
            let page = list_page(
                self.source(),
                bucket,
                &selection,
                working_folders,
                on_archived,
                from,
            );
            let page = page.await?;
            skipped.add_all(page.skipped());
            refuse_archived(on_archived, &page.archived.iter().collect::<Vec<_>>())?;
            archived.extend(page.archived.iter().cloned());
            let next = page.continuation.clone();
            files.extend(cursor.take_page(page));
            match next {
                _ if files.len() > self.limits.at_once => break,
                None if files.is_empty() && !archived.is_empty() => {
                    return Err(archived_files(&archived.iter().collect::<Vec<_>>()));
                }
                None if files.is_empty() && skipped.working_folder > 0 => {
                    return Err(only_working_folders(skipped.working_folder));
                }
                None if files.is_empty() => {
                    let mistyped = selection.folder().mistyped();
                    return Err(
                        mistyped.map_or_else(no_files, |invalid| Error::field("folder", invalid))
                    );
                }
                None => return Ok(ProjectPlan::Now { files, skipped }),
                Some(token) => from = ListFrom::Continuation(token),
            }
        }
        Ok(ProjectPlan::Later(Box::new(ImportPlan {
            source: ImportSource::folder(&selection, on_archived),
            total: None,
            files,
            skipped,
            cursor: Some(cursor),
        })))
    }

    pub async fn get(&self, member: &Member, id: &ProjectId) -> Result<Project> {
        let project = self.store.project(&member.workspace, id).await?;
        let project = project.ok_or_else(|| Error::not_found("project"))?;
        member.admit(&project.storage, &[Touch::Storage])?;
        Ok(project)
    }

    /// Newest first.
    pub async fn list_all(&self, member: &Member, window: &Window) -> Result<Vec<Project>> {
        Ok(self.store.list_projects(&member.workspace, window).await?)
    }

    /// The same of those that the filter leaves.
    pub async fn find(
        &self,
        member: &Member,
        filter: &ProjectFilter,
        window: &Window,
    ) -> Result<Vec<Project>> {
        let found = self.store.find_projects(&member.workspace, filter, window);
        Ok(found.await?)
    }

    /// Gives the project another name, also while it is imported.
    pub async fn rename(&self, admin: &Admin, id: &ProjectId, name: &Name) -> Result<Project> {
        let workspace = admin.workspace();
        match self.store.rename_project(workspace, id, name).await? {
            true => self.get(admin.member(), id).await,
            false => Err(Error::not_found("project")),
        }
    }

    /// Deletes the project, and ends its import. The files themselves stay in their bucket.
    pub async fn delete(&self, admin: &Admin, id: &ProjectId) -> Result<()> {
        match self.store.delete_project(admin.workspace(), id).await? {
            true => Ok(()),
            false => Err(Error::not_found("project")),
        }
    }

    /// By position, those after `after`.
    pub async fn list_files(
        &self,
        member: &Member,
        id: &ProjectId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ProjectFile>> {
        self.get(member, id).await?;
        Ok(self
            .store
            .project_files(&member.workspace, id, after, limit)
            .await?)
    }

    /// For each of these files of a project, whether its storage has no such file any more. It is asked now,
    /// for a page's files at once; what cannot be asked in time is an error.
    pub async fn are_absent(
        &self,
        member: &Member,
        project: &Project,
        files: &[ProjectFile],
        patience: Duration,
    ) -> Result<Vec<bool>> {
        let bucket = self
            .storages
            .usable(&member.workspace, &project.storage)
            .await?
            .on_behalf_of(member.person());
        let keys: Vec<&FileKey> = files.iter().map(|file| &file.file_key).collect();
        let looking = lookup::look_up(self.source(), &bucket, &keys);
        let found = tokio::time::timeout(patience, looking)
            .await
            .map_err(|_| too_slow())??;
        Ok(found.iter().map(Option::is_none).collect())
    }
}

/// Refuses a list that is empty, too long, or names a file twice; addresses that lead elsewhere; and keys
/// that are too long for the bucket. Each bad one is named by its place.
fn check_list(bucket: &ConnectedBucket, listed: Vec<ListedFile>) -> Result<Vec<WantedFile>> {
    check_count(listed.len())?;
    let storage = listed_storage(bucket);
    let mut first: HashMap<FileKey, usize> = HashMap::with_capacity(listed.len());
    let mut wanted = Vec::with_capacity(listed.len());
    let mut errors = Vec::new();
    let mut refuse = |at, invalid, earlier| {
        if errors.len() < MOST_ERRORS {
            let error = FieldError::of_item("files", at, Some("file_key"), invalid);
            errors.push(error.same_as(earlier));
        }
    };
    for (at, file) in listed.into_iter().enumerate() {
        let file_key = match file.file.within(&storage) {
            Ok(key) => key,
            Err(invalid) => {
                refuse(at, invalid, None);
                continue;
            }
        };
        let earlier = first.insert(file_key.clone(), at);
        let refused = match earlier {
            Some(place) => Some(manifest::duplicate(&format!("`files[{place}]`"))),
            None => bucket
                .key("key", &file_key)
                .err()
                .and_then(|error| error.fields.first().cloned())
                .map(|field| Invalid::new(field.code, field.detail)),
        };
        match refused {
            Some(invalid) => refuse(at, invalid, earlier),
            None => wanted.push(WantedFile {
                file_key,
                name: file.name,
                metadata: Vec::new(),
            }),
        }
    }
    match errors.is_empty() {
        true => Ok(wanted),
        false => Err(refused_list(errors)),
    }
}

/// The refusal of a list's entries. Where nothing is wrong but that files are there twice, its own code says so.
fn refused_list(errors: Vec<FieldError>) -> Error {
    let only_duplicates = errors.iter().all(|error| error.code == manifest::DUPLICATE);
    let mut error = Error::invalid(errors);
    if only_duplicates {
        error.code = manifest::DUPLICATE;
        error = error
            .remedy("Name each file once. With and without the leading slash it is the same file.");
    }
    error
}

/// Reads a pasted list, for one request's files.
fn read_pasted(bucket: &ConnectedBucket, text: String) -> Result<Vec<WantedFile>> {
    const FIELD: &str = "files";
    let storage = listed_storage(bucket);
    let listing = manifest::read(text.as_bytes(), ListSource::Pasted, &storage)
        .map_err(|faults| manifest::error_of(FIELD, faults))?;
    let files = match listing {
        FileListing::Files(files) => files,
        FileListing::Inventory(_) => {
            let detail = "This is the manifest of an S3 Inventory report. Name the object that it was copied from as a manifest.";
            return Err(Error::field(
                FIELD,
                Invalid::new("unsupported_manifest", detail),
            ));
        }
    };
    check_count(files.len())?;
    check_lengths(bucket, FIELD, &files)?;
    Ok(files)
}

/// How many files one request has.
fn check_count(files: usize) -> Result<()> {
    if files == 0 {
        let invalid = Invalid::new("empty_list", "A project has at least one file.");
        return Err(Error::field("files", invalid));
    }
    if files > MOST_FILES {
        let detail = format!("One request names at most {MOST_FILES} files.");
        let mut error = Error::new(Kind::Unprocessable, "too_many_files", detail.clone());
        error.fields = vec![FieldError::new(
            "files",
            Invalid::new("too_many_files", detail),
        )];
        return Err(
            error.remedy("Put the file keys into a manifest: an object in the storage, one on each line. Or name a folder.")
        );
    }
    Ok(())
}

fn missing_files(missing: &[&FileKey], of: usize) -> Error {
    missing_files_error(
        missing,
        of,
        "Nothing was created.",
        "Correct the keys, letter case included, or leave missing ones out with `\"on_missing\": \"skip\"`.",
    )
}

/// Names the missing files, with what came of the request and what to do about it.
fn missing_files_error(missing: &[&FileKey], of: usize, outcome: &str, remedy: &str) -> Error {
    let detail = match missing.len() {
        1 => format!("One file of {of} is not in the storage. {outcome}"),
        several => format!("{several} files of {of} are not in the storage. {outcome}"),
    };
    let keys: Vec<String> = missing.iter().map(|key| key.to_string()).collect();
    Error::new(Kind::Unprocessable, "missing_files", detail)
        .remedy(remedy)
        .member("missing_files", keys)
        .member("file_count", of)
}

fn too_slow() -> Error {
    Error::new(
        Kind::UpstreamTimeout,
        "storage_timeout",
        "The files could not be looked up in time. Nothing was created.",
    )
    .remedy("Try again in a moment, with fewer files.")
    .retry_after(Duration::from_secs(2))
}
