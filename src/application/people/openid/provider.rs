//! What an OpenID provider says of itself (OpenID Connect Discovery 1.0).

use crate::application::clock::Clock;
use crate::application::people::issuer::{DocumentPlace, FRESH, IssuerClient, NoAnswer, PAUSE};
use crate::domain::people::issuer_url::{IssuerUrl, may_be_asked};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use url::Url;

/// How long nothing is asked again where the provider has never answered.
const SHORT_PAUSE: Duration = Duration::from_secs(2);

/// A provider, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub authorization: Url,
    pub token: Url,
    pub keys: DocumentPlace,
    /// Where it says more of a person than in the ID token. `None`: nowhere.
    pub userinfo: Option<Url>,
    /// Its page for signing out. `None`: there is none.
    pub end_session: Option<Url>,
    /// Whether it knows the scope with people's names.
    pub has_profile: bool,
    /// Whether its answers name it (`iss`, RFC 9207).
    pub names_itself: bool,
    /// Whether the client's secret goes into the form, where the header is not accepted.
    pub secret_in_form: bool,
}

/// The members that are used.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// Reads a provider's description. An error says why it cannot be used.
    pub fn parse(text: &[u8], issuer: &IssuerUrl) -> Result<Self, String> {
        let description: Description =
            serde_json::from_slice(text).map_err(|error| format!("the description: {error}"))?;
        // Whoever can answer for another issuer could sign in anybody of it.
        if description.issuer != issuer.as_str() {
            return Err("the description is of another issuer".to_owned());
        }
        let endpoints = [
            &description.authorization_endpoint,
            &description.token_endpoint,
            &description.jwks_uri,
        ];
        if !endpoints.into_iter().all(may_be_asked) {
            return Err("an address of the description is not https".to_owned());
        }
        let lists = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|entry| entry == wanted))
        };
        if !lists(&description.code_challenge_methods_supported, "S256") {
            return Err("the provider does not support PKCE with S256".to_owned());
        }
        let methods = &description.token_endpoint_auth_methods_supported;
        // Signing in does without these.
        let further = |address: &Option<String>| {
            let address = address.as_deref().and_then(|text| Url::parse(text).ok());
            address.filter(may_be_asked)
        };
        Ok(Self {
            has_profile: lists(&description.scopes_supported, "profile"),
            names_itself: description.authorization_response_iss_parameter_supported,
            secret_in_form: !lists(methods, "client_secret_basic")
                && lists(methods, "client_secret_post"),
            userinfo: further(&description.userinfo_endpoint),
            end_session: further(&description.end_session_endpoint),
            authorization: description.authorization_endpoint,
            token: description.token_endpoint,
            keys: DocumentPlace::Url(description.jwks_uri),
        })
    }
}

/// The description of one provider: asked for when it is needed, and kept for an hour.
pub struct Described {
    pub client: Arc<dyn IssuerClient>,
    pub clock: Arc<dyn Clock>,
    pub issuer: IssuerUrl,
    /// One request asks, and the others wait for it.
    pub kept: Mutex<Kept>,
}

#[derive(Default)]
pub struct Kept {
    provider: Option<Arc<Provider>>,
    read_at: Option<OffsetDateTime>,
    tried_at: Option<OffsetDateTime>,
}

impl Described {
    /// What is known without asking, and without waiting for a request that asks.
    pub fn known(&self) -> Option<Arc<Provider>> {
        let kept = self.kept.try_lock().ok()?;
        kept.provider.clone()
    }

    pub async fn provider(&self) -> Result<Arc<Provider>, NoAnswer> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let is_within =
            |at: Option<OffsetDateTime>, time: Duration| at.is_some_and(|at| now < at + time);
        match kept.provider.clone() {
            Some(provider) if is_within(kept.read_at, FRESH) || is_within(kept.tried_at, PAUSE) => {
                Ok(provider)
            }
            // What was known is better than nothing while the provider does not answer.
            Some(provider) => Ok(self.read(&mut kept, now).await.unwrap_or(provider)),
            None if is_within(kept.tried_at, SHORT_PAUSE) => Err(NoAnswer(
                "the provider did not answer a moment ago".to_owned(),
            )),
            None => self.read(&mut kept, now).await,
        }
    }

    async fn read(&self, kept: &mut Kept, now: OffsetDateTime) -> Result<Arc<Provider>, NoAnswer> {
        kept.tried_at = Some(now);
        let place = self
            .issuer
            .description()
            .ok_or_else(|| NoAnswer("the issuer has no address".to_owned()))?;
        let read = match self.client.document(&DocumentPlace::Url(place)).await {
            Ok(text) => Provider::parse(&text, &self.issuer).map_err(NoAnswer),
            Err(error) => Err(error),
        };
        match read {
            Ok(provider) => {
                let provider = Arc::new(provider);
                kept.provider = Some(provider.clone());
                kept.read_at = Some(now);
                Ok(provider)
            }
            Err(error) => {
                tracing::warn!(
                    issuer = self.issuer.as_str(),
                    cause = error.0,
                    "the OpenID provider cannot be used"
                );
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://id.example.com/a";

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Provider, String> {
        let mut description = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.com/auth?tenant=1",
            "token_endpoint": "https://id.example.com/token",
            "jwks_uri": "https://keys.example.com/jwks",
            "something_else": [1],
        });
        change(&mut description);
        let issuer = IssuerUrl::parse(ISSUER).unwrap();
        Provider::parse(description.to_string().as_bytes(), &issuer)
    }

    #[test]
    fn what_is_not_said_has_the_defaults_of_the_standard() {
        let provider = parse(|_| {}).unwrap();
        assert!(provider.has_profile && !provider.names_itself && !provider.secret_in_form);
        let provider = parse(|d| {
            d["scopes_supported"] = json!(["openid"]);
            d["code_challenge_methods_supported"] = json!(["plain", "S256"]);
            d["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
            d["authorization_response_iss_parameter_supported"] = json!(true);
        })
        .unwrap();
        assert!(!provider.has_profile && provider.names_itself && provider.secret_in_form);
        assert_eq!((&provider.userinfo, &provider.end_session), (&None, &None));
    }

    #[test]
    fn further_addresses_are_used_where_they_are_https() {
        for (text, is_used) in [
            ("https://id.example.com/more", true),
            ("http://id.example.com/more", false),
            ("", false),
        ] {
            let provider = parse(|d| {
                d["userinfo_endpoint"] = json!(text);
                d["end_session_endpoint"] = json!(text);
            })
            .unwrap();
            assert_eq!(provider.userinfo.is_some(), is_used, "{text}");
            assert_eq!(provider.end_session.is_some(), is_used, "{text}");
        }
    }

    #[test]
    fn a_description_that_cannot_be_used_is_refused() {
        let changes: [fn(&mut Value); 6] = [
            |d| d["issuer"] = json!("https://evil.example"),
            |d| d["issuer"] = json!("https://id.example.com/a/"),
            |d| d["token_endpoint"] = json!("http://id.example.com/token"),
            |d| d["jwks_uri"] = json!("file:///etc/passwd"),
            |d| d["authorization_endpoint"] = json!("javascript:alert(1)"),
            |d| d["code_challenge_methods_supported"] = json!(["plain"]),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(parse(change).is_err(), "{number}");
        }
        assert!(parse(|d| *d = json!([])).is_err());
    }
}
