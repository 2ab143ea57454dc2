//! The web origins whose pages may call the API: those of the settings, and those that a workspace adds.
//!
//! A browser asks before it calls, and names no workspace then. It is answered for an origin that the settings or
//! any workspace allows; the call itself is answered for the origins of its caller's workspace. Anybody can ask with
//! made-up origins. What that costs is bounded: answers are remembered for a second, and few look-ups run at the same
//! time. What a caller's own workspace allows is known to the store.

use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::store::Store;
use crate::application::people::caller::{Admin, Caller, Member};
use crate::domain::Invalid;
use crate::domain::ids::WorkspaceId;
use crate::domain::origin::{Origin, OriginPattern};
use moka::future::Cache;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// How many origins a workspace allows at most.
pub const MOST_ORIGINS: usize = 20;

/// For how long it is remembered whether any workspace allows an origin: another replica's change is seen after this.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How many answers are remembered. An origin has a few hundred bytes at most.
const MOST_REMEMBERED: u64 = 10_000;
/// How many look-ups of origins that no workspace is known for run at the same time.
const AT_ONCE: usize = 2;
/// How many errors one answer names. A request has no more origins than a body holds.
const MOST_ERRORS: usize = 100;
/// A longer one is no origin: a host name has 253 characters at most (RFC 1035, 2.3.4).
const LONGEST: usize = 300;

pub struct AllowedOrigins {
    store: Arc<dyn Store>,
    everywhere: Vec<Origin>,
    /// That of the service's own pages.
    own: Origin,
    /// Whether the service itself is reached by plain `http`, as in development.
    is_plain: bool,
    of_any: Cache<Origin, bool>,
    turns: Semaphore,
}

impl AllowedOrigins {
    /// `everywhere`: the origins that are allowed for every workspace. `public_url`: the address of the service.
    pub fn new(store: Arc<dyn Store>, everywhere: Vec<Origin>, public_url: &Url) -> Self {
        Self {
            store,
            everywhere,
            own: Origin::of(public_url),
            is_plain: public_url.scheme() == "http",
            of_any: Cache::builder()
                .max_capacity(MOST_REMEMBERED)
                .time_to_live(REMEMBERED)
                .build(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// The origins that the admin's workspace adds to those of the settings.
    pub async fn list(&self, admin: &Admin) -> Result<Vec<OriginPattern>> {
        Ok(self.store.workspace_origins(admin.workspace()).await?)
    }

    /// Replaces them. One that is there twice counts once. Where the service is reached by `https`, an origin by plain
    /// `http` is refused, unless it is the browser's own machine: what comes from there can be anybody's.
    pub async fn set(
        &self,
        admin: &Admin,
        mut origins: Vec<OriginPattern>,
    ) -> Result<Vec<OriginPattern>> {
        let insecure = origins
            .iter()
            .enumerate()
            .filter(|(_, origin)| !self.is_plain && origin.is_insecure());
        let errors: Vec<FieldError> = insecure
            .map(|(at, origin)| {
                let detail = format!(
                    "`{origin}` is not `https`, so anyone between it and a browser can pose as it. Only `localhost`, `127.0.0.1` and `[::1]` may use `http`."
                );
                let invalid = Invalid::new("insecure_origin", detail);
                FieldError::new(format!("origins[{at}]"), invalid)
            })
            .take(MOST_ERRORS)
            .collect();
        if !errors.is_empty() {
            return Err(Error::invalid(errors));
        }
        let mut seen = HashSet::new();
        origins.retain(|origin| seen.insert(origin.clone()));
        if origins.len() > MOST_ORIGINS {
            return Err(Error::field(
                "origins",
                Invalid::new(
                    "too_many_origins",
                    format!("A workspace allows at most {MOST_ORIGINS} origins."),
                ),
            ));
        }
        let workspace = admin.workspace();
        if !self
            .store
            .set_workspace_origins(workspace, &origins)
            .await?
        {
            return Err(Error::not_found("workspace"));
        }
        self.of_any.invalidate_all();
        Ok(origins)
    }

    /// Refuses an origin whose pages may not call for this member: a browser would keep every answer from them. The
    /// service's own pages are always admitted.
    pub async fn admit(&self, origin: &Origin, member: &Member) -> Result<()> {
        let caller = Caller::Workspace(member.clone());
        if *origin == self.own || self.allow(origin.as_str(), Some(&caller)).await? {
            return Ok(());
        }
        let detail = format!(
            "Pages of {origin} may not call the API from a browser, so they could not use the token."
        );
        let mut refused = Error::new(Kind::Unprocessable, "origin_not_allowed", detail.as_str())
            .remedy("Add the origin with `PUT /v1/workspace/origins`, or for all workspaces in `SALLYPORT_ALLOWED_ORIGINS`.");
        let invalid = Invalid::new("origin_not_allowed", detail);
        refused.fields.push(FieldError::new("origin", invalid));
        Err(refused)
    }

    /// Whether a page of this origin may read the answer to this caller. `None`: nobody knows who calls, as in a
    /// preflight or where the token is no longer good; then any workspace's word counts.
    pub async fn allow(&self, origin: &str, caller: Option<&Caller>) -> Result<bool> {
        let Some(origin) = as_sent(origin) else {
            return Ok(false);
        };
        if self.everywhere.contains(&origin) {
            return Ok(true);
        }
        match caller {
            None => self.any_allows(origin).await,
            Some(Caller::Workspace(member)) => self.one_allows(&member.workspace, &origin).await,
            Some(Caller::Operator | Caller::Key(_) | Caller::InstructionLink { .. }) => Ok(false),
        }
    }

    async fn one_allows(&self, workspace: &WorkspaceId, origin: &Origin) -> Result<bool> {
        let patterns = self.store.known_origins(workspace).await?;
        Ok(patterns.iter().any(|pattern| pattern.matches(origin)))
    }

    async fn any_allows(&self, origin: Origin) -> Result<bool> {
        if let Some(known) = self.of_any.get(&origin).await {
            return Ok(known);
        }
        let _turn = self.turns.acquire().await.map_err(Error::bug)?;
        // Perhaps somebody asked for the same while this one waited.
        if let Some(known) = self.of_any.get(&origin).await {
            return Ok(known);
        }
        let texts = OriginPattern::texts_matching(&origin);
        let allowed = self.store.any_workspace_allows(&texts).await?;
        self.of_any.insert(origin, allowed).await;
        Ok(allowed)
    }
}

/// An origin as browsers send it, and nothing else: what is sent back must be the same text.
fn as_sent(text: &str) -> Option<Origin> {
    if text.len() > LONGEST {
        return None;
    }
    Origin::parse(text)
        .ok()
        .filter(|origin| origin.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_as_browsers_send_it_counts() {
        assert!(as_sent("https://app.example.com").is_some());
        assert!(as_sent("http://localhost:3000").is_some());
        for text in [
            "null",
            "*",
            "https://app.example.com/",
            "https://APP.example.com",
            "https://app.example.com:443",
            "https://app.example.com, https://other.example.com",
            &format!("https://{}.example.com", "a.".repeat(150)),
        ] {
            assert_eq!(as_sent(text), None, "{text:?}");
        }
    }
}
