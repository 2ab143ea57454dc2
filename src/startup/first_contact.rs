//! The first contact with the database: at start, or later where it is away.

use crate::application::error::{Error, Kind};
use crate::application::kept::master_key;
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::http::state::Services;
use crate::startup::error::{StartError, with_cause};
use crate::startup::{private_file, token_file};
use secrecy::{ExposeSecret, SecretString};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a database that was away at start is tried again.
const RETRY: Duration = Duration::from_secs(1);
const NOT_WRITTEN: &str = "the operator's token was made, and cannot be written into this file. Run `sallyport operator-token --replace` with the same settings: it prints another one. Or set SALLYPORT_OPERATOR_TOKEN";

/// Why the database was not prepared.
pub(super) enum NoContact {
    /// It cannot be reached; later it may be.
    Away,
    Refused(StartError),
}

/// The first contact with the database.
pub(super) struct FirstContact {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub services: Arc<Services>,
    /// Where a token that is made is put when nobody looks.
    pub data_dir: PathBuf,
}

impl FirstContact {
    /// Verifies the master key and finds out the operator's token. Requests are served from then on.
    pub async fn make(&self) -> Result<(), NoContact> {
        let refused = |error: Error| match error.kind {
            Kind::Unavailable => NoContact::Away,
            _ => NoContact::Refused(StartError::Database(with_cause(&error))),
        };
        if !master_key::is_right(self.store.as_ref(), &self.vault)
            .await
            .map_err(refused)?
        {
            return Err(NoContact::Refused(StartError::WrongMasterKey));
        }
        let authenticator = &self.services.people.authenticator;
        if let Some(token) = authenticator.prepare().await.map_err(refused)? {
            self.hand_over(token).await;
        }
        token_file::tidy_and_log(self.store.as_ref(), &self.data_dir, authenticator).await;
        self.services.running.started.set();
        Ok(())
    }

    /// Shows the operator's token that was made just now, once: on the terminal. Where there is none, standard error
    /// is somebody's log, and the token goes into a file instead.
    async fn hand_over(&self, token: SecretString) {
        if std::io::stderr().is_terminal() {
            // When it cannot be read there, `sallyport operator-token --replace` makes another one.
            let _ = writeln!(
                std::io::stderr(),
                "\nThe operator's token, shown this once:\n\n    {}\n",
                token.expose_secret()
            );
            return;
        }
        let path = token_file::path(&self.data_dir);
        let file = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || {
            private_file::replace(&path, token.expose_secret())
        })
        .await;
        match written {
            Ok(Ok(())) => tracing::info!(
                file,
                "the operator's token was made, and is in this file. Keep it elsewhere, and remove the file"
            ),
            Ok(Err(error)) => tracing::error!(file, %error, "{NOT_WRITTEN}"),
            Err(error) => tracing::error!(file, %error, "{NOT_WRITTEN}"),
        }
    }

    pub async fn keep_trying(self, shutdown: CancellationToken) -> Result<(), StartError> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(RETRY) => {}
            }
            match self.make().await {
                Ok(()) => {
                    tracing::info!("the database is there");
                    return Ok(());
                }
                Err(NoContact::Away) => {}
                Err(NoContact::Refused(error)) => {
                    tracing::error!(%error, "stopping");
                    shutdown.cancel();
                    return Err(error);
                }
            }
        }
    }
}
