//! Taking a workspace's file: read to its end and kept sealed first, then written in one transaction.
//!
//! So a client that is slow holds no lock of the database, and of a file that is not whole nothing is stored.

use crate::application::error::{Error, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::kept::store::{SecretHash, WorkspaceWriter};
use crate::application::kept::vault::{Vault, sha256};
use crate::application::moving::file::{
    Header, LONGEST_HEADER, LONGEST_LINE, Manifest, Seal, Sealed,
};
use crate::application::moving::moves::{MOST_BYTES, Moves};
use crate::application::moving::refused;
use crate::application::moving::values::{Arriver, Part, SecretsNeeded, Seen};
use crate::domain::ids::WorkspaceId;
use crate::domain::people::export_key::ExportKey;
use crate::domain::people::import_warning::ImportWarning;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// A file on its way in.
pub struct Arriving<'a> {
    moves: &'a Moves,
    /// What its parts are kept under.
    id: String,
    turn: OwnedSemaphorePermit,
    /// The beginning of a line.
    begun: Vec<u8>,
    received: u64,
    state: State,
}

enum State {
    /// Nothing was read.
    Begun,
    Parts(Reading),
    Ended(Whole),
}

/// A file whose first line was read.
struct Reading {
    header: Header,
    workspace: WorkspaceId,
    /// SHA-256 of the first line.
    hash: [u8; 32],
    seals: Arc<Vault>,
    parts: u64,
}

/// A file whose last line was read.
struct Whole {
    reading: Reading,
    manifest: Manifest,
    fingerprint: SecretHash,
}

/// A file that has come as a whole, and whose parts are all as they were written.
pub struct Arrived {
    id: String,
    reading: Reading,
    manifest: Manifest,
    /// Tells this file from others.
    pub fingerprint: SecretHash,
    /// Others wait until it is stored: that takes the memory, and a transaction.
    _turn: OwnedSemaphorePermit,
}

/// What has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    pub workspace: WorkspaceId,
    pub name: String,
    pub export_id: String,
    pub exported_at: String,
    /// How many rows of each table are stored.
    pub rows: BTreeMap<String, u64>,
    /// How many rows of each table were not in the file.
    pub left_out: BTreeMap<String, u64>,
    pub needed: SecretsNeeded,
    pub warnings: Vec<ImportWarning>,
}

impl Moves {
    /// Begins to take a file. Whatever becomes of it, [`forget`](Self::forget) removes what was kept of it.
    pub fn begin_import(&self) -> Result<Arriving<'_>> {
        let turn = self.imports.clone().try_acquire_owned();
        Ok(Arriving {
            moves: self,
            id: Uuid::now_v7().simple().to_string(),
            turn: turn.map_err(|_| refused::busy())?,
            begun: Vec::new(),
            received: 0,
            state: State::Begun,
        })
    }

    /// Stores the workspace of a file, all of it or nothing.
    pub async fn import(
        &self,
        arrived: &Arrived,
        keep: Keep<'_, ImportReport>,
    ) -> Result<ImportReport> {
        let (writer, report) = self.written(arrived).await?;
        let answer = keep.answer(&report)?;
        writer.finish(answer.as_ref()).await?;
        Ok(report)
    }

    /// Says what would be stored, or why it would not be. Stores nothing.
    pub async fn try_import(&self, arrived: &Arrived) -> Result<ImportReport> {
        let (_, report) = self.written(arrived).await?;
        Ok(report)
    }

    /// Removes what was kept of a file.
    pub async fn forget(&self, import: &str) {
        if let Err(error) = self.store.forget_parts(import).await {
            tracing::warn!(%error, "the parts of an import were not removed; the janitor will do it");
        }
    }

    async fn written(&self, arrived: &Arrived) -> Result<(Box<dyn WorkspaceWriter>, ImportReport)> {
        let reading = &arrived.reading;
        let ours = self.principal().await;
        let mut number = 1;
        let mut next = self.part(arrived, number).await?;
        let mut writer = self.store.write_workspace(&reading.workspace).await?;
        let mut arriver = Arriver::new(&self.vault, self.clock.now());
        while let Some(part) = next {
            let rows = arriver.rows(part)?;
            number += 1;
            // Each part is read while the one before it is written: on SQLite others wait for the end.
            let (written, read) = tokio::join!(writer.write(rows), self.part(arrived, number));
            written?;
            next = read?;
        }
        let rows = writer.written()?;
        if rows != arrived.manifest.rows || rows.get("workspaces") != Some(&1) {
            return Err(refused::altered("other numbers of rows than the end says"));
        }
        let Seen {
            name,
            is_suspended,
            built_in_projects,
            needed,
        } = arriver.seen;
        let mut warnings = Vec::new();
        match (&reading.header.service_principal, ours) {
            (Some(theirs), Some(ours)) if *theirs == ours => {}
            (Some(theirs), Some(ours)) => warnings.push(ImportWarning::PrincipalDiffers {
                theirs: theirs.clone(),
                ours,
            }),
            (Some(_), None) | (None, _) => warnings.push(ImportWarning::PrincipalUnknown),
        }
        if built_in_projects > 0 && arrived.manifest.built_in_bucket != self.built_in_bucket() {
            warnings.push(ImportWarning::BuiltInStorage {
                projects: built_in_projects,
            });
        }
        if is_suspended {
            warnings.push(ImportWarning::Suspended);
        }
        let report = ImportReport {
            workspace: reading.workspace.clone(),
            name,
            export_id: reading.header.export_id.clone(),
            exported_at: reading.header.exported_at.clone(),
            rows,
            left_out: arrived.manifest.left_out.clone(),
            needed,
            warnings,
        };
        Ok((writer, report))
    }

    /// A part of a file that was kept, opened. `None`: there are not so many.
    async fn part(&self, arrived: &Arrived, number: u64) -> Result<Option<Part>> {
        let reading = &arrived.reading;
        if number > reading.parts {
            return Ok(None);
        }
        let sealed = self.store.kept_part(&arrived.id, number).await?;
        let sealed = sealed.ok_or_else(|| Error::bug("a part of an import is gone"))?;
        let seal = Seal::of_hash(&reading.seals, reading.hash);
        let plain = seal.open_part(number, &sealed).map_err(refused::altered)?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(refused::altered)
    }

    /// Reads the first line, and finds the key that the others are sealed with.
    fn first_line(&self, line: &[u8]) -> Result<Reading> {
        let header = Header::read(line)?;
        let ours = self.store.schema();
        if header.migrations != ours {
            let last = |migrations: &[i64]| migrations.last().copied().unwrap_or(0);
            return Err(refused::other_schema(last(&header.migrations), last(&ours)));
        }
        let workspace = WorkspaceId::parse(&header.workspace_id)
            .map_err(|invalid| refused::no_export(invalid.detail))?;
        let key = ExportKey::parse(&header.sealed_with)
            .map_err(|invalid| refused::no_export(invalid.detail))?;
        let seals = self.seals(key).ok_or_else(refused::no_key)?;
        let is_ours = seals
            .key_ids()
            .iter()
            .any(|id| id.to_string() == header.key);
        if !is_ours {
            return Err(refused::no_key());
        }
        Ok(Reading {
            header,
            workspace,
            hash: sha256(line),
            seals,
            parts: 0,
        })
    }
}

impl Arriving<'_> {
    /// What its parts are kept under.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Takes the next bytes.
    pub async fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.received += bytes.len() as u64;
        if self.received > MOST_BYTES {
            return Err(refused::too_large(MOST_BYTES));
        }
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend(&rest[..at])?;
            self.line().await?;
            rest = &rest[at + 1..];
        }
        self.extend(rest)
    }

    /// The file has come to its end.
    pub async fn end(mut self) -> Result<Arrived> {
        // The last line was cut off.
        let is_cut = serde_json::from_slice::<IgnoredAny>(&self.begun).is_err();
        if is_cut && !self.begun.is_empty() && matches!(self.state, State::Parts(_)) {
            return Err(refused::incomplete());
        }
        self.line().await?;
        match self.state {
            State::Ended(whole) => Ok(Arrived {
                id: self.id,
                reading: whole.reading,
                manifest: whole.manifest,
                fingerprint: whole.fingerprint,
                _turn: self.turn,
            }),
            State::Begun => Err(refused::no_export("it is empty")),
            State::Parts(_) => Err(refused::incomplete()),
        }
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<()> {
        let longest = match &self.state {
            State::Begun => LONGEST_HEADER,
            State::Parts(_) => LONGEST_LINE,
            State::Ended(_) => 2,
        };
        if self.begun.len() + bytes.len() > longest {
            return Err(match &self.state {
                State::Begun => refused::no_export("its first line is too long"),
                State::Parts(_) => refused::too_large(MOST_BYTES),
                State::Ended(_) => refused::altered("more after its end"),
            });
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    /// Reads the line that has come. Empty ones mean nothing.
    async fn line(&mut self) -> Result<()> {
        let line = std::mem::take(&mut self.begun);
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let reading = match &mut self.state {
            State::Begun => {
                self.state = State::Parts(self.moves.first_line(line)?);
                return Ok(());
            }
            State::Parts(reading) => reading,
            State::Ended(_) => return Err(refused::altered("more after its end")),
        };
        let seal = Seal::of_hash(&reading.seals, reading.hash);
        match Sealed::read(line)? {
            Sealed::Part { number, sealed } => {
                if number != reading.parts + 1 {
                    return Err(refused::altered("a part in another place"));
                }
                seal.open_part(number, &sealed).map_err(refused::altered)?;
                let now = self.moves.clock.now();
                let store = &self.moves.store;
                store.keep_part(&self.id, number, &sealed, now).await?;
                reading.parts = number;
            }
            Sealed::End { parts, sealed } => {
                if parts != reading.parts {
                    return Err(refused::altered("parts are absent"));
                }
                let plain = seal.open_end(parts, &sealed).map_err(refused::altered)?;
                let manifest: Manifest =
                    serde_json::from_slice(&plain).map_err(refused::altered)?;
                let fingerprint = sha256(&[reading.hash.as_slice(), &sealed].concat());
                let State::Parts(reading) = std::mem::replace(&mut self.state, State::Begun) else {
                    return Err(Error::bug("an import without a first line"));
                };
                self.state = State::Ended(Whole {
                    reading,
                    manifest,
                    fingerprint,
                });
            }
        }
        Ok(())
    }
}
