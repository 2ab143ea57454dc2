//! Exporting the audit log, and removing what has been exported.

use crate::application::clock::Clock;
use crate::application::error::Error;
use crate::application::kept::store::{AuditFilter, Expired, Store, Window};
use crate::application::people::audit::{AuditLog, LogReader};
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::{AuditEntry, AuditedFile};
use crate::domain::people::subject::SubjectId;
use crate::domain::rfc3339;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How many entries are read or removed at once.
const BATCH: u32 = 500;
/// How many entries are read at once to be shipped.
pub const SHIPPED: u32 = 200;
/// Entries younger than this are not exported: one with an earlier time may still be on its way.
const YOUNGEST: Duration = Duration::from_secs(3_600);

pub struct AuditExport {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

/// Why the log was not exported, or not removed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(
        "entries of the last hour cannot be exported, because some may still be on their way. Choose an earlier time"
    )]
    TooYoung,
    #[error("the export cannot be written: {0}. Nothing was removed")]
    Write(#[from] io::Error),
    #[error(transparent)]
    Failed(#[from] Error),
}

impl AuditExport {
    /// Refuses a time that is too late to export everything from before it.
    pub fn refuse_too_young(&self, before: OffsetDateTime) -> Result<(), ExportError> {
        match before > self.clock.now() - YOUNGEST {
            true => Err(ExportError::TooYoung),
            false => Ok(()),
        }
    }

    /// Writes every entry from before `before` as a line of JSON, oldest first. Returns how many.
    pub async fn write(
        &self,
        before: OffsetDateTime,
        out: &mut (impl Write + Send),
    ) -> Result<u64, ExportError> {
        self.refuse_too_young(before)?;
        let (mut written, mut after) = (0, None::<AuditId>);
        loop {
            let batch = self.store.audit_before(before, after.as_ref(), BATCH);
            let batch = batch.await.map_err(Error::from)?;
            let Some(last) = batch.last() else {
                out.flush()?;
                return Ok(written);
            };
            after = Some(last.id.clone());
            for entry in &batch {
                writeln!(out, "{}", line(entry))?;
                written += 1;
            }
        }
    }

    /// Records that everything from before `before` is exported and safe: from now on it may be removed.
    pub async fn record(&self, before: OffsetDateTime, entries: u64) -> Result<(), ExportError> {
        let now = self.clock.now();
        let recorded = self.store.record_audit_export(before, now, entries);
        Ok(recorded.await.map_err(Error::from)?)
    }

    /// Removes what has been exported from before `before`. Returns how many entries.
    pub async fn remove(&self, before: OffsetDateTime) -> Result<u64, ExportError> {
        let mut removed = 0;
        loop {
            let batch = self
                .store
                .remove_expired(Expired::AuditEntries, before, BATCH);
            let batch = batch.await.map_err(Error::from)?;
            removed += batch;
            if batch < u64::from(BATCH) {
                return Ok(removed);
            }
        }
    }
}

/// A part of an export.
pub struct ExportedPart {
    /// Lines of JSON, newest first.
    pub lines: Vec<u8>,
    /// The last entry in it. `None`: there are no more.
    pub last: Option<String>,
}

impl AuditLog {
    /// The entries after `after`, at most some hundreds, as [`AuditExport::write`] writes them. Each has all of
    /// its files.
    pub async fn export(
        &self,
        reader: &LogReader,
        filter: &AuditFilter,
        after: Option<String>,
    ) -> Result<ExportedPart, Error> {
        let window = Window {
            after,
            limit: BATCH,
        };
        let mut lines = Vec::new();
        let mut last = None;
        for mut entry in self.list(filter, &window).await? {
            if entry.file_count > entry.files.len() as u64 {
                entry.files = self.all_files(reader, &entry.id).await?;
            }
            serde_json::to_writer(&mut lines, &line(&entry)).map_err(Error::bug)?;
            lines.push(b'\n');
            last = Some(entry.id.to_string());
        }
        Ok(ExportedPart { lines, last })
    }

    /// Entries oldest first, those after `after`, at most [`SHIPPED`]. Each has its first files.
    pub async fn oldest_first(
        &self,
        filter: &AuditFilter,
        after: Option<String>,
    ) -> Result<Vec<AuditEntry>, Error> {
        let window = Window {
            after,
            limit: SHIPPED,
        };
        Ok(self.store.list_audit_oldest_first(filter, &window).await?)
    }

    /// The entry of a list with all of its files; where the list is that of one file, with that.
    pub async fn with_files(
        &self,
        reader: &LogReader,
        filter: &AuditFilter,
        mut entry: AuditEntry,
    ) -> Result<AuditEntry, Error> {
        if filter.key.is_none() && entry.file_count > entry.files.len() as u64 {
            entry.files = self.all_files(reader, &entry.id).await?;
        }
        Ok(entry)
    }

    async fn all_files(
        &self,
        reader: &LogReader,
        entry: &AuditId,
    ) -> Result<Vec<AuditedFile>, Error> {
        let mut files = Vec::new();
        let mut after = None;
        loop {
            let window = Window {
                after,
                limit: BATCH,
            };
            let part = self.files(reader, entry, &window).await?;
            let Some((position, _)) = part.last() else {
                return Ok(files);
            };
            after = Some(position.to_string());
            files.extend(part.into_iter().map(|(_, file)| file));
        }
    }
}

/// The entry with the names that the API has. It is taken apart whole, so the compiler names a field that is
/// forgotten here.
fn line(entry: &AuditEntry) -> Value {
    let AuditEntry {
        id,
        at,
        workspace,
        actor,
        actor_name,
        on_behalf_of,
        action,
        target,
        result,
        code,
        remote_addr,
        request_id,
        files,
        file_count: _,
        signed,
        state,
    } = entry;
    let until = signed.as_ref().and_then(|signed| signed.until);
    let files: Vec<Value> = files
        .iter()
        .map(|audited| {
            json!({
                "file_key": audited.file.key.to_string(),
                "part": audited.file.part.as_str(),
                "version_id": audited.file.version_id,
                "result": audited.result.as_str(),
                "code": audited.code,
            })
        })
        .collect();
    json!({
        "id": id.as_str(),
        "at": rfc3339::text(*at),
        "workspace_id": workspace.as_ref().map(WorkspaceId::as_str),
        "actor": actor.as_str(),
        "actor_name": actor_name.as_ref().map(Name::as_str),
        "on_behalf_of": on_behalf_of.as_ref().map(SubjectId::as_str),
        "action": action,
        "target": target,
        "result": result.as_str(),
        "code": code,
        "remote_addr": remote_addr,
        "request_id": request_id,
        "files": files,
        "signed_method": signed.as_ref().map(|signed| signed.method.as_str()),
        "signed_until": until.map(rfc3339::text),
        "state_before": state.as_ref().map(|state| &state.before),
        "state_after": state.as_ref().map(|state| &state.after),
    })
}
