//! Entries, their files and intents, as rows.

use crate::application::kept::store::{StoreError, StoreResult};
use crate::database::engine::{Value, values};
use crate::database::record::{Record, stored_name};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::names::Name;
use crate::domain::people::audit::{
    Actor, AuditEntry, AuditIntent, AuditResult, AuditedFile, Deed, FilePart, NamedFile,
    SignedUrls, StateChange,
};
use crate::domain::people::subject::SubjectId;
use serde::{Deserialize, Serialize};

/// A file of an intent, as its JSON has it.
#[derive(Serialize, Deserialize)]
struct IntentFile {
    key: String,
    part: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
}

pub(super) fn row(entry: &AuditEntry) -> (&'static str, Vec<Value>) {
    let signed = entry.signed.as_ref();
    let state = entry.state.as_ref();
    let count = i64::try_from(entry.file_count)
        .ok()
        .filter(|count| *count > 0);
    (
        "INSERT INTO audit_log (id, occurred_at, workspace_id, actor, action, target, result, code,
             remote_addr, request_id, file_count, signed_method, signed_until, state_before, state_after,
             actor_name, on_behalf_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        values![
            entry.id.as_str(),
            entry.at,
            entry.workspace.as_ref().map(|v| v.as_str()),
            entry.actor.as_str(),
            entry.action.as_str(),
            entry.target.as_deref(),
            entry.result.as_str(),
            entry.code.as_deref(),
            entry.remote_addr.as_deref(),
            entry.request_id.as_deref(),
            count,
            signed.map(|signed| signed.method.as_str()),
            signed.and_then(|signed| signed.until),
            state.map(|state| state.before.as_str()),
            state.map(|state| state.after.as_str()),
            entry.actor_name.as_ref().map(Name::as_str),
            entry.on_behalf_of.as_ref().map(SubjectId::as_str),
        ],
    )
}

pub(super) fn files_json(files: &[NamedFile]) -> StoreResult<String> {
    let files: Vec<IntentFile> = files
        .iter()
        .map(|file| IntentFile {
            key: file.key.to_string(),
            part: file.part.as_str().to_owned(),
            version_id: file.version_id.clone(),
        })
        .collect();
    serde_json::to_string(&files).map_err(|error| StoreError::Failed(error.to_string()))
}

pub(super) fn entry(record: &Record) -> StoreResult<AuditEntry> {
    Ok(AuditEntry {
        id: record.parse("id", AuditId::parse)?,
        at: record.time("occurred_at")?,
        workspace: record.parse_opt("workspace_id", WorkspaceId::parse)?,
        actor: record.parse("actor", Actor::parse)?,
        actor_name: record.parse_opt("actor_name", stored_name)?,
        on_behalf_of: record.parse_opt("on_behalf_of", SubjectId::parse)?,
        action: record.text("action")?,
        target: record.text_opt("target")?,
        result: record.parse("result", AuditResult::parse)?,
        code: record.text_opt("code")?,
        remote_addr: record.text_opt("remote_addr")?,
        request_id: record.text_opt("request_id")?,
        files: Vec::new(),
        file_count: match record.int_opt("file_count")? {
            None => 0,
            Some(count) => {
                u64::try_from(count).map_err(|error| record.damaged("file_count", error))?
            }
        },
        signed: match record.text_opt("signed_method")? {
            None => None,
            Some(method) => Some(SignedUrls {
                method,
                until: record.time_opt("signed_until")?,
            }),
        },
        state: match (
            record.text_opt("state_before")?,
            record.text_opt("state_after")?,
        ) {
            (Some(before), Some(after)) => Some(StateChange { before, after }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(record.damaged("state_after", "one of two states is absent"));
            }
        },
    })
}

pub(super) fn file(record: &Record) -> StoreResult<AuditedFile> {
    Ok(AuditedFile {
        file: NamedFile {
            key: record.parse("file_key", FileKey::parse)?,
            part: record.parse("part", FilePart::parse)?,
            version_id: record.text_opt("version_id")?,
        },
        result: record.parse("result", AuditResult::parse)?,
        code: record.text_opt("code")?,
    })
}

pub(super) fn intent(record: &Record) -> StoreResult<AuditIntent> {
    let files: Vec<IntentFile> = record.parse("files", |text| serde_json::from_str(text))?;
    let files = files.into_iter().map(|file| {
        Ok(NamedFile {
            key: FileKey::parse(&file.key).map_err(|error| record.damaged("files", error))?,
            part: FilePart::parse(&file.part).map_err(|error| record.damaged("files", error))?,
            version_id: file.version_id,
        })
    });
    Ok(AuditIntent {
        id: record.parse("id", AuditId::parse)?,
        begun_at: record.time("begun_at")?,
        deed: Deed {
            workspace: record.parse_opt("workspace_id", WorkspaceId::parse)?,
            actor: record.parse("actor", Actor::parse)?,
            actor_name: record.parse_opt("actor_name", stored_name)?,
            on_behalf_of: record.parse_opt("on_behalf_of", SubjectId::parse)?,
            action: record.text("action")?,
            target: record.text_opt("target")?,
            remote_addr: record.text_opt("remote_addr")?,
            request_id: record.text_opt("request_id")?,
            files: files.collect::<StoreResult<_>>()?,
            signed: record.text_opt("signed_method")?.map(|method| SignedUrls {
                method,
                until: None,
            }),
        },
    })
}
