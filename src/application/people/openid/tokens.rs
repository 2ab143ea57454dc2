//! What the provider gives for a code: the tokens, and what the userinfo endpoint adds to them.

use crate::application::error::Result;
use crate::application::people::issuer::{NoAnswer, Reply, TokenRequest, unavailable};
use crate::application::people::openid::pending::Pending;
use crate::application::people::openid::provider::Provider;
use crate::application::people::openid::{OpenIdSignIn, failed};
use crate::domain::invalid::shown;
use crate::domain::people::claims::Claims;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

/// The part of a token endpoint's answer that is used.
#[derive(Deserialize)]
pub struct Tokens {
    pub id_token: String,
    pub access_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct TokenFault {
    error: String,
}

impl OpenIdSignIn {
    /// Gets the tokens for a code.
    pub(super) async fn redeem(
        &self,
        provider: &Provider,
        code: &str,
        pending: &Pending,
    ) -> Result<Tokens> {
        let (settings, secret) = (&self.settings, self.secret());
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.addresses.callback.as_str()),
            ("code_verifier", pending.verifier()),
        ];
        let mut basic = None;
        match &secret {
            None => fields.push(("client_id", settings.id.as_str())),
            Some(secret) if provider.secret_in_form => {
                fields.push(("client_id", settings.id.as_str()));
                fields.push(("client_secret", secret.expose_secret()));
            }
            // RFC 6749, section 2.3.1: both are encoded as in a form.
            Some(secret) => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                basic = Some((
                    encoded(&settings.id),
                    SecretString::from(encoded(secret.expose_secret())),
                ));
            }
        }
        let request = TokenRequest {
            url: &provider.token,
            fields,
            basic,
        };
        let reply = self.client.tokens(request).await;
        let Reply { status, body } = reply.map_err(|cause| unavailable(&cause))?;
        if status == 200 {
            // What the parser says of it may repeat a token.
            return serde_json::from_slice(&body).map_err(|_| {
                unavailable(&NoAnswer("the token endpoint gave no ID token".to_owned()))
            });
        }
        let fault = serde_json::from_slice::<TokenFault>(&body).map(|fault| fault.error);
        match fault.as_deref() {
            Ok("invalid_grant") => Err(failed(
                "The identity provider does not accept this sign-in any more.",
            )),
            Ok(error) => Err(unavailable(&NoAnswer(format!(
                "the token endpoint answered {status} with the error {}",
                shown(error)
            )))),
            Err(_) => Err(unavailable(&NoAnswer(format!(
                "the token endpoint answered {status}"
            )))),
        }
    }

    /// Asks the provider's userinfo endpoint where the ID token does not say which workspaces somebody may enter
    /// (OpenID Connect Core 1.0, section 5.3). What the token says itself stays.
    pub(super) async fn complete(
        &self,
        provider: &Provider,
        claims: &mut Claims,
        token: Option<&SecretString>,
    ) -> Result<()> {
        let settings = &self.settings;
        let test = settings.operator_claim.as_ref();
        let says_where = claims.has(&settings.workspace_claim)
            || test.is_some_and(|test| claims.holds(&test.claim, test.value.as_deref()));
        let (false, Some(url), Some(token)) = (says_where, &provider.userinfo, token) else {
            return Ok(());
        };
        let text = self.client.userinfo(url, token).await;
        let text = text.map_err(|cause| unavailable(&cause))?;
        // What the parser says of it may repeat something of the person.
        let more = serde_json::from_slice(&text).map_err(|_| {
            unavailable(&NoAnswer(
                "the userinfo endpoint gave no object of JSON".to_owned(),
            ))
        })?;
        let mut wanted = vec![
            "name",
            settings.workspace_claim.as_str(),
            settings.role_claim.as_str(),
        ];
        wanted.extend(test.map(|test| test.claim.as_str()));
        claims.complete(more, &wanted).map_err(|refused| {
            failed("The identity provider's answer cannot be accepted.")
                .internal(format!("the userinfo endpoint: {}", refused.why()))
        })
    }
}
