//! Who calls, in which workspace, and whether the route is for them.
//!
//! A workspace's token says all of it. A product's key and the operator's token name the workspace in a header; a
//! token for a browser is narrowed to what it was made for. All of it is decided here, for every route.

use crate::application::error::{Error, Kind, Result};
use crate::application::kept::vault::sha256;
use crate::application::people::allowance::Allowances;
use crate::application::people::authenticate::{Authenticator, Bearer, unknown};
use crate::application::people::browser_tokens::{BrowserTicket, BrowserTokens, Maker};
use crate::application::people::caller::{Caller, Credential, KeyCaller, Member, outside_of_token};
use crate::application::people::in_progress::{InProgress, Running};
use crate::application::people::secrets::BROWSER_TOKEN_PREFIX;
use crate::application::people::sign_in::{Found, SignIns};
use crate::application::people::workspaces::{Workspaces, absent};
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::Origin;
use crate::domain::people::product_key::ProductKey;
use crate::domain::people::reach::Reach;
use crate::domain::people::scope::{Scope, Scopes};
use crate::domain::people::standing::Standing;
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::{ApiToken, Role, Workspace, WorkspaceExternalId};
use std::sync::Arc;

/// The header that names the workspace.
pub const WORKSPACE_HEADER: &str = "Sallyport-Workspace";
/// The header that names the product's person for whom something is done.
pub const ACTOR_HEADER: &str = "Sallyport-Actor";
/// What a workspace's external ID begins with in the header.
const EXTERNAL: &str = "external:";

/// What a request says of its caller.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    pub secret: &'a str,
    pub workspace: Option<&'a str>,
    pub actor: Option<&'a str>,
    pub origin: Option<&'a str>,
}

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// What a product's key needs.
    pub scope: Scope,
    /// Whether it is done in a workspace, or by the operator for all of them.
    pub place: Place,
    /// Whether a token for a browser may call it. What it may do there is for its reach to say.
    pub takes_browser_tokens: bool,
    /// Whether the service's own pages may call it, by their session's cookie.
    pub takes_sessions: bool,
}

/// Where a route's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In no workspace: the header that names one is not read.
    Service,
    Workspace,
}

/// Somebody who may call the route.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub caller: Caller,
    pub on_behalf_of: Option<SubjectId>,
    /// What a token for a browser is made by. `None`: by nothing, because the caller has one itself.
    pub maker: Option<Maker>,
    /// What a product's key may do. `None`: whatever the caller's role may.
    pub scopes: Option<Scopes>,
    /// How the workspace stands that the caller is in. `None`: it is in none.
    pub standing: Option<Standing>,
}

pub struct Admission {
    pub authenticator: Arc<Authenticator>,
    pub sign_ins: Arc<SignIns>,
    pub workspaces: Arc<Workspaces>,
    pub browser_tokens: Arc<BrowserTokens>,
    pub allowances: Arc<Allowances>,
    pub in_progress: Arc<InProgress>,
}

impl Admission {
    /// `gate`: that of the route; `None` where the address has no such method, so that nothing is done.
    pub async fn admit(&self, said: &Said<'_>, gate: Option<Gate>) -> Result<Admitted> {
        if said.secret.starts_with(BROWSER_TOKEN_PREFIX) {
            return self.browser(said, gate).await;
        }
        let bearer = self.authenticator.bearer(said.secret).await?;
        let on_behalf_of = said.actor.map(SubjectId::parse).transpose();
        let on_behalf_of = on_behalf_of.map_err(|invalid| Error::field(ACTOR_HEADER, invalid))?;
        let hash = sha256(said.secret.as_bytes());
        let admitted = match bearer {
            Bearer::Token(held) => {
                let member = member_of(held.token, on_behalf_of.clone());
                self.only_in(&member.workspace, said.workspace).await?;
                Admitted {
                    caller: Caller::Workspace(member),
                    on_behalf_of,
                    maker: Some(Maker::Token(hash)),
                    scopes: None,
                    standing: Some(held.standing),
                }
            }
            Bearer::Operator => {
                let (caller, standing) = self
                    .in_named(said, gate, Caller::Operator, Credential::Operator)
                    .await?;
                Admitted {
                    caller,
                    on_behalf_of,
                    maker: Some(Maker::Operator(hash)),
                    scopes: None,
                    standing,
                }
            }
            Bearer::Key(key) => {
                refuse_without_scope(gate, &key.scopes)?;
                let own = KeyCaller {
                    id: key.id,
                    name: key.name,
                };
                let outside = Caller::Key(own.clone());
                let (caller, standing) = self
                    .in_named(said, gate, outside, Credential::Key(own))
                    .await?;
                Admitted {
                    caller,
                    on_behalf_of,
                    maker: Some(Maker::Key(hash)),
                    scopes: Some(key.scopes),
                    standing,
                }
            }
        };
        Ok(with_subject(admitted))
    }

    /// Lets the request in, if the workspace that it is in is not suspended and within its limits. It counts, so it is
    /// asked once, when it is noted who calls.
    pub fn enter(&self, admitted: &Admitted) -> Result<()> {
        match (&admitted.caller, &admitted.standing) {
            (Caller::Workspace(member), Some(standing)) => {
                self.allowances.enter(&member.workspace, standing)
            }
            (
                Caller::Workspace(_)
                | Caller::Operator
                | Caller::Key(_)
                | Caller::InstructionLink { .. },
                _,
            ) => Ok(()),
        }
    }

    /// Counts a request of somebody in a workspace as in progress, until the guard is dropped. `None`: it is in none.
    pub fn running(&self, admitted: &Admitted) -> Result<Option<Running>> {
        match &admitted.caller {
            Caller::Workspace(member) => self.in_progress.of_workspace(&member.workspace).map(Some),
            Caller::Operator | Caller::Key(_) | Caller::InstructionLink { .. } => Ok(None),
        }
    }

    /// One of the service's own pages, by the secret of its session.
    pub async fn session(&self, said: &Said<'_>) -> Result<Admitted> {
        let member = match self.sign_ins.session(said.secret).await? {
            Found::Going(session) => Member::from(session.as_ref()),
            Found::Ended(_) | Found::Unknown => return Err(unknown()),
        };
        if said.actor.is_some() {
            return Err(actor_not_allowed(
                "A session is that of its sign-in link's person",
            ));
        }
        self.only_in(&member.workspace, said.workspace).await?;
        let workspace = self.workspaces.known(&member.workspace).await?;
        Ok(Admitted {
            on_behalf_of: member.on_behalf_of.clone(),
            caller: Caller::Workspace(member),
            maker: Some(Maker::Session(sha256(said.secret.as_bytes()))),
            scopes: None,
            standing: Some(workspace.standing),
        })
    }

    /// The caller in the workspace that the header names; `outside` without the header.
    async fn in_named(
        &self,
        said: &Said<'_>,
        gate: Option<Gate>,
        outside: Caller,
        credential: Credential,
    ) -> Result<(Caller, Option<Standing>)> {
        let is_in_workspace = gate.is_some_and(|gate| gate.place == Place::Workspace);
        match said.workspace.filter(|_| is_in_workspace) {
            None => Ok((outside, None)),
            Some(named) => {
                let workspace = self.named(named).await?;
                let member = acting(&workspace.id, credential);
                Ok((Caller::Workspace(member), Some(workspace.standing)))
            }
        }
    }

    /// The workspace that a header names. An ill-formed ID is answered like an absent one.
    async fn named(&self, text: &str) -> Result<Workspace> {
        match text.strip_prefix(EXTERNAL) {
            Some(id) => {
                let id = WorkspaceExternalId::parse(id).map_err(|_| absent())?;
                let found = self.workspaces.known_by_external_id(&id).await?;
                found.ok_or_else(absent)
            }
            None => {
                let id = WorkspaceId::parse(text).map_err(|_| absent())?;
                self.workspaces.known(&id).await
            }
        }
    }

    /// Refuses a header that names another workspace than the token's, whether there is one or not.
    async fn only_in(&self, own: &WorkspaceId, named: Option<&str>) -> Result<()> {
        let Some(text) = named else {
            return Ok(());
        };
        let is_own = match text.strip_prefix(EXTERNAL) {
            None => text == own.as_str(),
            Some(id) => {
                let workspace = self.workspaces.known(own).await?;
                let own_id = workspace.external_id;
                own_id.is_some_and(|own_id| own_id.as_str() == id)
            }
        };
        match is_own {
            true => Ok(()),
            false => Err(Error::new(
                Kind::Forbidden,
                "other_workspace",
                format!("This token belongs to one workspace, and `{WORKSPACE_HEADER}` names another one."),
            )
            .remedy("Leave the header out, or use a product key, which acts in any workspace.")),
        }
    }

    /// A page that uses a token which was made for it.
    async fn browser(&self, said: &Said<'_>, gate: Option<Gate>) -> Result<Admitted> {
        let ticket = self.browser_tokens.open(said.secret)?;
        let (maker, scopes, standing) = self.maker(&ticket).await?.ok_or_else(unknown)?;
        refuse_other_origin(&ticket.origin, said.origin)?;
        if said.actor.is_some() {
            return Err(actor_not_allowed(
                "A token for a browser was made for a person already",
            ));
        }
        self.only_in(&ticket.workspace, said.workspace).await?;
        if gate.is_some_and(|gate| !gate.takes_browser_tokens) {
            return Err(outside_of_token());
        }
        if let Some(scopes) = &scopes {
            refuse_without_scope(gate, scopes)?;
        }
        let bounds = ticket.bounds();
        let reach = maker.reach.narrowed(bounds).in_browser(ticket.operations);
        Ok(Admitted {
            on_behalf_of: ticket.on_behalf_of.clone(),
            caller: Caller::Workspace(Member {
                on_behalf_of: ticket.on_behalf_of,
                reach,
                ..maker
            }),
            maker: None,
            scopes,
            standing: Some(standing),
        })
    }

    /// Whoever made the token, as they are now, and how the workspace stands. `None`: they have ended, or are of
    /// another workspace by now.
    async fn maker(
        &self,
        ticket: &BrowserTicket,
    ) -> Result<Option<(Member, Option<Scopes>, Standing)>> {
        let workspace = &ticket.workspace;
        let found = match &ticket.maker {
            Maker::Operator(hash) => match self.authenticator.is_operator(hash).await {
                true => self
                    .standing(workspace)
                    .await?
                    .map(|standing| (acting(workspace, Credential::Operator), None, standing)),
                false => None,
            },
            Maker::Key(hash) => match self.authenticator.key(hash).await? {
                Some(ProductKey {
                    id, name, scopes, ..
                }) => self.standing(workspace).await?.map(|standing| {
                    let credential = Credential::Key(KeyCaller { id, name });
                    (acting(workspace, credential), Some(scopes), standing)
                }),
                None => None,
            },
            Maker::Token(hash) => {
                let held = self.authenticator.token(hash).await?;
                held.map(|held| (member_of(held.token, None), None, held.standing))
            }
            Maker::Session(hash) => match self.sign_ins.session_by_hash(hash).await? {
                Found::Going(session) => self
                    .standing(&session.workspace)
                    .await?
                    .map(|standing| (Member::from(session.as_ref()), None, standing)),
                Found::Ended(_) | Found::Unknown => None,
            },
        };
        Ok(found.filter(|(member, ..)| member.workspace == *workspace))
    }

    /// How the workspace stands. `None`: there is none.
    async fn standing(&self, workspace: &WorkspaceId) -> Result<Option<Standing>> {
        match self.workspaces.known(workspace).await {
            Ok(workspace) => Ok(Some(workspace.standing)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The answer to a caller for whom the header would change the person.
fn actor_not_allowed(why: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "actor_not_allowed",
        format!("{why}: `{ACTOR_HEADER}` is not taken here."),
    )
    .remedy("Name the person when the token or the sign-in link is made.")
}

/// The product's key or the operator, within a workspace.
fn acting(workspace: &WorkspaceId, credential: Credential) -> Member {
    Member {
        workspace: workspace.clone(),
        role: Role::Admin,
        credential,
        on_behalf_of: None,
        reach: Reach::everything(),
    }
}

fn member_of(token: ApiToken, on_behalf_of: Option<SubjectId>) -> Member {
    Member {
        workspace: token.workspace,
        role: token.role,
        credential: Credential::Token(token.id),
        on_behalf_of,
        reach: Reach::within(token.bounds),
    }
}

/// Whoever acts in a workspace does so for the person that the request names.
fn with_subject(mut admitted: Admitted) -> Admitted {
    if let Caller::Workspace(member) = &mut admitted.caller {
        member.on_behalf_of = admitted.on_behalf_of.clone();
    }
    admitted
}

fn refuse_without_scope(gate: Option<Gate>, scopes: &Scopes) -> Result<()> {
    match gate {
        Some(gate) if !scopes.allow(gate.scope) => Err(missing_scope(gate.scope)),
        Some(_) | None => Ok(()),
    }
}

/// The answer to a product's key without this scope.
pub fn missing_scope(scope: Scope) -> Error {
    let scope = scope.as_str();
    Error::new(
        Kind::Forbidden,
        "missing_scope",
        format!("This key does not have the scope `{scope}`, which this request needs."),
    )
    .remedy("Use a key that has the scope. A key's scopes do not change: the operator makes another key.")
    .member("scope", scope)
}

/// A browser says by itself which page calls. A call without it is no page's.
fn refuse_other_origin(own: &Origin, said: Option<&str>) -> Result<()> {
    let said = said.and_then(|origin| Origin::parse(origin).ok());
    match said.is_some_and(|origin| origin == *own) {
        true => Ok(()),
        false => Err(Error::new(
            Kind::Forbidden,
            "origin_mismatch",
            format!("This token is for pages of {own}, and the request's `Origin` is another one or absent."),
        )
        .remedy("Make a token for the origin of the page that uses it.")),
    }
}
