//! The ways to sign in besides links, from the settings.

use crate::application::clock::{Clock, SystemClock};
use crate::application::kept::store::Store;
use crate::application::kept::vault::Vault;
use crate::application::people::issuer::{DocumentPlace, IssuerClient, IssuerKeys, NoAnswer};
use crate::application::people::openid::{OpenIdClient, OpenIdParts, OpenIdSignIn, OwnAddresses};
use crate::application::people::product_tokens::ProductTokens;
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::http::state::PeopleServices;
use crate::outgoing::issuer::HttpIssuerClient;
use crate::settings::{BadSetting, BadSettings, ClientSecret, JwtSettings, OidcSettings, Settings};
use crate::startup::error::StartError;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// Refuses files that cannot be used. It is asked before anything is made.
pub(super) async fn refuse_unusable(settings: &Settings) -> Result<(), StartError> {
    if let Some(oidc) = &settings.oidc {
        client_secret(oidc).await?;
    }
    let Some(JwtSettings { keys, .. }) = &settings.jwt else {
        return Ok(());
    };
    match keys {
        DocumentPlace::File(_) => IssuerKeys::new(client(settings)?, Arc::new(SystemClock))
            .load(keys)
            .await
            .map_err(unusable),
        // It may answer later.
        DocumentPlace::Url(_) => Ok(()),
    }
}

/// Adds the ways that the settings name to `people`. Keys in a file that cannot be used stop the start; an issuer
/// that does not answer does not.
pub(super) async fn add(
    settings: &Settings,
    store: &Arc<dyn Store>,
    vault: &Arc<Vault>,
    clock: &Arc<dyn Clock>,
    people: &mut PeopleServices,
) -> Result<(), StartError> {
    if settings.oidc.is_none() && settings.jwt.is_none() {
        return Ok(());
    }
    let client = client(settings)?;
    let base = settings.public_url.as_str().trim_end_matches('/');
    if let Some(oidc) = &settings.oidc {
        let addresses = OwnAddresses {
            begin: format!("{base}/sign-in/oidc"),
            callback: format!("{base}/sign-in/oidc/callback"),
            signed_out: format!("{base}/signed-out"),
        };
        let parts = OpenIdParts {
            client: client.clone(),
            store: store.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            sign_ins: people.sign_ins.clone(),
            workspaces: people.workspaces.clone(),
        };
        let agreed = agreed(oidc).await?;
        people.openid = Some(OpenIdSignIn::new(agreed, addresses, parts));
    }
    if let Some(JwtSettings { issuer, keys }) = &settings.jwt {
        let tokens = ProductTokens {
            issuer: issuer.clone(),
            audiences: vec![base.to_owned(), format!("{base}/")],
            place: keys.clone(),
            keys: IssuerKeys::new(client, clock.clone()),
            clock: clock.clone(),
            sign_ins: people.sign_ins.clone(),
            workspaces: people.workspaces.clone(),
        };
        match (keys, tokens.load().await) {
            (_, Ok(())) => {}
            (DocumentPlace::File(_), Err(cause)) => return Err(unusable(cause)),
            // It may answer later. What it said is in the log.
            (DocumentPlace::Url(_), Err(_)) => {}
        }
        people.product_tokens = Some(tokens);
    }
    Ok(())
}

fn unusable(cause: NoAnswer) -> StartError {
    refused(
        "SALLYPORT_JWT_KEYS",
        format!("The keys cannot be used: {}.", cause.0),
        "/etc/sallyport/jwks.json",
    )
}

fn client(settings: &Settings) -> Result<Arc<dyn IssuerClient>, StartError> {
    let networks = Arc::new(EndpointNetworks::new(settings.endpoint_networks.clone()));
    let client = HttpIssuerClient::new(networks, addresses(settings))
        .map_err(|error| StartError::Other(error.to_string()))?;
    Ok(Arc::new(client))
}

/// The addresses that the operator has named.
fn addresses(settings: &Settings) -> Vec<&Url> {
    let issuer = settings.oidc.as_ref().map(|oidc| oidc.issuer.url());
    let keys = match settings.jwt.as_ref().map(|jwt| &jwt.keys) {
        Some(DocumentPlace::Url(url)) => Some(url),
        Some(DocumentPlace::File(_)) | None => None,
    };
    issuer.into_iter().chain(keys).collect()
}

async fn agreed(oidc: &OidcSettings) -> Result<OpenIdClient, StartError> {
    Ok(OpenIdClient {
        issuer: oidc.issuer.clone(),
        id: oidc.client_id.clone(),
        secret: client_secret(oidc).await?,
        workspace_claim: oidc.workspace_claim.clone(),
        role_claim: oidc.role_claim.clone(),
        operator_claim: oidc.operator_claim.clone(),
    })
}

/// The client's secret, as the settings have it or as it is in its file now.
pub(super) async fn client_secret(oidc: &OidcSettings) -> Result<Option<SecretString>, StartError> {
    Ok(match &oidc.client_secret {
        ClientSecret::None => None,
        ClientSecret::Given(secret) => Some(secret.clone()),
        ClientSecret::File(path) => Some(secret_of(path).await?),
    })
}

async fn secret_of(path: &Path) -> Result<SecretString, StartError> {
    let refuse = |why: String| {
        refused(
            "SALLYPORT_OIDC_CLIENT_SECRET_FILE",
            why,
            "/run/secrets/sallyport-oidc",
        )
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| refuse(format!("`{}` cannot be read: {error}.", path.display())))?;
    match text.trim() {
        "" => Err(refuse(format!("`{}` is empty.", path.display()))),
        secret => Ok(SecretString::from(secret)),
    }
}

fn refused(name: &'static str, why: String, example: &'static str) -> StartError {
    BadSettings(vec![BadSetting { name, why, example }]).into()
}
