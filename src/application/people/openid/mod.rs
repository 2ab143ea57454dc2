//! Signing in at an OpenID provider: by the authorization code flow, with PKCE, a state and a nonce that are tied to
//! the browser (OpenID Connect Core 1.0; RFC 9700).

mod choice;
mod ending;
mod pending;
mod provider;
mod tokens;

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{Store, UsedToken};
use crate::application::kept::vault::{Vault, sha256};
use crate::application::people::issuer::{
    IssuerClient, IssuerKeys, NoAnswer, NotVerified, unavailable,
};
use crate::application::people::sign_in::{Begun, NewLink, SignIns, no_workspace};
use crate::application::people::workspaces::Workspaces;
use crate::domain::invalid::shown;
use crate::domain::names::Name;
use crate::domain::people::claims::{Claims, Expected, Refused};
use crate::domain::people::issuer_url::IssuerUrl;
use crate::domain::people::return_path::ReturnPath;
use crate::domain::people::sign_in::{Arrival, IssuerSession, ReturnUrl, WayBack};
use crate::domain::people::subject::{Subject, SubjectId};
use crate::domain::people::workspace::{Role, Workspace};
use choice::{Choice, Wanted};
use pending::Pending;
use provider::{Described, Kept, Provider};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Mutex, Semaphore};
use url::Url;

/// How long somebody may take at the provider.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// How many answers of the provider are worked on at the same time.
const AT_ONCE: usize = 16;

/// What the operator has agreed with the provider.
#[derive(Debug, Clone)]
pub struct OpenIdClient {
    pub issuer: IssuerUrl,
    pub id: String,
    /// `None`: a public client, which PKCE alone protects.
    pub secret: Option<SecretString>,
    pub workspace_claim: String,
    pub role_claim: String,
    pub operator_claim: Option<ClaimTest>,
}

/// A claim that must be true, or have the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTest {
    pub claim: String,
    pub value: Option<String>,
}

/// The addresses of the service that the provider and people come back to.
#[derive(Debug, Clone)]
pub struct OwnAddresses {
    /// Where signing in begins.
    pub begin: String,
    pub callback: String,
    /// Where people arrive who have signed out.
    pub signed_out: String,
}

/// Signing in at one provider.
pub struct OpenIdSignIn {
    settings: OpenIdClient,
    /// The client's secret of now. That of the settings is the first one.
    secret: RwLock<Option<SecretString>>,
    addresses: OwnAddresses,
    described: Described,
    keys: IssuerKeys,
    client: Arc<dyn IssuerClient>,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    sign_ins: Arc<SignIns>,
    workspaces: Arc<Workspaces>,
    at_once: Semaphore,
}

/// What signing in needs of the service.
pub struct OpenIdParts {
    pub client: Arc<dyn IssuerClient>,
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
    pub sign_ins: Arc<SignIns>,
    pub workspaces: Arc<Workspaces>,
}

/// A sign-in that has begun.
pub struct SentAway {
    /// The provider's page.
    pub to: String,
    /// For the browser to bring back.
    pub sealed: SecretString,
}

/// What the provider sends with the browser. More than this is ignored: providers add parameters of their own.
#[derive(Debug, Default)]
pub struct ProviderAnswer {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
}

/// What came of a sign-in.
pub enum Finished {
    SignedIn {
        begun: Begun,
        /// Where the person wanted to go.
        return_to: Option<ReturnPath>,
    },
    /// The person may enter several workspaces, and has named none.
    Choose {
        workspaces: Vec<Workspace>,
        /// Whether there are more than those.
        has_more: bool,
    },
}

impl OpenIdSignIn {
    pub fn new(settings: OpenIdClient, addresses: OwnAddresses, parts: OpenIdParts) -> Self {
        Self {
            described: Described {
                client: parts.client.clone(),
                clock: parts.clock.clone(),
                issuer: settings.issuer.clone(),
                kept: Mutex::new(Kept::default()),
            },
            keys: IssuerKeys::new(parts.client.clone(), parts.clock.clone()),
            secret: RwLock::new(settings.secret.clone()),
            settings,
            addresses,
            client: parts.client,
            store: parts.store,
            vault: parts.vault,
            clock: parts.clock,
            sign_ins: parts.sign_ins,
            workspaces: parts.workspaces,
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// Uses this secret of the client from now on. Whether it is another one than before.
    pub fn replace_secret(&self, secret: Option<SecretString>) -> bool {
        let mut kept = self.secret.write().unwrap_or_else(PoisonError::into_inner);
        let is_same = match (kept.as_ref(), secret.as_ref()) {
            (Some(one), Some(other)) => one.expose_secret() == other.expose_secret(),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        *kept = secret;
        !is_same
    }

    fn secret(&self) -> Option<SecretString> {
        let kept = self.secret.read().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    /// Sends somebody to the provider. `workspace`: the one to enter, by either of its IDs.
    pub async fn begin(
        &self,
        workspace: Option<String>,
        return_to: Option<&ReturnPath>,
    ) -> Result<SentAway> {
        let provider = self.provider().await?;
        let pending = Pending::new(workspace, return_to, self.clock.now() + PATIENCE)?;
        let mut to = provider.authorization.clone();
        to.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.id)
            .append_pair("redirect_uri", &self.addresses.callback)
            .append_pair(
                "scope",
                match provider.has_profile {
                    true => "openid profile",
                    false => "openid",
                },
            )
            .append_pair("state", pending.state())
            .append_pair("nonce", pending.nonce())
            .append_pair("code_challenge", &pending.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(SentAway {
            to: to.into(),
            sealed: pending.seal(&self.vault)?.into(),
        })
    }

    /// Signs in the person that the provider sends back. `sealed`: what the browser has kept since it was sent away.
    pub async fn finish(&self, answer: ProviderAnswer, sealed: Option<&str>) -> Result<Finished> {
        let now = self.clock.now();
        let pending = sealed
            .and_then(|sealed| Pending::open(&self.vault, sealed, now))
            .filter(|pending| {
                let state = answer.state.as_deref();
                state.is_some_and(|state| pending.has_state(state))
            })
            .ok_or_else(|| {
                failed("This sign-in was not begun in this browser, or it took longer than 10 minutes.")
            })?;
        let provider = self.provider().await?;
        // An answer of another provider must not be taken for this one's (RFC 9207).
        let is_from_it = match &answer.iss {
            Some(issuer) => issuer == self.settings.issuer.as_str(),
            None => !provider.names_itself,
        };
        if !is_from_it {
            return Err(failed("The answer is from another identity provider."));
        }
        if let Some(error) = &answer.error {
            return Err(failed("The identity provider did not sign you in.")
                .internal(format!("the provider's error: {}", shown(error))));
        }
        let code = answer
            .code
            .filter(|code| !code.is_empty())
            .ok_or_else(|| failed("The identity provider did not sign you in."))?;
        let Ok(_permit) = self.at_once.try_acquire() else {
            let cause = NoAnswer("too many people sign in at the same time".to_owned());
            return Err(unavailable(&cause));
        };
        let tokens = self.redeem(&provider, &code, &pending).await?;
        let mut claims = self
            .keys
            .verify(&provider.keys, &tokens.id_token)
            .await
            .map_err(|error| not_verified(error, id_token_refused))?;
        self.check(&claims, now)
            .and_then(|()| claims.check_id_token(&self.settings.id, pending.nonce()))
            .map_err(id_token_refused)?;
        self.complete(&provider, &mut claims, tokens.access_token.as_ref())
            .await?;
        self.enter(&claims, &pending, now).await
    }

    async fn provider(&self) -> Result<Arc<Provider>> {
        let provider = self.described.provider().await;
        provider.map_err(|cause| unavailable(&cause))
    }

    fn check(&self, claims: &Claims, now: OffsetDateTime) -> std::result::Result<(), Refused> {
        let expected = Expected {
            issuer: self.settings.issuer.as_str(),
            audiences: std::slice::from_ref(&self.settings.id),
            longest: None,
        };
        claims.check(&expected, now)
    }

    /// Lets somebody in who is known by the claims.
    async fn enter(
        &self,
        claims: &Claims,
        pending: &Pending,
        now: OffsetDateTime,
    ) -> Result<Finished> {
        let settings = &self.settings;
        let sub = claims
            .id("sub")
            .and_then(|sub| sub.ok_or(Refused::Missing("sub")))
            .map_err(id_token_refused)?;
        let subject = Subject {
            id: SubjectId::parse(sub).map_err(|_| id_token_refused(Refused::WrongForm("sub")))?,
            name: claims
                .text("name")
                .ok()
                .flatten()
                .and_then(|name| Name::parse(name).ok()),
        };
        let session = IssuerSession {
            issuer: settings.issuer.as_str().to_owned(),
            subject: sub.to_owned(),
            session: claims
                .id("sid")
                .map_err(id_token_refused)?
                .map(str::to_owned),
        };
        let is_operator = settings
            .operator_claim
            .as_ref()
            .is_some_and(|test| claims.holds(&test.claim, test.value.as_deref()));
        let wanted = Wanted {
            named: claims.texts(&settings.workspace_claim),
            workspace: pending.workspace(),
            is_operator,
        };
        let workspace = match wanted.of(&self.workspaces).await? {
            Choice::Nothing => return Err(no_workspace(&settings.workspace_claim)),
            Choice::One(workspace) => workspace,
            Choice::Several(workspaces, has_more) => {
                return Ok(Finished::Choose {
                    workspaces,
                    has_more,
                });
            }
        };
        let is_admin = is_operator || claims.holds(&settings.role_claim, Some("admin"));
        let (role, arrival) = match is_admin {
            true => (Role::Admin, Arrival::Settings),
            false => (Role::Member, Arrival::Projects),
        };
        let new = NewLink {
            role,
            arrival,
            way_back: WayBack {
                refresh_url: self.again(&workspace),
                ..WayBack::default()
            },
            subject: Some(subject),
        };
        let token = UsedToken {
            hash: sha256(format!("state\n{}", pending.state()).as_bytes()),
            expires_at: now + PATIENCE,
        };
        let begun = self
            .sign_ins
            .begin_by_token(&workspace.id, new, &token, Some(&session))
            .await?
            .ok_or_else(|| failed("This sign-in was finished before."))?;
        Ok(Finished::SignedIn {
            begun,
            return_to: pending.return_to(),
        })
    }

    /// Where to sign in again after the session has ended.
    fn again(&self, workspace: &Workspace) -> Option<ReturnUrl> {
        let mut url = Url::parse(&self.addresses.begin).ok()?;
        url.query_pairs_mut()
            .append_pair("workspace", workspace.id.as_str());
        ReturnUrl::parse(url.as_str()).ok()
    }
}

fn not_verified(error: NotVerified, refuse: impl FnOnce(Refused) -> Error) -> Error {
    match error {
        NotVerified::Refused(refused) => refuse(refused),
        NotVerified::NoKeys(cause) => unavailable(&cause),
    }
}

fn id_token_refused(refused: Refused) -> Error {
    failed("The identity provider's answer cannot be accepted.")
        .internal(format!("the ID token: {}", refused.why()))
}

fn failed(detail: &str) -> Error {
    Error::new(Kind::Unauthenticated, "sign_in_failed", detail).remedy(
        "Start the sign-in again. If the problem persists, tell the operator of this service.",
    )
}
