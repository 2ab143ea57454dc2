//! Imports of large projects, in the background.
//!
//! An import goes on in steps. A step reads from the storage, and is then stored as a whole with the
//! cursor that says where the next one begins. Whatever stops a worker in between, another one (on any
//! replica) goes on from the last stored step: no file comes twice and none is lost. A worker holds an
//! import by a lease, which it renews while it works; what one does whose lease another has taken is not
//! stored. While others wait, an import works for a slice of time and then goes to the end of the line.

use crate::application::bucket::port::Bucket;
use crate::application::bucket::read::ListFrom;
use crate::application::clock::Clock;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, IMPORT, ImportStep, Store, is_of_database};
use crate::application::projects::collected::{
    SortedOut, count, no_files, refuse_archived, sort_out,
};
use crate::application::projects::reading::{Manifest, list_page, read_manifest};
use crate::application::projects::source::{ImportCursor, ImportSource, ParsedSource};
use crate::application::projects::source_files::SourceFiles;
use crate::application::projects::{lookup, manifest};
use crate::application::storages::Storages;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{
    ImportFailure, OnMissing, Progress, ProjectFile, SkipReason, Skipped,
};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How many pages of a folder after each other may have no file that the project takes. A store that makes up
/// keys has pages without end.
const MOST_IDLE: u32 = 20_000;
/// How many missing keys a failed import names.
const MISSING_NAMED: usize = 10;

/// The job that imports a project's files.
pub struct ImportFiles {
    pub store: Arc<dyn Store>,
    pub storages: Arc<Storages>,
    pub files: Arc<dyn Bucket>,
    pub explainer: Explainer,
    pub clock: Arc<dyn Clock>,
    pub pace: Pace,
}

/// How an import goes on.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How many keys of a manifest one step looks up.
    pub step: usize,
    /// After how long another worker takes the import of one that died.
    pub lease: Duration,
    /// How long one step may take.
    pub step_limit: Duration,
    /// How often a step is tried that fails for a passing reason.
    pub tries: u32,
    /// How long a worker goes on with one import while others wait.
    pub turn: Duration,
    /// The pause before the second try; each further one is twice as long, up to [`Pace::LONGEST_PAUSE`].
    pub pause: Duration,
}

impl Pace {
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(120);

    fn pause_after(&self, tries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        self.pause.saturating_mul(doubled).min(Self::LONGEST_PAUSE)
    }
}

impl Default for Pace {
    /// Eight tries within about four minutes.
    fn default() -> Self {
        Self {
            step: 1000,
            lease: Duration::from_secs(8),
            step_limit: Duration::from_secs(45),
            tries: 8,
            turn: Duration::from_secs(5),
            pause: Duration::from_secs(2),
        }
    }
}

/// What a worker has at hand of the import it works on.
struct ImportWork {
    workspace: WorkspaceId,
    project: ProjectId,
    worker: String,
    /// When its slice began.
    began: OffsetDateTime,
    /// Whether a step was made in it.
    stepped: bool,
    source: ParsedSource,
    cursor: ImportCursor,
    /// Read once: it is the same for as long as it has its ETag.
    manifest: Option<Manifest>,
}

/// What one step read.
struct ImportRead {
    files: Vec<ProjectFile>,
    skipped: Skipped,
    cursor: ImportCursor,
    total: Option<i64>,
}

#[async_trait]
impl Job for ImportFiles {
    fn kind(&self) -> &'static str {
        IMPORT
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn lease(&self) -> Duration {
        self.pace.lease
    }

    async fn work(&self, job: &ClaimedJob, stop: &CancellationToken) -> Result<Next> {
        let project = ProjectId::parse(&job.subject).map_err(Error::bug)?;
        let read = ImportSource::parse(&job.payload)
            .and_then(|source| Ok((source, ImportCursor::parse(job.cursor.as_deref())?)));
        match read {
            Ok((source, cursor)) => {
                let mut work = ImportWork {
                    workspace: job.workspace.clone(),
                    project,
                    worker: job.worker.clone(),
                    began: self.clock.now(),
                    stepped: false,
                    source,
                    cursor,
                    manifest: None,
                };
                self.go_on(&mut work, stop).await
            }
            // What was stored does not parse.
            Err(error) => {
                tracing::error!(%project, cause = error.internal, "an import cannot be read");
                let failure = failure_of(&error);
                self.store
                    .finish_import(&job.worker, &project, Some(&failure))
                    .await?;
                Ok(Next::Settled)
            }
        }
    }
}

impl ImportFiles {
    async fn go_on(&self, work: &mut ImportWork, stop: &CancellationToken) -> Result<Next> {
        loop {
            if work.cursor.ended {
                self.end(work).await?;
                return Ok(Next::Settled);
            }
            if self.others_turn(work).await? {
                return Ok(again(self.clock.now()));
            }
            // Nothing is stored before the step is read, so it can be dropped at any point.
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(again(self.clock.now())),
                read = tokio::time::timeout(self.pace.step_limit, self.read(work)) => {
                    read.unwrap_or_else(|_| Err(too_slow()))
                }
            };
            let held = match read {
                Ok(Some(read)) => self.store_step(work, read).await?,
                // The project has been deleted.
                Ok(None) => false,
                // No try of the import: it goes on when the database is well again.
                Err(error) if is_of_database(&error) => return Err(error),
                Err(error) if error.retry_after.is_some() => {
                    return self.try_later(work, &error).await;
                }
                Err(error) => {
                    self.fail(work, &failure_of(&error), &error).await?;
                    return Ok(Next::Settled);
                }
            };
            if !held {
                // Deleted, or another worker's by now.
                return Ok(Next::Settled);
            }
        }
    }

    /// Whether others have waited long enough. Every slice has a step at least.
    async fn others_turn(&self, work: &mut ImportWork) -> Result<bool> {
        let now = self.clock.now();
        if !work.stepped || now - work.began < self.pace.turn {
            return Ok(false);
        }
        work.began = now;
        Ok(self.store.job_queue(IMPORT, false, now).await?.waiting > 0)
    }

    fn source(&self) -> SourceFiles<'_> {
        SourceFiles {
            files: self.files.as_ref(),
            explainer: &self.explainer,
        }
    }

    /// Stores a step. False when the import is no longer this worker's.
    async fn store_step(&self, work: &mut ImportWork, read: ImportRead) -> Result<bool> {
        let step = ImportStep {
            files: read.files,
            skipped: read.skipped,
            cursor: read.cursor.to_json()?,
            progress: Progress {
                done: read.cursor.done,
                total: read.total,
            },
            lease_until: self.clock.now() + self.pace.lease,
        };
        let project = &work.project;
        let held = self
            .store
            .advance_import(&work.worker, project, &step)
            .await?;
        work.cursor = read.cursor;
        work.stepped = true;
        Ok(held)
    }

    async fn end(&self, work: &ImportWork) -> Result<()> {
        let cursor = &work.cursor;
        let failure = if cursor.missing > 0 {
            Some(missing(cursor))
        } else if cursor.files == 0 {
            Some(failure_of(&no_files()))
        } else {
            None
        };
        let project = &work.project;
        self.store
            .finish_import(&work.worker, project, failure.as_ref())
            .await?;
        tracing::info!(
            %project, files = cursor.files, failure = failure.map(|f| f.code), "an import has ended"
        );
        Ok(())
    }

    /// Lets the import rest for a while, or gives it up after too many tries.
    async fn try_later(&self, work: &mut ImportWork, error: &Error) -> Result<Next> {
        work.cursor.tries += 1;
        let tries = work.cursor.tries;
        if tries >= self.pace.tries {
            self.fail(work, &failure_of(error), error).await?;
            return Ok(Next::Settled);
        }
        let pause = self.pace.pause_after(tries);
        let project = &work.project;
        tracing::warn!(
            %project, code = error.code, cause = error.internal, tries, ?pause, "an import pauses"
        );
        Ok(Next::Again {
            due: self.clock.now() + pause,
            cursor: Some(work.cursor.to_json()?),
            slow: false,
        })
    }

    async fn fail(&self, work: &ImportWork, failure: &ImportFailure, error: &Error) -> Result<()> {
        let project = &work.project;
        tracing::warn!(
            %project, code = failure.code, cause = error.internal, "an import has failed"
        );
        self.store
            .finish_import(&work.worker, project, Some(failure))
            .await?;
        Ok(())
    }

    /// Reads one step from the storage, as the storage is now: one that was deleted, or changed and not
    /// checked since, is not used any more.
    /// `None` when the project has been deleted.
    async fn read(&self, work: &mut ImportWork) -> Result<Option<ImportRead>> {
        let workspace = &work.workspace;
        let Some(project) = self.store.project(workspace, &work.project).await? else {
            return Ok(None);
        };
        let bucket = self
            .storages
            .usable(workspace, &project.storage)
            .await
            .map_err(|error| match error.kind {
                Kind::NotFound => Error::new(
                    Kind::NotFound,
                    "storage_deleted",
                    "The project's storage does not exist any more.",
                ),
                _ => error,
            })?;
        let mut cursor = work.cursor.clone();
        cursor.tries = 0;
        match &work.source {
            ParsedSource::Folder {
                selection,
                on_archived,
            } => {
                let from = match (&cursor.after, cursor.continuation.take()) {
                    (_, Some(token)) => ListFrom::Continuation(token),
                    (Some(after), None) => {
                        let after = FileKey::parse(after).map_err(Error::bug)?;
                        ListFrom::After(bucket.key("key", &after)?)
                    }
                    (None, None) => ListFrom::Beginning,
                };
                let folders = &project.working_folders;
                let page = list_page(
                    self.source(),
                    &bucket,
                    selection,
                    folders,
                    *on_archived,
                    from,
                );
                let page = page.await?;
                refuse_archived(*on_archived, &page.archived.iter().collect::<Vec<_>>())?;
                let skipped = page.skipped();
                let files = cursor.take_page(page);
                let is_idle = files.is_empty() && skipped.total() == 0;
                cursor.idle = if is_idle { cursor.idle + 1 } else { 0 };
                if cursor.idle > MOST_IDLE {
                    return Err(nothing_new());
                }
                if cursor.files > count(manifest::MOST_KEYS) {
                    return Err(too_many());
                }
                Ok(Some(ImportRead {
                    skipped,
                    total: cursor.ended.then_some(cursor.done),
                    files,
                    cursor,
                }))
            }
            ParsedSource::Manifest {
                key,
                etag,
                on_missing,
                on_archived,
            } => {
                let manifest = match &work.manifest {
                    Some(manifest) => manifest,
                    None => {
                        let read = read_manifest(self.source(), &bucket, key, Some(etag));
                        let read = read.await.map_err(manifest_gone)?;
                        // Reading it is no part of the slice: with a long manifest nothing else would be.
                        work.began = self.clock.now();
                        work.manifest.insert(read)
                    }
                };
                let total = manifest.files.len();
                let begin = usize::try_from(cursor.done).map_err(Error::bug)?.min(total);
                let end = total.min(begin + self.pace.step);
                let wanted = &manifest.files[begin..end];
                let keys: Vec<&FileKey> = wanted.iter().map(|file| &file.file_key).collect();
                let found = lookup::look_up(self.source(), &bucket, &keys).await?;
                let SortedOut {
                    mut files,
                    missing,
                    archived,
                } = sort_out(wanted, found, cursor.files, *on_archived);
                let mut skipped = Skipped::default();
                skipped.add(SkipReason::Archived, count(archived.len()));
                refuse_archived(*on_archived, &archived)?;
                match on_missing {
                    OnMissing::Skip => skipped.add(SkipReason::Missing, count(missing.len())),
                    OnMissing::Fail => {
                        cursor.missing += count(missing.len());
                        let room = MISSING_NAMED.saturating_sub(cursor.first_missing.len());
                        let named = missing.iter().take(room).map(|key| key.to_string());
                        cursor.first_missing.extend(named);
                    }
                }
                if cursor.missing > 0 {
                    // It will fail, and continues only to count the missing files.
                    files.clear();
                }
                cursor.files += count(files.len());
                cursor.done = count(end);
                cursor.ended = end == total;
                Ok(Some(ImportRead {
                    files,
                    skipped,
                    cursor,
                    total: Some(count(total)),
                }))
            }
        }
    }
}

fn nothing_new() -> Error {
    Error::new(
        Kind::Upstream,
        "listing_incomplete",
        format!("The store listed {MOST_IDLE} pages after each other without a file that the project takes. The import does not go on."),
    )
    .remedy("Choose a folder with fewer other files.")
}

/// The import goes on at this time, from its last stored step.
fn again(due: OffsetDateTime) -> Next {
    Next::Again {
        due,
        cursor: None,
        slow: false,
    }
}

fn failure_of(error: &Error) -> ImportFailure {
    ImportFailure {
        code: error.code.to_owned(),
        detail: error.detail.clone(),
        cause: error
            .diagnosis
            .as_ref()
            .map(|known| known.cause.code().to_owned()),
        remedy: error.remedy.clone(),
    }
}

fn missing(cursor: &ImportCursor) -> ImportFailure {
    let named = cursor.first_missing.join("`, `");
    let more = cursor.missing - count(cursor.first_missing.len());
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    ImportFailure {
        code: "missing_files".to_owned(),
        detail: format!(
            "{} of {} files are not in the storage: `{named}`{more}.",
            cursor.missing, cursor.done
        ),
        cause: None,
        remedy: None,
    }
}

/// The manifest is not what it was when the project was made.
fn manifest_gone(error: Error) -> Error {
    match error.reason {
        Some(Reason::ConditionFailed | Reason::FileAbsent) => Error::new(
            Kind::Conflict,
            "manifest_changed",
            "The manifest was changed or deleted before the import had ended.",
        ),
        _ => error,
    }
}

fn too_many() -> Error {
    Error::new(
        Kind::Unprocessable,
        "too_many_files",
        format!("A project has at most {} files.", manifest::MOST_KEYS),
    )
}

fn too_slow() -> Error {
    Error::new(
        Kind::UpstreamTimeout,
        "storage_timeout",
        "The storage did not answer in time.",
    )
    .retry_after(Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_goes_on_soon_after_its_worker_died_and_pauses_longer_and_longer() {
        let pace = Pace::default();
        // Workers ask every five seconds.
        assert!(pace.lease + Duration::from_secs(5) <= Duration::from_secs(15));
        let pauses: Vec<u64> = (1..=8)
            .map(|tries| pace.pause_after(tries).as_secs())
            .collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 120, 120]);
    }
}
