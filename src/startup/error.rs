//! Why the service does not start.

use crate::application::error::Error;
use crate::database::InUse;
use crate::settings::BadSettings;
use std::net::SocketAddr;

/// Why the service does not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "cannot listen on {address}: {error}. Another program may use the port: choose another with SALLYPORT_LISTEN"
    )]
    Listen {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("{0}")]
    Setting(#[from] BadSettings),
    #[error("the master key in `{path}` cannot be used: {why}")]
    MasterKeyFile { path: String, why: String },
    #[error(
        "SALLYPORT_MASTER_KEY: something in the database is sealed with another master key. Start with that key, or name it in SALLYPORT_MASTER_KEY_PREVIOUS; `sallyport rekey` then seals everything with the new one. Where that key is lost: `sallyport keys replace --lost` says what dies with it, and lets the service go on. Nothing was changed"
    )]
    WrongMasterKey,
    #[error("the database cannot be used: {0}")]
    Database(String),
    #[error("{0}")]
    InUse(#[from] InUse),
    #[error("the server failed: {0}")]
    Server(std::io::Error),
    #[error("{0}")]
    Other(String),
}

/// An error with what only the operator may read.
pub(super) fn with_cause(error: &Error) -> String {
    match &error.internal {
        Some(cause) => format!("{error} {cause}"),
        None => error.to_string(),
    }
}
