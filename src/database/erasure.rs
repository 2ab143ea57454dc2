//! Deleting a workspace, and erasing it: then the audit log keeps what was done, and loses what names a person.

use crate::application::kept::store::{
    ErasedWorkspace, StoreError, StoreResult, WorkspaceContents,
};
use crate::application::kept::vault::{random_bytes, sha256};
use crate::database::Database;
use crate::database::engine::{Sql, Tx, Value, values};
use crate::database::placeholders::placeholders;
use crate::database::record::Record;
use crate::domain::ids::WorkspaceId;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many entries of the audit log one transaction changes. Each may have 10,000 files.
const ENTRIES_AT_ONCE: u32 = 100;
/// What the ID of a person begins with after an erasure. The database's own triggers know it, too.
const PSEUDONYM: &str = "erased-";

/// Deletes the workspace, and then its events: a transaction that writes one holds a row that the deletion waits for.
pub(super) async fn delete(tx: &mut Tx, id: &WorkspaceId) -> StoreResult<bool> {
    let deleted = tx
        .execute("DELETE FROM workspaces WHERE id = $1", values![id.as_str()])
        .await?;
    tx.execute(
        "DELETE FROM events WHERE workspace_id = $1",
        values![id.as_str()],
    )
    .await?;
    Ok(deleted == 1)
}

/// Deletes the workspace, if it is there, and takes from the audit log what names a person.
pub(super) async fn erase(
    database: &Database,
    id: &WorkspaceId,
    now: OffsetDateTime,
) -> StoreResult<Option<ErasedWorkspace>> {
    let Some(contents) = begin(database, id, now).await? else {
        return Ok(None);
    };
    let mut erased = ErasedWorkspace {
        contents,
        audit_entries: 0,
        audit_files: 0,
    };
    // Nobody keeps it: the same person has the same pseudonym, and nobody finds out whose it is.
    let salt = random()?;
    let mut after = String::new();
    loop {
        let entries = entries_after(database, id, &after).await?;
        let Some(last) = entries.last() else {
            break;
        };
        after.clone_from(&last.id);
        let mut tx = database.begin().await?;
        erased.audit_entries += pseudonymise(&mut tx, &entries, &salt).await?;
        erased.audit_files += forget_files(&mut tx, &entries).await?;
        tx.commit().await?;
    }
    database
        .execute(
            "UPDATE erasures SET ended_at = $2 WHERE workspace_id = $1",
            values![id.as_str(), now],
        )
        .await?;
    forget_old_pages(database).await;
    Ok(Some(erased))
}

/// Deletes the workspace and notes that it is erased, in one transaction. `None`: there is nothing left of it, or
/// nothing ever was.
async fn begin(
    database: &Database,
    id: &WorkspaceId,
    now: OffsetDateTime,
) -> StoreResult<Option<WorkspaceContents>> {
    let mut tx = database.begin().await?;
    let contents = contents(&mut tx, id).await?;
    if contents.is_none() && !has_traces(&mut tx, id).await? {
        return Ok(None);
    }
    let kept_answers = tx
        .execute(
            "DELETE FROM idempotency_keys WHERE scope LIKE $1",
            values![format!("%{id}%")],
        )
        .await?;
    delete(&mut tx, id).await?;
    // Of requests that are under way: what they leave becomes an entry. That of the erasure itself stays.
    tx.execute(
        "UPDATE audit_intents
         SET remote_addr = NULL, actor_name = NULL, on_behalf_of = NULL, files = '[]'
         WHERE workspace_id = $1 AND action <> 'delete_workspace'",
        values![id.as_str()],
    )
    .await?;
    tx.execute(
        "INSERT INTO erasures (workspace_id, begun_at) VALUES ($1, $2)
         ON CONFLICT (workspace_id) DO NOTHING",
        values![id.as_str(), now],
    )
    .await?;
    tx.commit().await?;
    Ok(Some(WorkspaceContents {
        kept_answers,
        ..contents.unwrap_or_default()
    }))
}

/// How much the workspace has, but for kept answers. `None`: there is no such workspace.
async fn contents(tx: &mut Tx, id: &WorkspaceId) -> StoreResult<Option<WorkspaceContents>> {
    let counted = tx
        .fetch_optional(
            "SELECT w.id,
                 (SELECT COUNT(*) FROM api_tokens WHERE workspace_id = $1) AS tokens,
                 (SELECT COUNT(*) FROM sessions WHERE workspace_id = $1) AS sessions,
                 (SELECT COUNT(*) FROM sign_in_links WHERE workspace_id = $1) AS sign_in_links,
                 (SELECT COUNT(*) FROM instruction_links WHERE workspace_id = $1) AS instruction_links,
                 (SELECT COUNT(*) FROM setups WHERE workspace_id = $1) AS setups,
                 (SELECT COUNT(*) FROM storages WHERE workspace_id = $1) AS storages,
                 (SELECT COUNT(*) FROM projects WHERE workspace_id = $1) AS projects,
                 (SELECT COUNT(*) FROM project_files WHERE project_id IN
                     (SELECT id FROM projects WHERE workspace_id = $1)) AS files,
                 (SELECT COUNT(*) FROM webhooks WHERE workspace_id = $1) AS webhooks,
                 (SELECT COUNT(*) FROM events WHERE workspace_id = $1) AS events,
                 (SELECT COUNT(*) FROM usage_days WHERE workspace_id = $1) AS usage_days
             FROM workspaces w WHERE w.id = $1",
            values![id.as_str()],
        )
        .await?;
    let Some(row) = counted else {
        return Ok(None);
    };
    let record = Record::new("workspaces", row)?;
    let sign_in_links: u64 = record.number("sign_in_links")?;
    let instruction_links: u64 = record.number("instruction_links")?;
    Ok(Some(WorkspaceContents {
        tokens: record.number("tokens")?,
        sessions: record.number("sessions")?,
        storage_setups: record.number("setups")?,
        storages: record.number("storages")?,
        projects: record.number("projects")?,
        project_files: record.number("files")?,
        links: sign_in_links + instruction_links,
        webhooks: record.number("webhooks")?,
        events: record.number("events")?,
        kept_answers: 0,
        usage_days: record.number("usage_days")?,
    }))
}

/// Whether a workspace that is not there has entries in the audit log, and its erasure has not come to its end.
async fn has_traces(tx: &mut Tx, id: &WorkspaceId) -> StoreResult<bool> {
    let entry = tx
        .fetch_optional(
            "SELECT id FROM audit_log WHERE workspace_id = $1
                 AND NOT EXISTS (SELECT 1 FROM erasures
                                 WHERE workspace_id = $1 AND ended_at IS NOT NULL)
             ORDER BY id LIMIT 1",
            values![id.as_str()],
        )
        .await?;
    Ok(entry.is_some())
}

/// What an entry of the audit log has that names a person.
struct Naming {
    id: String,
    has_address_or_name: bool,
    on_behalf_of: Option<String>,
    has_files: bool,
}

async fn entries_after(
    database: &Database,
    id: &WorkspaceId,
    after: &str,
) -> StoreResult<Vec<Naming>> {
    database
        .fetch_records(
            "audit_log",
            "SELECT id, remote_addr, actor_name, on_behalf_of, file_count FROM audit_log
             WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            values![id.as_str(), after, ENTRIES_AT_ONCE],
            |record| {
                let has_address = record.text_opt("remote_addr")?.is_some();
                let has_name = record.text_opt("actor_name")?.is_some();
                Ok(Naming {
                    id: record.text("id")?,
                    has_address_or_name: has_address || has_name,
                    on_behalf_of: record.text_opt("on_behalf_of")?,
                    has_files: record.int_opt("file_count")?.is_some(),
                })
            },
        )
        .await
}

/// Says how many entries were changed.
async fn pseudonymise(tx: &mut Tx, entries: &[Naming], salt: &[u8; 32]) -> StoreResult<u64> {
    let mut by_pseudonym: BTreeMap<Option<String>, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        let named = entry.on_behalf_of.as_deref();
        let is_named = named.is_some_and(|person| !person.starts_with(PSEUDONYM));
        if entry.has_address_or_name || is_named {
            let pseudonym = named.map(|person| pseudonym(person, salt));
            by_pseudonym.entry(pseudonym).or_default().push(&entry.id);
        }
    }
    let mut changed = 0;
    for (pseudonym, ids) in by_pseudonym {
        let sql = format!(
            "UPDATE audit_log SET remote_addr = NULL, actor_name = NULL, on_behalf_of = $1
             WHERE id IN ({})",
            placeholders(2, ids.len())
        );
        let values =
            std::iter::once(Value::from(pseudonym)).chain(ids.into_iter().map(Value::from));
        changed += tx.execute(Sql::Built(sql), values.collect()).await?;
    }
    Ok(changed)
}

/// What takes the place of a person's ID. One that is a pseudonym already stays.
fn pseudonym(person: &str, salt: &[u8; 32]) -> String {
    if person.starts_with(PSEUDONYM) {
        return person.to_owned();
    }
    let hash = sha256(&[salt.as_slice(), person.as_bytes()].concat());
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    format!("{PSEUDONYM}{}", Uuid::from_bytes(half).simple())
}

/// Takes the names of files from the entries. Says how many.
async fn forget_files(tx: &mut Tx, entries: &[Naming]) -> StoreResult<u64> {
    let with_files = entries.iter().filter(|entry| entry.has_files);
    let ids: Vec<Value> = with_files
        .map(|entry| Value::from(entry.id.as_str()))
        .collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "UPDATE audit_files SET file_key = '/erased', version_id = NULL
         WHERE file_key <> '/erased' AND entry_id IN ({})",
        placeholders(1, ids.len())
    );
    tx.execute(Sql::Built(sql), ids).await
}

fn random() -> StoreResult<[u8; 32]> {
    random_bytes().map_err(|error| StoreError::Failed(error.to_string()))
}

/// Empties SQLite's write-ahead log, which still has pages as they were. PostgreSQL does so by itself, in its
/// vacuum. A reader who is in the way leaves it to the next time.
async fn forget_old_pages(database: &Database) {
    let emptied = database
        .fetch_by_writer(
            Sql::Each {
                sqlite: "PRAGMA wal_checkpoint(TRUNCATE)",
                postgres: "SELECT CAST(0 AS BIGINT) AS busy",
            },
            values![],
        )
        .await;
    let was_busy = emptied.and_then(|rows| match rows.into_iter().next() {
        Some(row) => Record::named("wal_checkpoint".to_owned(), row).int_opt("busy"),
        None => Ok(None),
    });
    match was_busy {
        Ok(None | Some(0)) => {}
        Ok(Some(_)) => tracing::info!(
            "SQLite's write-ahead log is in use and was not emptied: it has pages as they were until it is"
        ),
        Err(error) => tracing::warn!(%error, "SQLite's write-ahead log was not emptied"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_keeps_one_pseudonym_within_an_erasure_and_no_other_has_it() {
        let (salt, other) = ([1; 32], [2; 32]);
        let first = pseudonym("user-1", &salt);
        assert!(first.starts_with(PSEUDONYM) && first.len() == PSEUDONYM.len() + 32);
        assert_eq!(pseudonym("user-1", &salt), first);
        assert_ne!(pseudonym("user-2", &salt), first);
        assert_ne!(pseudonym("user-1", &other), first);
        assert_eq!(pseudonym(&first, &other), first);
    }
}
