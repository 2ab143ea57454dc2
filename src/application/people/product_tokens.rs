//! Signing in by a token that the product has signed, in place of a sign-in link.
//!
//! The person's browser brings the token, with fields beside it that the person can change. So who they are, their
//! workspace and their role come from the token alone.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::UsedToken;
use crate::application::kept::vault::sha256;
use crate::application::people::issuer::{
    DocumentPlace, IssuerKeys, NoAnswer, NotVerified, unavailable,
};
use crate::application::people::sign_in::{Begun, NewLink, SignIns, no_workspace};
use crate::application::people::workspaces::Workspaces;
use crate::domain::Invalid;
use crate::domain::names::Name;
use crate::domain::people::claims::{Claims, Expected, Refused};
use crate::domain::people::sign_in::{Arrival, WayBack};
use crate::domain::people::subject::{Subject, SubjectId};
use crate::domain::people::workspace::Role;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How far ahead a token's end may be.
const LONGEST_LIFE: Duration = Duration::from_secs(600);

/// The claim that names the workspace, by either of its IDs.
const WORKSPACE: &str = "workspace";

/// Signing in by the tokens of one issuer.
pub struct ProductTokens {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` may be: the service's address, with and without the slash at its end.
    pub audiences: Vec<String>,
    pub place: DocumentPlace,
    pub keys: IssuerKeys,
    pub clock: Arc<dyn Clock>,
    pub sign_ins: Arc<SignIns>,
    pub workspaces: Arc<Workspaces>,
}

/// What the browser says beside the token.
pub struct Wish {
    /// At most that of the token. `None`: that of the token.
    pub role: Option<Role>,
    /// `None`: the start.
    pub arrival: Option<Arrival>,
    pub way_back: WayBack,
}

/// What a token says.
struct Person {
    subject: Subject,
    role: Role,
    workspace: String,
    token: UsedToken,
}

impl ProductTokens {
    /// Reads the keys, so that a mistake in the settings is found at the start.
    pub async fn load(&self) -> std::result::Result<(), NoAnswer> {
        self.keys.load(&self.place).await
    }

    /// Verifies the token, uses it up and begins a session.
    pub async fn sign_in(&self, token: &str, wish: Wish) -> Result<Begun> {
        let verified = self.keys.verify(&self.place, token).await;
        let claims = verified.map_err(|error| match error {
            NotVerified::Refused(refused) => token_refused(refused),
            NotVerified::NoKeys(cause) => unavailable(&cause),
        })?;
        let person = self.person(&claims).map_err(token_refused)?;
        let role = match wish.role {
            Some(role) if role > person.role => {
                let detail = format!(
                    "The token does not give the role `{}`: its claim `role` does not say so.",
                    role.as_str()
                );
                return Err(Error::field(
                    "role",
                    Invalid::new("role_not_granted", detail),
                ));
            }
            Some(role) => role,
            None => person.role,
        };
        let workspace = self.workspaces.named(&person.workspace).await?;
        let workspace = workspace.ok_or_else(|| no_workspace(WORKSPACE))?;
        let new = NewLink {
            role,
            arrival: wish.arrival.unwrap_or(match role {
                Role::Admin => Arrival::Settings,
                Role::Member => Arrival::Projects,
            }),
            way_back: wish.way_back,
            subject: Some(person.subject),
        };
        self.sign_ins.check(&workspace.id, &new).await?;
        let begun = self
            .sign_ins
            .begin_by_token(&workspace.id, new, &person.token, None)
            .await?;
        begun.ok_or_else(|| {
            Error::new(
                Kind::Unauthenticated,
                "sign_in_token_used",
                "This token has been used. Each signs somebody in once.",
            )
            .remedy(
                "Go back to the product that you came from, and open this page again from there.",
            )
        })
    }

    fn person(&self, claims: &Claims) -> std::result::Result<Person, Refused> {
        let expected = Expected {
            issuer: &self.issuer,
            audiences: &self.audiences,
            longest: Some(LONGEST_LIFE),
        };
        claims.check(&expected, self.clock.now())?;
        let sub = claims.text("sub")?.ok_or(Refused::Missing("sub"))?;
        let name = match claims.text("name")? {
            Some(name) => Some(Name::parse(name).map_err(|_| Refused::WrongForm("name"))?),
            None => None,
        };
        let role = match claims.text("role")? {
            Some(role) => Role::parse(role).map_err(|_| Refused::WrongForm("role"))?,
            None => Role::Member,
        };
        let used = format!("product\n{}\n{}", self.issuer, claims.token_id()?);
        Ok(Person {
            subject: Subject {
                id: SubjectId::parse(sub).map_err(|_| Refused::WrongForm("sub"))?,
                name,
            },
            role,
            workspace: claims
                .id(WORKSPACE)?
                .ok_or(Refused::Missing(WORKSPACE))?
                .to_owned(),
            token: UsedToken {
                hash: sha256(used.as_bytes()),
                expires_at: OffsetDateTime::from_unix_timestamp(claims.end()?)
                    .map_err(|_| Refused::WrongForm("exp"))?,
            },
        })
    }
}

fn token_refused(refused: Refused) -> Error {
    Error::new(
        Kind::Unauthenticated,
        "sign_in_token_refused",
        format!("This token cannot be accepted. {}", refused.why()),
    )
    .remedy("Go back to the product that you came from, and open this page again from there.")
}
