//! Writing a workspace's file, as fast as its reader takes it.

use crate::application::error::{Error, Result};
use crate::application::kept::store::WorkspaceReader;
use crate::application::kept::vault::Vault;
use crate::application::moving::file::{FORMAT, Header, Manifest, Seal};
use crate::application::moving::moves::Moves;
use crate::application::moving::{refused, values};
use crate::application::people::workspaces;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::export_key::ExportKey;
use crate::domain::people::workspace::WorkspaceExternalId;
use crate::domain::rfc3339;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use uuid::Uuid;

/// How many lines wait for the reader.
const LINES_AHEAD: usize = 2;
/// A reader that takes nothing for so long has left. The database keeps the state that is read until the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// An export that takes longer is broken off.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportWish {
    pub sealed_with: ExportKey,
    /// Whether secrets of access keys and webhooks are in the file.
    pub with_secrets: bool,
}

/// A file on its way.
pub struct Export {
    pub workspace: WorkspaceId,
    lines: mpsc::Receiver<Piece>,
    has_ended: bool,
}

enum Piece {
    Line(Bytes),
    /// The last line.
    End(Bytes),
    Failed(Error),
}

impl Export {
    /// The next line. `None`: that was the whole file. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        if self.has_ended {
            return None;
        }
        match self.lines.recv().await {
            Some(Piece::Line(line)) => Some(Ok(line)),
            Some(Piece::End(line)) => {
                self.has_ended = true;
                Some(Ok(line))
            }
            Some(Piece::Failed(error)) => {
                self.has_ended = true;
                Some(Err(error))
            }
            None => {
                self.has_ended = true;
                Some(Err(Error::bug("an export was broken off")))
            }
        }
    }
}

/// Why the writing ended before its end.
enum Stopped {
    /// Nobody reads any more.
    Left,
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Moves {
    /// Begins to write the file of the workspace that has this ID, or that the product knows by it: all of it as it
    /// is at this moment.
    pub async fn export(&self, workspace: &str, wish: ExportWish) -> Result<Export> {
        let id = self.workspace_of(workspace).await?;
        let seals = self
            .seals(wish.sealed_with)
            .ok_or_else(refused::transfer_key_missing)?;
        let turn = self
            .exports
            .clone()
            .try_acquire_owned()
            .map_err(|_| refused::busy())?;
        let service_principal = self.principal().await;
        let reader = self.store.read_workspace(&id).await?;
        let reader = reader.ok_or_else(workspaces::absent)?;
        let header = Header {
            format: FORMAT.to_owned(),
            export_id: Uuid::now_v7().simple().to_string(),
            workspace_id: id.to_string(),
            exported_at: rfc3339::text(self.clock.now()),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            migrations: self.store.schema(),
            sealed_with: wish.sealed_with.as_str().to_owned(),
            key: seals.key_id().to_string(),
            service_principal,
        };
        let writing = Writing {
            reader,
            header: serde_json::to_vec(&header).map_err(Error::bug)?,
            seals,
            vault: self.vault.clone(),
            with_secrets: wish.with_secrets,
            built_in_bucket: self.built_in_bucket(),
        };
        let (sender, lines) = mpsc::channel(LINES_AHEAD);
        tokio::spawn(write(writing, sender, turn));
        Ok(Export {
            workspace: id,
            lines,
            has_ended: false,
        })
    }

    async fn workspace_of(&self, text: &str) -> Result<WorkspaceId> {
        if let Ok(id) = WorkspaceId::parse(text) {
            return Ok(id);
        }
        let found = match WorkspaceExternalId::parse(text) {
            Ok(external) => self.store.workspace_by_external_id(&external).await?,
            Err(_) => None,
        };
        found
            .map(|workspace| workspace.id)
            .ok_or_else(workspaces::absent)
    }
}

/// What is being written.
struct Writing {
    reader: Box<dyn WorkspaceReader>,
    /// The first line, without its end.
    header: Vec<u8>,
    seals: Arc<Vault>,
    /// Opens what the database has encrypted.
    vault: Arc<Vault>,
    with_secrets: bool,
    built_in_bucket: Option<String>,
}

/// Writes the file, in a task of its own: so a reader who stalls cannot keep the database waiting.
async fn write(writing: Writing, lines: mpsc::Sender<Piece>, turn: OwnedSemaphorePermit) {
    let _turn = turn;
    let error = match tokio::time::timeout(LONGEST, writing.lines(&lines)).await {
        Ok(Ok(())) => return,
        Ok(Err(Stopped::Left)) => {
            tracing::info!("an export was broken off, because nobody reads it");
            return;
        }
        Ok(Err(Stopped::Failed(error))) => error,
        Err(_) => Error::bug("an export took too long"),
    };
    tracing::warn!(
        code = error.code,
        cause = error.internal,
        "an export was broken off"
    );
    // Where there is no room for it, the end of the channel says the same.
    let _ = lines.try_send(Piece::Failed(error));
}

impl Writing {
    async fn lines(mut self, lines: &mpsc::Sender<Piece>) -> std::result::Result<(), Stopped> {
        let mut first = self.header.clone();
        first.push(b'\n');
        send(lines, Piece::Line(first.into())).await?;
        let seals = self.seals.clone();
        let seal = Seal::of(&seals, &self.header);
        let mut rows_of: BTreeMap<String, u64> = BTreeMap::new();
        let mut parts = 0;
        while let Some(rows) = self.reader.next().await.map_err(Error::from)? {
            *rows_of.entry(rows.table.clone()).or_default() += rows.rows.len() as u64;
            let part = values::leaving(rows, &self.vault, self.with_secrets)?;
            let plain = serde_json::to_vec(&part).map_err(Error::bug)?;
            parts += 1;
            let line = seal.part(parts, &plain)?.line()?;
            send(lines, Piece::Line(line.into())).await?;
        }
        let manifest = Manifest {
            rows: rows_of,
            left_out: self.reader.stays().clone(),
            built_in_bucket: self.built_in_bucket.take(),
        };
        let plain = serde_json::to_vec(&manifest).map_err(Error::bug)?;
        let line = seal.end(parts, &plain)?.line()?;
        send(lines, Piece::End(line.into())).await
    }
}

async fn send(lines: &mpsc::Sender<Piece>, piece: Piece) -> std::result::Result<(), Stopped> {
    match tokio::time::timeout(PATIENCE, lines.send(piece)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stopped::Left),
    }
}
