//! Where people sign in: at an OpenID provider, and by tokens that the product signs.

use crate::application::people::issuer::DocumentPlace;
use crate::application::people::openid::ClaimTest;
use crate::domain::people::issuer_url::{IssuerUrl, may_be_asked};
use crate::settings::options::Options;
use crate::settings::read::{Reader, path, shown};
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// The OpenID provider, and what its claims mean.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    pub issuer: IssuerUrl,
    pub client_id: String,
    pub client_secret: ClientSecret,
    pub workspace_claim: String,
    pub role_claim: String,
    /// `None`: nobody enters every workspace.
    pub operator_claim: Option<ClaimTest>,
}

/// Where the client's secret is.
#[derive(Debug, Clone)]
pub enum ClientSecret {
    /// A public client has none.
    None,
    Given(SecretString),
    /// A file, read at start and on SIGHUP.
    File(PathBuf),
}

/// The tokens that the product signs.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    pub issuer: String,
    pub keys: DocumentPlace,
}

/// The settings of the provider, if there is one.
pub(super) fn oidc(read: &mut Reader, options: &Options) -> Option<OidcSettings> {
    const ISSUER: &str = "https://login.example.com/realms/acme";
    let issuer = read.text(
        "SALLYPORT_OIDC_ISSUER",
        options.oidc_issuer.clone(),
        ISSUER,
        |t| IssuerUrl::parse(t).map_err(|e| e.detail),
    );
    let client_id = read.text(
        "SALLYPORT_OIDC_CLIENT_ID",
        options.oidc_client_id.clone(),
        "sallyport",
        |t| short(t, 256),
    );
    let given = read.text(
        "SALLYPORT_OIDC_CLIENT_SECRET",
        options.oidc_client_secret.clone(),
        "the secret that the provider shows for the client",
        |t| Ok(SecretString::from(t)),
    );
    let file = read.text(
        "SALLYPORT_OIDC_CLIENT_SECRET_FILE",
        options.oidc_client_secret_file.clone(),
        "/run/secrets/sallyport-oidc",
        path,
    );
    let client_secret = match (given, file) {
        (Some(_), Some(file)) => {
            read.fault(
                "SALLYPORT_OIDC_CLIENT_SECRET",
                "The secret is given twice: here and by SALLYPORT_OIDC_CLIENT_SECRET_FILE.".into(),
                "one of the two only",
            );
            ClientSecret::File(file)
        }
        (Some(secret), None) => ClientSecret::Given(secret),
        (None, Some(file)) => ClientSecret::File(file),
        (None, None) => ClientSecret::None,
    };
    let workspace_claim = read.text(
        "SALLYPORT_OIDC_WORKSPACE_CLAIM",
        options.oidc_workspace_claim.clone(),
        "tenant",
        |t| short(t, 200),
    );
    let role_claim = read.text(
        "SALLYPORT_OIDC_ROLE_CLAIM",
        options.oidc_role_claim.clone(),
        "roles",
        |t| short(t, 200),
    );
    let operator_claim = read.text(
        "SALLYPORT_OIDC_OPERATOR_CLAIM",
        options.oidc_operator_claim.clone(),
        "groups=sallyport-operators",
        claim_test,
    );
    let alone = [
        ("SALLYPORT_OIDC_CLIENT_ID", client_id.is_some()),
        (
            "SALLYPORT_OIDC_CLIENT_SECRET",
            !matches!(client_secret, ClientSecret::None),
        ),
        ("SALLYPORT_OIDC_WORKSPACE_CLAIM", workspace_claim.is_some()),
        ("SALLYPORT_OIDC_ROLE_CLAIM", role_claim.is_some()),
        ("SALLYPORT_OIDC_OPERATOR_CLAIM", operator_claim.is_some()),
    ];
    let Some(issuer) = issuer else {
        let set = alone.into_iter().find(|(_, is_set)| *is_set);
        if let Some((name, _)) = set.filter(|_| !read.has_fault("SALLYPORT_OIDC_ISSUER")) {
            read.fault(
                "SALLYPORT_OIDC_ISSUER",
                format!("It is not set, and {name} is."),
                ISSUER,
            );
        }
        return None;
    };
    let Some(client_id) = client_id else {
        if !read.has_fault("SALLYPORT_OIDC_CLIENT_ID") {
            read.fault(
                "SALLYPORT_OIDC_CLIENT_ID",
                "It is not set, and SALLYPORT_OIDC_ISSUER is.".into(),
                "sallyport",
            );
        }
        return None;
    };
    Some(OidcSettings {
        issuer,
        client_id,
        client_secret,
        workspace_claim: workspace_claim.unwrap_or_else(|| "workspace".to_owned()),
        role_claim: role_claim.unwrap_or_else(|| "role".to_owned()),
        operator_claim,
    })
}

/// The settings of the product's tokens, if there are any.
pub(super) fn jwt(read: &mut Reader, options: &Options) -> Option<JwtSettings> {
    const ISSUER: &str = "https://app.example.com";
    const KEYS: &str = "https://app.example.com/.well-known/jwks.json";
    let issuer = read.text(
        "SALLYPORT_JWT_ISSUER",
        options.jwt_issuer.clone(),
        ISSUER,
        |t| short(t, 1000),
    );
    let keys = read.text(
        "SALLYPORT_JWT_KEYS",
        options.jwt_keys.clone(),
        KEYS,
        keys_place,
    );
    match (issuer, keys) {
        (Some(issuer), Some(keys)) => Some(JwtSettings { issuer, keys }),
        (None, None) => None,
        (Some(_), None) => {
            if !read.has_fault("SALLYPORT_JWT_KEYS") {
                read.fault(
                    "SALLYPORT_JWT_KEYS",
                    "It is not set, and SALLYPORT_JWT_ISSUER is.".into(),
                    KEYS,
                );
            }
            None
        }
        (None, Some(_)) => {
            if !read.has_fault("SALLYPORT_JWT_ISSUER") {
                read.fault(
                    "SALLYPORT_JWT_ISSUER",
                    "It is not set, and SALLYPORT_JWT_KEYS is.".into(),
                    ISSUER,
                );
            }
            None
        }
    }
}

/// A name that others have given: without control characters.
fn short(text: &str, longest: usize) -> Result<String, String> {
    match text.len() <= longest && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{}` has more than {longest} bytes, or control characters.",
            shown(text)
        )),
    }
}

/// `NAME`, which must be true, or `NAME=VALUE`.
fn claim_test(text: &str) -> Result<ClaimTest, String> {
    let (claim, value) = match text.rsplit_once('=') {
        Some((claim, value)) => (claim, Some(value)),
        None => (text, None),
    };
    if claim.is_empty() || value.is_some_and(str::is_empty) {
        return Err(format!(
            "`{}` is neither a claim's name nor a name, `=` and a value.",
            shown(text)
        ));
    }
    Ok(ClaimTest {
        claim: short(claim, 200)?,
        value: value.map(|value| short(value, 200)).transpose()?,
    })
}

/// An address, or else a file.
fn keys_place(text: &str) -> Result<DocumentPlace, String> {
    if !text.contains("://") {
        return path(text).map(DocumentPlace::File);
    }
    Url::parse(text)
        .ok()
        .filter(may_be_asked)
        .map(DocumentPlace::Url)
        .ok_or_else(|| {
            format!(
                "`{}` is neither a file nor an address that begins with `https://`; `http://` is for this machine alone.",
                shown(text)
            )
        })
}
