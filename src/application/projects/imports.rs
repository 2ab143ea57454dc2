//! Imports of large projects, in the background.
//!
//! An import goes on in steps. A step reads from the storage, and is then stored as a whole with the
//! cursor that says where the next one begins. Whatever stops a worker in between, another one (on any
//! replica) goes on from the last stored step: no file comes twice and none is lost. A worker holds an
//! import by a lease, which it renews while it works; what one does whose lease another has taken is not
//! stored. While others wait, an import works for a slice of time and then goes to the end of the line.
//!
//! While a page of a folder is stored, the next one is asked for. What was read ahead and not stored is read
//! again by whoever goes on.

use crate::application::bucket::port::Bucket;
use crate::application::clock::Clock;
use crate::application::diagnosis::explainer::Explainer;
use crate::application::error::{Error, Kind, Result};
use crate::application::jobs::{Job, Lane, Next};
use crate::application::kept::store::{ClaimedJob, IMPORT, ImportStep, Store, is_of_database};
use crate::application::projects::collected::{count, no_files};
use crate::application::projects::import_steps::{ImportRead, StepRead, StepReader};
use crate::application::projects::reading::Manifest;
use crate::application::projects::source::{ImportCursor, ImportSource, ParsedSource};
use crate::application::projects::source_files::SourceFiles;
use crate::application::storages::Storages;
use crate::domain::ids::{ProjectId, WorkspaceId};
use crate::domain::project::{ImportFailure, Progress};
use async_trait::async_trait;
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// How many imports one workspace has in work, on all replicas together. Each replica has workers for more, so
/// one workspace never has them all.
const MOST_OF_WORKSPACE: u32 = 2;

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
    manifest: Option<Manifest>,
}

#[async_trait]
impl Job for ImportFiles {
    fn kind(&self) -> &'static str {
        IMPORT
    }

    fn lane(&self) -> Lane {
        Lane::Slow
    }

    fn most_of_workspace(&self) -> u32 {
        MOST_OF_WORKSPACE
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
        // The step that was read while the one before was stored: one at most, so memory has two.
        let mut ahead: Option<StepRead> = None;
        loop {
            if work.cursor.ended {
                self.end(work).await?;
                return Ok(Next::Settled);
            }
            if stop.is_cancelled() {
                return Ok(again(self.clock.now()));
            }
            let read = match ahead.take() {
                Some(read) => read,
                None => {
                    if self.others_turn(work).await? {
                        return Ok(again(self.clock.now()));
                    }
                    // Nothing is stored before the step is read, so it can be dropped at any point.
                    let reading = self.in_time(self.read(work));
                    match or_stop(reading, stop).await {
                        Some(read) => read,
                        None => return Ok(again(self.clock.now())),
                    }
                }
            };
            let read = match read {
                Ok(Some(read)) => read,
                // The project has been deleted.
                Ok(None) => return Ok(Next::Settled),
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
            let next = read.cursor.clone();
            let (held, asked) = join(
                self.store_step(work, read),
                self.read_ahead(work, &next, stop),
            )
            .await;
            if !held? {
                // Deleted, or another worker's by now.
                return Ok(Next::Settled);
            }
            work.cursor = next;
            work.stepped = true;
            ahead = asked;
        }
    }

    /// Reads the step behind this cursor while another one is stored. `None`: it is read in its turn.
    async fn read_ahead(
        &self,
        work: &ImportWork,
        cursor: &ImportCursor,
        stop: &CancellationToken,
    ) -> Option<StepRead> {
        // What the next worker would have to read again is not read.
        let is_over = self.clock.now() - work.began >= self.pace.turn;
        let ParsedSource::Folder(source) = &work.source else {
            return None;
        };
        if cursor.ended || is_over {
            return None;
        }
        let reader = self.reader(&work.workspace, &work.project);
        or_stop(self.in_time(reader.page(source, cursor)), stop).await
    }

    /// Reads the step at the cursor.
    async fn read(&self, work: &mut ImportWork) -> StepRead {
        let reader = self.reader(&work.workspace, &work.project);
        match &work.source {
            ParsedSource::Folder(source) => reader.page(source, &work.cursor).await,
            ParsedSource::Manifest(source) => {
                let is_first = work.manifest.is_none();
                let most = self.pace.step;
                let read = reader.keys(source, &mut work.manifest, &work.cursor, most);
                let read = read.await;
                if is_first {
                    // Reading the manifest is no part of the slice: with a long one nothing else would be.
                    work.began = self.clock.now();
                }
                read
            }
        }
    }

    fn reader<'a>(&'a self, workspace: &'a WorkspaceId, project: &'a ProjectId) -> StepReader<'a> {
        StepReader {
            store: self.store.as_ref(),
            storages: &self.storages,
            source: SourceFiles {
                files: self.files.as_ref(),
                explainer: &self.explainer,
            },
            workspace,
            project,
        }
    }

    async fn in_time(&self, reading: impl Future<Output = StepRead>) -> StepRead {
        tokio::time::timeout(self.pace.step_limit, reading)
            .await
            .unwrap_or_else(|_| Err(too_slow()))
    }

    /// Whether others have waited long enough. Every slice has a step at least.
    async fn others_turn(&self, work: &mut ImportWork) -> Result<bool> {
        let now = self.clock.now();
        if !work.stepped || now - work.began < self.pace.turn {
            return Ok(false);
        }
        work.began = now;
        let longest = self.store.longest_due(IMPORT, false, now).await?;
        Ok(longest.is_some())
    }

    /// Stores a step. False when the import is no longer this worker's.
    async fn store_step(&self, work: &ImportWork, read: ImportRead) -> Result<bool> {
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
        let held = self
            .store
            .advance_import(&work.worker, &work.project, &step)
            .await?;
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
}

/// What the work gives, unless the worker has to stop before.
async fn or_stop<T>(work: impl Future<Output = T>, stop: &CancellationToken) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
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
