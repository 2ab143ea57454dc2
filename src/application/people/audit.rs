//! The audit log: written for every change and every refusal, changed by nobody.
//!
//! A change is written down before it is made ([`AuditLog::begin`]) and again with what came of it
//! ([`AuditLog::record`]), which replaces the first. A process that is killed in between leaves the
//! first; [`AuditLog::recover`] makes an entry of it whose outcome is unknown.

use crate::application::clock::Clock;
use crate::application::codes::OUTCOME_UNKNOWN;
use crate::application::error::{Error, Result};
use crate::application::kept::store::{AuditFilter, Store, Window};
use crate::application::outage;
use crate::application::people::caller::Admin;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{AuditEntry, AuditIntent, AuditResult, AuditedFile, Deed};
use crate::domain::people::subject::SubjectId;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a change under way is noted as such.
pub const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// After how long without such a note its process is taken for dead. Five notes may fail before.
const ABANDONED: Duration = Duration::from_secs(6 * 60);
/// How often abandoned changes are looked for.
const RECOVER_EVERY: Duration = Duration::from_secs(60);
/// How many are recovered in one step.
const BATCH: u32 = 100;

/// A look at a workspace by a key of the product's, or by the operator, is written once in this time for each kind.
const LOOKS_EVERY: Duration = Duration::from_secs(10 * 60);
/// So many kinds of looks are remembered. One that is forgotten is written again.
const MOST_LOOKS: u64 = 50_000;

/// Whose entries a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogReader {
    /// Every workspace's.
    Operator,
    /// Those of the own workspace.
    Admin(Admin),
}

impl LogReader {
    /// `None`: all.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Operator => None,
            Self::Admin(admin) => Some(admin.workspace()),
        }
    }
}

/// The audit log, for those who write to it and read it.
pub struct AuditLog {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Whether reading a file, and a signed URL that reads one, is written too, and every look.
    pub reads: bool,
    looks: Cache<Look, ()>,
}

/// A request by which somebody from outside of a workspace looks at it: a key of the product's, or the operator. Those
/// that are the same here are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Look {
    pub workspace: WorkspaceId,
    /// As in [`Actor::as_str`](crate::domain::people::audit::Actor::as_str).
    pub actor: String,
    pub on_behalf_of: Option<SubjectId>,
    pub action: String,
    pub result: AuditResult,
}

/// What came of a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub result: AuditResult,
    /// The problem's code, where it was refused or failed.
    pub code: Option<String>,
    /// What became of single files where it differs, by their place.
    pub of_files: Vec<(usize, AuditResult, Option<String>)>,
}

impl AuditLog {
    /// `reads`: whether every read of a file and every look is written.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, reads: bool) -> Self {
        Self {
            store,
            clock,
            reads,
            looks: Cache::builder()
                .max_capacity(MOST_LOOKS)
                .time_to_live(LOOKS_EVERY)
                .build(),
        }
    }

    /// Whether this look is written: every one where reads are, and otherwise the first of its kind in ten minutes. So a
    /// product that asks every second writes an entry in ten minutes, and waits for the database as often.
    pub async fn is_to_write(&self, look: Look) -> bool {
        self.reads || self.looks.entry(look).or_insert(()).await.is_fresh()
    }

    /// Lets the next look of this entry's kind be written: this one was not.
    async fn forget_look(&self, entry: &AuditEntry) {
        if let Some(workspace) = &entry.workspace {
            let look = Look {
                workspace: workspace.clone(),
                actor: entry.actor.as_str().to_owned(),
                on_behalf_of: entry.on_behalf_of.clone(),
                action: entry.action.clone(),
                result: entry.result,
            };
            self.looks.invalidate(&look).await;
        }
    }

    /// Newest first, each with its first files.
    pub async fn list(&self, filter: &AuditFilter, window: &Window) -> Result<Vec<AuditEntry>> {
        Ok(self.store.list_audit(filter, window).await?)
    }

    /// Every file of an entry, with its place.
    pub async fn files(
        &self,
        reader: &LogReader,
        entry: &AuditId,
        window: &Window,
    ) -> Result<Vec<(u64, AuditedFile)>> {
        let found = self
            .store
            .list_audit_files(reader.workspace(), entry, window)
            .await?;
        found.ok_or_else(|| Error::not_found("audit event"))
    }

    /// Writes down what is about to be done. Where this fails, it must not be done.
    pub async fn begin(&self, id: Option<AuditId>, deed: &Deed) -> Result<AuditId> {
        let intent = AuditIntent {
            id: id.unwrap_or_else(AuditId::generate),
            begun_at: self.clock.now(),
            deed: deed.clone(),
        };
        self.store.begin_audit(&intent).await?;
        Ok(intent.id)
    }

    /// Notes that a change is still worked on.
    pub async fn touch(&self, intent: &AuditId) {
        let now = self.clock.now();
        if let Err(error) = self.store.touch_audit(intent, now).await {
            tracing::warn!(%error, id = %intent, "a change under way could not be noted as such");
        }
    }

    /// Forgets what was begun: nothing was changed.
    pub async fn discard(&self, intent: &AuditId) {
        if let Err(error) = self.store.discard_audit(intent).await {
            // It becomes an entry whose outcome is unknown: more than there was, never less.
            tracing::warn!(%error, id = %intent, "a change that was none could not be forgotten");
        }
    }

    /// Writes an entry. One that cannot be written goes to the log instead, whole; a change that was
    /// begun leaves its intent, too, and the next look of the same kind is written.
    pub async fn record(&self, deed: Deed, outcome: Outcome, intent: Option<&AuditId>) {
        let entry = self.entry(deed, outcome);
        if let Err(error) = self.store.append_audit(&entry, intent).await {
            self.forget_look(&entry).await;
            let keys: Vec<_> = entry.files.iter().map(|f| f.file.key.to_string()).collect();
            tracing::error!(
                %error,
                id = %entry.id,
                at = %entry.at,
                workspace = entry.workspace.as_ref().map(WorkspaceId::as_str),
                actor = entry.actor.as_str(),
                on_behalf_of = entry.on_behalf_of.as_ref().map(SubjectId::as_str),
                action = entry.action,
                target = entry.target,
                keys = ?keys,
                result = entry.result.as_str(),
                code = entry.code,
                remote_addr = entry.remote_addr,
                request_id = entry.request_id,
                "an audit entry could not be stored"
            );
        }
    }

    /// Recovers what stopped processes have left, until `stop`.
    pub async fn keep_recovering(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.recover().await {
                outage::failed(
                    &error,
                    "cannot look for changes that a stopped process has left",
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECOVER_EVERY) => {}
            }
        }
    }

    /// Makes an entry of each change whose process is gone. Says how many.
    pub async fn recover(&self) -> Result<usize> {
        let mut recovered = 0;
        loop {
            let before = self.clock.now() - ABANDONED;
            let left = self.store.abandoned_audits(before, BATCH).await?;
            let last = left.len() < BATCH as usize;
            for intent in left {
                let outcome = Outcome {
                    result: AuditResult::Failed,
                    code: Some(OUTCOME_UNKNOWN.to_owned()),
                    of_files: Vec::new(),
                };
                let entry = self.entry(intent.deed, outcome);
                let stored = self.store.recover_audit(&intent.id, before, &entry);
                recovered += usize::from(stored.await?);
            }
            if last {
                return Ok(recovered);
            }
        }
    }

    fn entry(&self, deed: Deed, outcome: Outcome) -> AuditEntry {
        let file_count = deed.files.len() as u64;
        let mut files: Vec<AuditedFile> = deed
            .files
            .into_iter()
            .map(|file| AuditedFile {
                file,
                result: outcome.result,
                code: outcome.code.clone(),
            })
            .collect();
        for (at, result, code) in outcome.of_files {
            if let Some(file) = files.get_mut(at) {
                file.result = result;
                file.code = code;
            }
        }
        AuditEntry {
            id: AuditId::generate(),
            at: self.clock.now(),
            workspace: deed.workspace,
            actor: deed.actor,
            actor_name: deed.actor_name,
            on_behalf_of: deed.on_behalf_of,
            action: deed.action,
            target: deed.target,
            result: outcome.result,
            code: outcome.code,
            remote_addr: deed.remote_addr,
            request_id: deed.request_id,
            files,
            file_count,
            signed: deed.signed,
            state: None,
        }
    }
}
