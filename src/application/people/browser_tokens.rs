//! Tokens that a product's page uses in a browser: for one storage, one folder and one origin, at most an hour.
//!
//! They are sealed, and have no row. A token holds the hash of the secret that made it, and whoever made it is
//! looked up at each use: a token ends with its maker, and never lets its holder do more than the maker may.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::SecretHash;
use crate::application::kept::vault::{Purpose, Vault};
use crate::application::people::authenticate::unknown;
use crate::application::people::caller::{Member, admin_required};
use crate::application::people::secrets::BROWSER_TOKEN_PREFIX;
use crate::application::rate::Rate;
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{StorageRef, WorkspaceId};
use crate::domain::origin::Origin;
use crate::domain::people::reach::{Bounds, BrowserOperation, Touch};
use crate::domain::people::subject::SubjectId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// The longest life of a token.
pub const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Its life where the request says nothing.
pub const DEFAULT_LIFE: Duration = Duration::from_secs(15 * 60);
/// What the sealed text is bound to.
const PLACE: &str = "browser-tokens";

/// The secret that made a token, by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Operator(SecretHash),
    Key(SecretHash),
    Token(SecretHash),
    Session(SecretHash),
}

impl Maker {
    fn parts(&self) -> (&'static str, &SecretHash) {
        match self {
            Self::Operator(hash) => ("operator", hash),
            Self::Key(hash) => ("key", hash),
            Self::Token(hash) => ("token", hash),
            Self::Session(hash) => ("session", hash),
        }
    }

    fn of(kind: &str, hash: SecretHash) -> Option<Self> {
        match kind {
            "operator" => Some(Self::Operator(hash)),
            "key" => Some(Self::Key(hash)),
            "token" => Some(Self::Token(hash)),
            "session" => Some(Self::Session(hash)),
            _ => None,
        }
    }
}

/// What a new token shall be for.
#[derive(Debug, Clone)]
pub struct NewBrowserToken {
    pub storage: StorageRef,
    /// `None`: whatever the maker reaches.
    pub folder: Option<Folder>,
    pub operations: Vec<BrowserOperation>,
    /// The pages that use it.
    pub origin: Origin,
    /// `None`: [`DEFAULT_LIFE`].
    pub expires_in: Option<Duration>,
}

/// What a token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserTicket {
    pub maker: Maker,
    pub workspace: WorkspaceId,
    pub storage: StorageRef,
    pub folder: Option<Folder>,
    pub operations: Vec<BrowserOperation>,
    pub origin: Origin,
    pub on_behalf_of: Option<SubjectId>,
}

impl BrowserTicket {
    /// What the token is narrowed to.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            storages: Some(vec![self.storage.clone()]),
            folders: self.folder.clone().map(|folder| vec![folder]),
            write_folders: None,
        }
    }
}

/// The sealed text.
#[derive(Serialize, Deserialize)]
struct Sealed {
    maker: String,
    hash: String,
    workspace: String,
    storage: String,
    folder: Option<String>,
    operations: Vec<String>,
    origin: String,
    on_behalf_of: Option<String>,
    /// In milliseconds since 1970.
    until: i64,
}

pub struct BrowserTokens {
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    rate: Rate<WorkspaceId>,
}

impl BrowserTokens {
    /// `per_minute` tokens for each workspace, the same number at once after a pause.
    pub fn new(vault: Arc<Vault>, clock: Arc<dyn Clock>, per_minute: NonZeroU32) -> Self {
        Self {
            vault,
            clock,
            rate: Rate::per_minute(per_minute),
        }
    }

    /// Makes a token, and says until when it works. Refused where the maker may not do itself what the token is
    /// for.
    pub fn make(
        &self,
        member: &Member,
        maker: &Maker,
        new: &NewBrowserToken,
    ) -> Result<(String, OffsetDateTime)> {
        let life = life(new.expires_in)?;
        admit(member, new)?;
        self.rate.enter(&member.workspace).map_err(|wait| {
            Error::new(
                Kind::TooMany,
                "too_many_browser_tokens",
                "This workspace makes more tokens for browsers than it may.",
            )
            .remedy("Use a token for as long as it works, and make the next one in a moment.")
            .retry_after(wait)
        })?;
        // Whole milliseconds: the token holds no more.
        let until = self.clock.now() + life;
        let until = until
            .replace_nanosecond(u32::from(until.millisecond()) * 1_000_000)
            .map_err(Error::bug)?;
        let (maker, hash) = maker.parts();
        let sealed = Sealed {
            maker: maker.to_owned(),
            hash: URL_SAFE_NO_PAD.encode(hash),
            workspace: member.workspace.to_string(),
            storage: new.storage.to_string(),
            folder: new.folder.as_ref().map(ToString::to_string),
            operations: new
                .operations
                .iter()
                .map(|operation| operation.as_str().to_owned())
                .collect(),
            origin: new.origin.to_string(),
            on_behalf_of: member
                .on_behalf_of
                .as_ref()
                .map(|id| id.as_str().to_owned()),
            until: milliseconds(until)?,
        };
        let text = serde_json::to_string(&sealed).map_err(Error::bug)?;
        let sealed = self.vault.seal_token(Purpose::BrowserToken, PLACE, &text)?;
        Ok((format!("{BROWSER_TOKEN_PREFIX}{sealed}"), until))
    }

    /// What a token holds. One that was changed, or whose time is over, is refused as an unknown one.
    pub fn open(&self, token: &str) -> Result<BrowserTicket> {
        let sealed = token
            .strip_prefix(BROWSER_TOKEN_PREFIX)
            .ok_or_else(unknown)?;
        let text = self
            .vault
            .open_token(Purpose::BrowserToken, PLACE, sealed)
            .map_err(|_| unknown())?;
        let sealed: Sealed = serde_json::from_str(&text).map_err(|_| unknown())?;
        if milliseconds(self.clock.now())? >= sealed.until {
            return Err(unknown());
        }
        read(sealed).ok_or_else(unknown)
    }
}

fn milliseconds(at: OffsetDateTime) -> Result<i64> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).map_err(Error::bug)
}

fn read(sealed: Sealed) -> Option<BrowserTicket> {
    let hash = URL_SAFE_NO_PAD.decode(sealed.hash).ok()?;
    let hash = SecretHash::try_from(hash.as_slice()).ok()?;
    let operations = sealed.operations.iter();
    let folder = sealed.folder.map(|folder| Folder::parse(&folder));
    let subject = sealed.on_behalf_of.map(|id| SubjectId::parse(&id));
    Some(BrowserTicket {
        maker: Maker::of(&sealed.maker, hash)?,
        workspace: WorkspaceId::parse(&sealed.workspace).ok()?,
        storage: StorageRef::parse(&sealed.storage).ok()?,
        folder: folder.transpose().ok()?,
        operations: operations
            .map(|operation| BrowserOperation::parse(operation))
            .collect::<std::result::Result<_, _>>()
            .ok()?,
        origin: Origin::parse(&sealed.origin).ok()?,
        on_behalf_of: subject.transpose().ok()?,
    })
}

fn life(asked: Option<Duration>) -> Result<Duration> {
    match asked {
        None => Ok(DEFAULT_LIFE),
        Some(life) if life >= Duration::from_secs(1) && life <= LONGEST_LIFE => Ok(life),
        Some(_) => {
            let detail = format!(
                "A token for a browser works for 1 to {} seconds.",
                LONGEST_LIFE.as_secs()
            );
            let invalid = Invalid::new("expires_in_out_of_range", detail);
            Err(Error::field("expires_in", invalid))
        }
    }
}

/// Refuses what the maker may not do itself.
fn admit(member: &Member, new: &NewBrowserToken) -> Result<()> {
    for operation in &new.operations {
        let touch = match (operation, &new.folder) {
            (BrowserOperation::List | BrowserOperation::Read, Some(folder)) => Touch::List(folder),
            (BrowserOperation::Write, Some(folder)) => Touch::WriteIn(folder),
            (_, None) => Touch::Storage,
        };
        member.admit(&new.storage, &[touch])?;
        if *operation == BrowserOperation::Write && member.clone().into_writer().is_none() {
            return Err(admin_required());
        }
    }
    Ok(())
}
