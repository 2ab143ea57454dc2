//! Rows as a part of the file has them. What the database has encrypted is opened on its way out, and encrypted with the
//! present master key on its way in: the part itself is sealed.

use crate::application::error::{Error, Result};
use crate::application::events::signature::new_secret;
use crate::application::kept::rekey::purpose;
use crate::application::kept::store::{Cell, MovedRows, SealedColumn, sealed_place};
use crate::application::kept::vault::{LOST, Vault};
use crate::application::moving::refused;
use crate::domain::cause::bucket::credentials_lost::CREDENTIALS_LOST;
use crate::domain::storage::HealthState;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Rows of one table, as JSON. Texts, numbers and null are themselves; bytes are `{"bytes": …}` in base64; what was
/// encrypted is `{"secret": …}`, or `{"lost": true}` where nobody can read it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// What has to be entered or made again, because the file does not have it. IDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsNeeded {
    pub storages: Vec<String>,
    /// Storages whose waiting change has an access key.
    pub pending_changes: Vec<String>,
    pub storage_setups: Vec<String>,
    pub webhooks: Vec<String>,
}

/// What was seen of the workspace on its way in.
#[derive(Debug, Default)]
pub struct Seen {
    pub name: String,
    pub is_suspended: bool,
    /// Projects of the built-in storage.
    pub built_in_projects: u64,
    pub needed: SecretsNeeded,
}

/// A column with ciphertexts among a table's columns.
struct SealedAt {
    column: SealedColumn,
    at: usize,
    bound_to: usize,
}

fn sealed_in(table: &str, columns: &[String]) -> Option<Vec<SealedAt>> {
    let own = SealedColumn::ALL.into_iter().filter_map(|column| {
        let place = sealed_place(column)?;
        (place.table == table).then_some((column, place))
    });
    own.map(|(column, place)| {
        Some(SealedAt {
            column,
            at: at(columns, place.column)?,
            bound_to: at(columns, place.bound_to)?,
        })
    })
    .collect()
}

fn at(columns: &[String], name: &str) -> Option<usize> {
    columns.iter().position(|column| column == name)
}

/// Rows on their way out. `with_secrets`: whether what the database has encrypted goes with them.
pub fn leaving(rows: MovedRows, vault: &Vault, with_secrets: bool) -> Result<Part> {
    let sealed = sealed_in(&rows.table, &rows.columns)
        .ok_or_else(|| Error::bug(format!("{} lacks a sealed column", rows.table)))?;
    let written = rows.rows.into_iter().map(|row| {
        let secrets: Vec<Option<Value>> = sealed
            .iter()
            .map(|place| secret(&row, place, vault, with_secrets))
            .collect();
        let mut values: Vec<Value> = row.into_iter().map(plain).collect();
        for (place, secret) in sealed.iter().zip(secrets) {
            if let (Some(value), Some(secret)) = (values.get_mut(place.at), secret) {
                *value = secret;
            }
        }
        values
    });
    Ok(Part {
        rows: written.collect(),
        table: rows.table,
        columns: rows.columns,
    })
}

fn plain(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => number.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => json!({"bytes": STANDARD.encode(bytes)}),
    }
}

/// What stands in the place of a ciphertext. `None`: there is none.
fn secret(row: &[Cell], place: &SealedAt, vault: &Vault, with_secrets: bool) -> Option<Value> {
    let Some(Cell::Bytes(sealed)) = row.get(place.at) else {
        return None;
    };
    let opened = match row.get(place.bound_to) {
        Some(Cell::Text(bound_to)) if with_secrets => vault
            .open(purpose(place.column), bound_to.as_bytes(), sealed)
            .ok()
            .filter(|plain| plain != LOST),
        Some(_) | None => None,
    };
    Some(match opened {
        Some(plain) => json!({"secret": STANDARD.encode(plain)}),
        None => json!({"lost": true}),
    })
}

/// Rows on their way in.
pub struct Arriver<'a> {
    vault: &'a Vault,
    now: OffsetDateTime,
    pub seen: Seen,
}

impl<'a> Arriver<'a> {
    pub fn new(vault: &'a Vault, now: OffsetDateTime) -> Self {
        Self {
            vault,
            now,
            seen: Seen::default(),
        }
    }

    pub fn rows(&mut self, part: Part) -> Result<MovedRows> {
        let sealed = sealed_in(&part.table, &part.columns)
            .ok_or_else(|| refused::altered("a sealed column is absent"))?;
        let mut rows = Vec::with_capacity(part.rows.len());
        for values in part.rows {
            if values.len() != part.columns.len() {
                return Err(refused::altered("a row without some of its columns"));
            }
            rows.push(self.row(&part.table, &part.columns, &sealed, values)?);
        }
        Ok(MovedRows {
            table: part.table,
            columns: part.columns,
            rows,
        })
    }

    fn row(
        &mut self,
        table: &str,
        columns: &[String],
        sealed: &[SealedAt],
        values: Vec<Value>,
    ) -> Result<Vec<Cell>> {
        let mut secrets = Vec::new();
        let mut cells = Vec::with_capacity(values.len());
        for (at, value) in values.into_iter().enumerate() {
            match sealed.iter().find(|place| place.at == at) {
                Some(place) => {
                    secrets.push((place, value));
                    cells.push(Cell::Null);
                }
                None => cells.push(read(value)?),
            }
        }
        let mut row = Row { columns, cells };
        self.settle(table, &mut row)?;
        for (place, value) in secrets {
            self.secret(&mut row, place, value)?;
        }
        Ok(row.cells)
    }

    /// What was true of the other database only: who works on a job, and what checks have found. A quarantine stays
    /// with what it says, because nothing else keeps the storage from being used.
    fn settle(&mut self, table: &str, row: &mut Row<'_>) -> Result<()> {
        match table {
            "workspaces" => {
                self.seen.name = row.text("name")?.to_owned();
                self.seen.is_suspended = !row.is_null("suspended_at")?;
            }
            "projects" if row.is_null("storage_id")? => self.seen.built_in_projects += 1,
            "jobs" => {
                row.set("worker", Cell::Null)?;
                row.set("lease_until", Cell::Int(0))?;
            }
            "storages" => {
                let now = micros(self.now);
                // The trigger that makes the job of its checks takes this time.
                row.set("next_check_at", now.clone())?;
                if row.is_null("quarantined_at")? {
                    let unknown = HealthState::Unknown.as_str().to_owned();
                    row.set("health", Cell::Text(unknown))?;
                    row.set("health_since", now)?;
                    for column in [
                        "health_code",
                        "health_as_of",
                        "health_check_id",
                        "first_bad_check_id",
                    ] {
                        row.set(column, Cell::Null)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a secret in its place, sealed with the present key. One that the file does not have is dealt with as after
    /// the loss of a master key.
    fn secret(&mut self, row: &mut Row<'_>, place: &SealedAt, value: Value) -> Result<()> {
        let plain = match value {
            Value::Null => return Ok(()),
            Value::Object(member) => match one(member)? {
                (name, Value::String(text)) if name == "secret" => Some(decoded(&text)?),
                (name, Value::Bool(true)) if name == "lost" => None,
                _ => return Err(refused::altered("a secret in no form of ours")),
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(refused::altered("a secret in no form of ours"));
            }
        };
        let bound_to = match row.cells.get(place.bound_to) {
            Some(Cell::Text(text)) => text.clone(),
            Some(Cell::Null | Cell::Int(_) | Cell::Bytes(_)) | None => {
                return Err(refused::altered("a secret that is bound to nothing"));
            }
        };
        let seal = |plain: &[u8]| {
            let sealed = self
                .vault
                .seal(purpose(place.column), bound_to.as_bytes(), plain)?;
            Ok::<Cell, Error>(Cell::Bytes(sealed))
        };
        let sealed = match (plain, place.column) {
            (Some(plain), _) => seal(&plain)?,
            (None, SealedColumn::SetupSecrets) => {
                if row.text("status")? == "open" {
                    self.seen.needed.storage_setups.push(bound_to);
                }
                Cell::Null
            }
            (None, SealedColumn::StorageSecrets) => {
                let broken = HealthState::Broken.as_str().to_owned();
                let now = micros(self.now);
                row.set("health", Cell::Text(broken))?;
                row.set("health_code", Cell::Text(CREDENTIALS_LOST.to_owned()))?;
                row.set("health_since", now.clone())?;
                row.set("health_as_of", now)?;
                let sealed = seal(LOST)?;
                let id = row.text("id")?.to_owned();
                self.seen.needed.storages.push(id);
                sealed
            }
            (None, SealedColumn::PendingSecrets) => {
                let sealed = seal(LOST)?;
                let id = row.text("storage_id")?.to_owned();
                self.seen.needed.pending_changes.push(id);
                sealed
            }
            // Nobody has the secret that takes its place.
            (None, SealedColumn::WebhookSecrets) => {
                row.set("is_enabled", Cell::Int(0))?;
                let sealed = seal(new_secret()?.expose_secret().as_bytes())?;
                self.seen.needed.webhooks.push(bound_to);
                sealed
            }
            (None, SealedColumn::PreviousWebhookSecrets) => {
                row.set("previous_until", Cell::Null)?;
                Cell::Null
            }
            (None, SealedColumn::IdempotentAnswers) => {
                return Err(refused::altered("a kept answer"));
            }
        };
        match row.cells.get_mut(place.at) {
            Some(cell) => *cell = sealed,
            None => return Err(refused::altered("a row without some of its columns")),
        }
        Ok(())
    }
}

/// A row by the names of its columns.
struct Row<'a> {
    columns: &'a [String],
    cells: Vec<Cell>,
}

impl Row<'_> {
    fn get(&self, name: &str) -> Result<&Cell> {
        at(self.columns, name)
            .and_then(|at| self.cells.get(at))
            .ok_or_else(|| refused::altered(format!("no column {name}")))
    }

    fn set(&mut self, name: &str, value: Cell) -> Result<()> {
        let cell = at(self.columns, name).and_then(|at| self.cells.get_mut(at));
        *cell.ok_or_else(|| refused::altered(format!("no column {name}")))? = value;
        Ok(())
    }

    fn text(&self, name: &str) -> Result<&str> {
        match self.get(name)? {
            Cell::Text(text) => Ok(text),
            Cell::Null | Cell::Int(_) | Cell::Bytes(_) => {
                Err(refused::altered(format!("no text in {name}")))
            }
        }
    }

    fn is_null(&self, name: &str) -> Result<bool> {
        Ok(*self.get(name)? == Cell::Null)
    }
}

fn read(value: Value) -> Result<Cell> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::String(text) => Ok(Cell::Text(text)),
        Value::Number(number) => number
            .as_i64()
            .map(Cell::Int)
            .ok_or_else(|| refused::altered("a number that no column has")),
        Value::Object(member) => match one(member)? {
            (name, Value::String(text)) if name == "bytes" => decoded(&text).map(Cell::Bytes),
            _ => Err(refused::altered("a value in no form of ours")),
        },
        Value::Bool(_) | Value::Array(_) => Err(refused::altered("a value in no form of ours")),
    }
}

/// The only member of an object.
fn one(member: serde_json::Map<String, Value>) -> Result<(String, Value)> {
    let mut members = member.into_iter();
    match (members.next(), members.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) | (None, _) => Err(refused::altered("a value in no form of ours")),
    }
}

fn decoded(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(refused::altered)
}

/// A time as the database keeps it.
fn micros(at: OffsetDateTime) -> Cell {
    let micros = at.unix_timestamp_nanos() / 1_000;
    Cell::Int(i64::try_from(micros).unwrap_or(i64::MAX))
}
