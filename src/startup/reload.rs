//! What a running service reads again on SIGHUP: the files of its secrets. Nothing ends by it.

use crate::application::kept::master_key;
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::moving::moves::TransferKey;
use crate::database::Database;
use crate::http::state::Services;
use crate::settings::{Options, Settings};
use crate::startup::error::with_cause;
use crate::startup::{keys, signing_in, token_file};
use std::sync::Arc;

/// The parts of a running service whose secrets can be exchanged.
pub(crate) struct Reload {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub database: Database,
    pub services: Arc<Services>,
    pub transfer_key: Arc<TransferKey>,
}

impl Reload {
    /// Reads the files that these settings name, and uses what is in them. What cannot be used changes nothing.
    pub async fn run(&self, options: Options) {
        let settings = tokio::task::spawn_blocking(move || Settings::parse(options)).await;
        let settings = match settings {
            Ok(Ok(settings)) => settings,
            Ok(Err(error)) => {
                tracing::error!(%error, "the settings cannot be used; those of before stay");
                return;
            }
            Err(error) => {
                tracing::error!(%error, "the settings cannot be read; those of before stay");
                return;
            }
        };
        // First, because the others may need the database.
        if let Err(error) = self.database.sign_in_with(&settings.database) {
            tracing::error!(%error, "the database's URL stays as it was");
        }
        let is_new_token = settings.operator_token.as_ref().is_some_and(|present| {
            let previous = settings.operator_token_previous.as_ref();
            let authenticator = &self.services.people.authenticator;
            authenticator.replace_given(present, previous)
        });
        if is_new_token {
            tracing::info!("the operator's tokens were replaced");
        }
        self.take_client_secret(&settings).await;
        match self.keys(&settings).await {
            Ok(true) => tracing::info!(
                key = %self.vault.key_id(),
                "the master keys were replaced. `sallyport rekey` seals everything with the new one"
            ),
            Ok(false) => {}
            Err(why) => tracing::error!(cause = why, "the master keys stay as they were"),
        }
        if let Err(error) = keys::replace_transfer_key(&settings, &self.transfer_key) {
            tracing::error!(%error, "the transfer key stays as it was");
        }
        let authenticator = &self.services.people.authenticator;
        token_file::tidy_and_log(self.store.as_ref(), &settings.data_dir, authenticator).await;
        tracing::info!("the files of secrets were read again");
    }

    /// Takes over the secret of the client at the OpenID provider.
    async fn take_client_secret(&self, settings: &Settings) {
        let (Some(openid), Some(oidc)) = (&self.services.people.openid, &settings.oidc) else {
            return;
        };
        let is_new = signing_in::client_secret(oidc).await;
        match is_new.map(|secret| openid.replace_secret(secret)) {
            Ok(true) => tracing::info!("the secret of the OpenID client was replaced"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the secret of the OpenID client stays as it was");
            }
        }
    }

    /// Takes over the master keys of the settings. Those of before open what they sealed until the process ends.
    /// Whether there is another one than before.
    async fn keys(&self, settings: &Settings) -> Result<bool, String> {
        let given = keys::vault_there(settings)
            .await
            .map_err(|error| error.to_string())?;
        let next = given.opening_also(&self.vault);
        if next.key_id() == self.vault.key_id()
            && next.key_ids().len() == self.vault.key_ids().len()
        {
            return Ok(false);
        }
        let is_right = master_key::is_right(self.store.as_ref(), &next).await;
        if !is_right.map_err(|error| with_cause(&error))? {
            return Err(
                "something in the database is sealed with a key that is not among them".to_owned(),
            );
        }
        self.vault.take_keys_of(&next);
        Ok(true)
    }
}
