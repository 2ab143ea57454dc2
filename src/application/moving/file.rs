//! The file of a workspace: lines of JSON. The first says what it is, in the clear. Each further one is a sealed part,
//! and the last is the sealed end, which says what there was.
//!
//! A part is bound to the first line and to its place: a line that was changed, left out, moved, or taken from another
//! file does not open. A file without its end is not whole.

use crate::application::error::{Error, Result};
use crate::application::kept::vault::{DoesNotOpen, Purpose, Vault, sha256};
use crate::application::moving::refused;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a file of this form calls itself.
pub const FORMAT: &str = "sallyport-workspace/1";
/// What every form of it begins with.
const FORMATS: &str = "sallyport-workspace/";
/// The longest first line, in bytes.
pub const LONGEST_HEADER: usize = 16 << 10;
/// The longest line of a part, in bytes. One has a few hundred rows, which take far less.
pub const LONGEST_LINE: usize = 64 << 20;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    /// Tells this file from others.
    pub export_id: String,
    pub workspace_id: String,
    pub exported_at: String,
    /// Of the service that wrote it.
    pub release: String,
    /// The migrations of that release: the rows are of this schema.
    pub migrations: Vec<i64>,
    pub sealed_with: String,
    /// The name of the key.
    pub key: String,
    /// What the customers' trust policies name, where the service knew it.
    pub service_principal: Option<String>,
}

impl Header {
    /// Reads the first line of a file, with a refusal that says what else it is.
    pub fn read(line: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(line).map_err(refused::no_export)?;
        match value.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            Some(other) if other.starts_with(FORMATS) => {
                return Err(refused::other_format());
            }
            Some(_) | None => return Err(refused::no_export("no format of ours")),
        }
        serde_json::from_value(value).map_err(refused::no_export)
    }
}

/// A further line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// The part's number, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u64>,
    /// In the last line: how many parts there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    sealed: String,
}

/// A further line, still sealed.
#[derive(Debug, PartialEq, Eq)]
pub enum Sealed {
    Part { number: u64, sealed: Vec<u8> },
    End { parts: u64, sealed: Vec<u8> },
}

impl Sealed {
    /// Reads a line.
    pub fn read(line: &[u8]) -> Result<Self> {
        let line: Line = serde_json::from_slice(line).map_err(refused::altered)?;
        let sealed = STANDARD.decode(&line.sealed).map_err(refused::altered)?;
        match (line.part, line.end) {
            (Some(number), None) => Ok(Self::Part { number, sealed }),
            (None, Some(parts)) => Ok(Self::End { parts, sealed }),
            (Some(_), Some(_)) | (None, None) => Err(refused::altered("neither part nor end")),
        }
    }

    /// The line, with its end.
    pub fn line(&self) -> Result<Vec<u8>> {
        let (part, end, sealed) = match self {
            Self::Part { number, sealed } => (Some(*number), None, sealed),
            Self::End { parts, sealed } => (None, Some(*parts), sealed),
        };
        let line = Line {
            part,
            end,
            sealed: STANDARD.encode(sealed),
        };
        let mut text = serde_json::to_vec(&line).map_err(Error::bug)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Seals and opens the lines of one file.
pub struct Seal<'a> {
    vault: &'a Vault,
    /// SHA-256 of the first line.
    header: [u8; 32],
}

impl<'a> Seal<'a> {
    /// `header`: the first line, without its end.
    pub fn of(vault: &'a Vault, header: &[u8]) -> Self {
        let header = sha256(header);
        Self { vault, header }
    }

    /// The same for a first line that was read before.
    pub fn of_hash(vault: &'a Vault, header: [u8; 32]) -> Self {
        Self { vault, header }
    }

    fn place(&self, what: &str, number: u64) -> Vec<u8> {
        let mut place = format!("{FORMAT} {what} {number} ").into_bytes();
        place.extend_from_slice(&self.header);
        place
    }

    pub fn part(&self, number: u64, plain: &[u8]) -> Result<Sealed> {
        let place = self.place("part", number);
        let sealed = self.vault.seal(Purpose::WorkspaceExport, &place, plain)?;
        Ok(Sealed::Part { number, sealed })
    }

    pub fn end(&self, parts: u64, plain: &[u8]) -> Result<Sealed> {
        let place = self.place("end", parts);
        let sealed = self.vault.seal(Purpose::WorkspaceExport, &place, plain)?;
        Ok(Sealed::End { parts, sealed })
    }

    pub fn open_part(
        &self,
        number: u64,
        sealed: &[u8],
    ) -> std::result::Result<Vec<u8>, DoesNotOpen> {
        let place = self.place("part", number);
        self.vault.open(Purpose::WorkspaceExport, &place, sealed)
    }

    pub fn open_end(&self, parts: u64, sealed: &[u8]) -> std::result::Result<Vec<u8>, DoesNotOpen> {
        let place = self.place("end", parts);
        self.vault.open(Purpose::WorkspaceExport, &place, sealed)
    }
}

/// What the end says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// How many rows of each table are in the file.
    pub rows: BTreeMap<String, u64>,
    /// How many rows of each table stayed behind.
    pub left_out: BTreeMap<String, u64>,
    /// The bucket of the built-in storage of the service that wrote it.
    pub built_in_bucket: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::vault::MasterKey;

    fn vault() -> Vault {
        Vault::new(&MasterKey::generate().unwrap().0).unwrap()
    }

    #[test]
    fn a_part_opens_in_its_place_of_its_file_alone() {
        let vault = vault();
        let seal = Seal::of(&vault, b"{}");
        let part = seal.part(2, b"rows").unwrap();
        let line = part.line().unwrap();
        assert_eq!(line.last(), Some(&b'\n'));
        let Sealed::Part { number, sealed } = Sealed::read(&line).unwrap() else {
            panic!("it is a part");
        };
        assert_eq!(number, 2);
        assert_eq!(seal.open_part(2, &sealed).unwrap(), b"rows");
        assert!(seal.open_part(3, &sealed).is_err());
        assert!(seal.open_end(2, &sealed).is_err());
        let other = Seal::of(&vault, b"{ }");
        assert!(other.open_part(2, &sealed).is_err());
        let other = self::vault();
        assert!(Seal::of(&other, b"{}").open_part(2, &sealed).is_err());
    }

    #[test]
    fn what_is_no_file_of_ours_is_told_apart() {
        let code = |line: &[u8]| Header::read(line).unwrap_err().code;
        for line in [
            &b"PK\x03\x04"[..],
            b"",
            b"[]",
            b"{}",
            br#"{"format":"x/1"}"#,
        ] {
            assert_eq!(code(line), "export_malformed");
        }
        let newer = br#"{"format":"sallyport-workspace/2","more":1}"#;
        assert_eq!(code(newer), "export_other_version");
        let strange = br#"{"format":"sallyport-workspace/1","more":1}"#;
        assert_eq!(code(strange), "export_malformed");
        for line in [
            &b"{}"[..],
            br#"{"part":1}"#,
            br#"{"sealed":"AA=="}"#,
            br#"{"part":1,"end":1,"sealed":"AA=="}"#,
            br#"{"part":1,"sealed":"?"}"#,
            br#"{"part":-1,"sealed":"AA=="}"#,
        ] {
            assert_eq!(Sealed::read(line).unwrap_err().code, "export_altered");
        }
    }
}
