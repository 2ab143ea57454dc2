//! The master key and the operator's tokens.

use crate::application::kept::vault::MasterKey;
use crate::database::DatabaseUrl;
use crate::settings::options::Options;
use crate::settings::read::{Reader, operator_token, path};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// Where the master key is.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// Its text, which parses.
    Given(SecretString),
    File(PathBuf),
    /// In this file, which is made when it is absent.
    Made(PathBuf),
}

impl MasterKeySource {
    /// The key's text, where it was given.
    pub fn given(&self) -> Option<&str> {
        match self {
            Self::Given(key) => Some(key.expose_secret()),
            Self::File(_) | Self::Made(_) => None,
        }
    }
}

/// Where the master key is. With PostgreSQL it must be given.
pub(super) fn master_key(
    read: &mut Reader,
    options: &mut Options,
    database: &DatabaseUrl,
    data_dir: &Path,
) -> MasterKeySource {
    let given = read.text(
        "SALLYPORT_MASTER_KEY",
        options.master_key.take(),
        "the output of `openssl rand -base64 32`",
        master_key_text,
    );
    let file = read.text(
        "SALLYPORT_MASTER_KEY_FILE",
        options.master_key_file.take(),
        "/run/secrets/sallyport-master-key",
        path,
    );
    match (given, file, database) {
        (Some(_), Some(file), _) => {
            read.fault(
                "SALLYPORT_MASTER_KEY",
                "The master key is given twice: here and by SALLYPORT_MASTER_KEY_FILE.".into(),
                "one of the two only",
            );
            MasterKeySource::File(file)
        }
        (Some(key), None, _) => MasterKeySource::Given(key),
        (None, Some(file), _) => MasterKeySource::File(file),
        (None, None, DatabaseUrl::Sqlite(_)) => MasterKeySource::Made(data_dir.join("master.key")),
        (None, None, DatabaseUrl::Postgres(_)) => {
            // A value that was refused has been reported already.
            if !read.has_fault("SALLYPORT_MASTER_KEY") {
                read.fault(
                    "SALLYPORT_MASTER_KEY",
                    "With PostgreSQL the master key must be given, because every replica needs the same one.".into(),
                    "the output of `openssl rand -base64 32`",
                );
            }
            MasterKeySource::Made(data_dir.join("master.key"))
        }
    }
}

/// The operator's token, and the one of before.
pub(super) fn operator_tokens(
    read: &mut Reader,
    options: &mut Options,
) -> (Option<SecretString>, Option<SecretString>) {
    let present = read.text(
        "SALLYPORT_OPERATOR_TOKEN",
        options.operator_token.take(),
        "the output of `openssl rand -hex 32`",
        operator_token,
    );
    let previous = read.text(
        "SALLYPORT_OPERATOR_TOKEN_PREVIOUS",
        options.operator_token_previous.take(),
        "the token that SALLYPORT_OPERATOR_TOKEN had",
        operator_token,
    );
    if previous.is_some()
        && present.is_none()
        && !read.has_fault("SALLYPORT_OPERATOR_TOKEN")
        && !read.has_fault("SALLYPORT_OPERATOR_TOKEN_FILE")
    {
        read.fault(
            "SALLYPORT_OPERATOR_TOKEN_PREVIOUS",
            "It needs SALLYPORT_OPERATOR_TOKEN, the current token.".into(),
            "the token that SALLYPORT_OPERATOR_TOKEN had, beside a new one there",
        );
    }
    (present, previous)
}

/// A key that parses.
pub(super) fn master_key_text(text: &str) -> Result<SecretString, String> {
    MasterKey::parse(text)
        .map(|_| SecretString::from(text))
        .map_err(|why| format!("{why}."))
}
