//! The end of sessions: at the provider by somebody who signs out here, and here by the provider's word.

use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::UsedToken;
use crate::application::kept::vault::sha256;
use crate::application::people::openid::{OpenIdSignIn, not_verified};
use crate::domain::people::claims::{Claims, Expected, Refused};
use crate::domain::people::sign_in::{EndedAtIssuer, IssuerLogout};
use std::time::Duration;
use time::OffsetDateTime;

/// How far ahead the end of a logout token may be.
const LOGOUT_LIFE: Duration = Duration::from_secs(600);

impl OpenIdSignIn {
    /// The provider's page for signing out there (OpenID Connect RP-Initiated Logout 1.0), which leads back here.
    /// `None`: it has none.
    pub async fn end_page(&self) -> Result<Option<String>> {
        let provider = self.provider().await?;
        Ok(provider.end_session.clone().map(|mut to| {
            to.query_pairs_mut()
                .append_pair("client_id", &self.settings.id)
                .append_pair("post_logout_redirect_uri", &self.addresses.signed_out);
            to.into()
        }))
    }

    /// Whether there is such a page, as far as it is known.
    pub fn has_end_page(&self) -> bool {
        let known = self.described.known();
        known.is_some_and(|provider| provider.end_session.is_some())
    }

    /// Ends the sessions that a logout token of the provider names; how many there were.
    pub async fn end_by(&self, logout_token: &str) -> Result<u64> {
        let provider = self.provider().await?;
        let claims = self
            .keys
            .verify(&provider.keys, logout_token)
            .await
            .map_err(|error| not_verified(error, logout_refused))?;
        let (token, logout) = self.logout(&claims).map_err(logout_refused)?;
        let ended = self.store.end_sessions_of_issuer(&token, &logout).await?;
        ended.ok_or_else(|| {
            Error::new(
                Kind::Malformed,
                "logout_token_refused",
                "The logout token was used before.",
            )
        })
    }

    fn logout(&self, claims: &Claims) -> std::result::Result<(UsedToken, IssuerLogout), Refused> {
        let expected = Expected {
            issuer: self.settings.issuer.as_str(),
            audiences: std::slice::from_ref(&self.settings.id),
            longest: Some(LOGOUT_LIFE),
        };
        claims.check(&expected, self.clock.now())?;
        claims.check_logout_token()?;
        let issuer = self.settings.issuer.as_str();
        let of = match (claims.id("sid")?, claims.id("sub")?) {
            (Some(session), _) => EndedAtIssuer::Session(session.to_owned()),
            (None, Some(subject)) => EndedAtIssuer::Subject(subject.to_owned()),
            (None, None) => return Err(Refused::Missing("sub")),
        };
        let token = UsedToken {
            hash: sha256(format!("logout\n{issuer}\n{}", claims.token_id()?).as_bytes()),
            expires_at: OffsetDateTime::from_unix_timestamp(claims.end()?)
                .map_err(|_| Refused::WrongForm("exp"))?,
        };
        let issuer = issuer.to_owned();
        Ok((token, IssuerLogout { issuer, of }))
    }
}

fn logout_refused(refused: Refused) -> Error {
    Error::new(
        Kind::Malformed,
        "logout_token_refused",
        format!("The logout token cannot be accepted. {}", refused.why()),
    )
}
