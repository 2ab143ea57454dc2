//! How people come to the pages: sign-in links, sessions, and the link for the AWS administrator.

use crate::domain::Invalid;
use crate::domain::ids::{
    InstructionLinkId, KeyId, SessionId, SetupId, SignInLinkId, StorageId, StorageRef, TokenId,
    WorkspaceId,
};
use crate::domain::invalid::shown;
use crate::domain::origin::Origin;
use crate::domain::people::audit::Actor;
use crate::domain::people::subject::Subject;
use crate::domain::people::workspace::Role;
use time::OffsetDateTime;
use url::Url;

/// The secret that a sign-in link was made with. The link, and the session that came of it, end with the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkMaker {
    Token(TokenId),
    Key(KeyId),
}

impl LinkMaker {
    /// `None`: whoever made it has no secret that could be taken away by itself.
    pub fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Token(id) => Some(Self::Token(id.clone())),
            Actor::Key(id) => Some(Self::Key(id.clone())),
            Actor::Anonymous
            | Actor::Operator
            | Actor::Session(_)
            | Actor::InstructionLink(_)
            | Actor::Service => None,
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Token(id) => id.as_str(),
            Self::Key(id) => id.as_str(),
        }
    }

    pub fn token(&self) -> Option<&TokenId> {
        match self {
            Self::Token(id) => Some(id),
            Self::Key(_) => None,
        }
    }

    pub fn key(&self) -> Option<&KeyId> {
        match self {
            Self::Key(id) => Some(id),
            Self::Token(_) => None,
        }
    }
}

/// A link that signs somebody in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    pub id: SignInLinkId,
    pub workspace: WorkspaceId,
    pub role: Role,
    pub arrival: Arrival,
    pub way_back: WayBack,
    pub subject: Option<Subject>,
    /// `None`: the operator, or a release that did not write it down.
    pub made_by: Option<LinkMaker>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// A link that has begun a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedLink {
    pub session: SessionId,
    pub arrival: Arrival,
    pub way_back: WayBack,
}

/// What somebody is sent to the pages for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Settings,
    AddStorage,
    Projects,
    /// A setup that the product opened.
    Setup,
    /// A storage's page.
    Storage,
    /// A storage's files.
    Files,
}

impl Purpose {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "settings" => Ok(Self::Settings),
            "add_storage" => Ok(Self::AddStorage),
            "projects" => Ok(Self::Projects),
            "setup" => Ok(Self::Setup),
            "storage" => Ok(Self::Storage),
            "files" => Ok(Self::Files),
            other => Err(Invalid::new(
                "unknown_purpose",
                format!(
                    "`{}` is not a purpose: use `settings`, `add_storage`, `projects`, `setup`, `storage` or `files`.",
                    shown(other)
                ),
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::AddStorage => "add_storage",
            Self::Projects => "projects",
            Self::Setup => "setup",
            Self::Storage => "storage",
            Self::Files => "files",
        }
    }
}

/// Where somebody arrives: a purpose with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Settings,
    AddStorage,
    Projects,
    Setup(SetupId),
    Storage(StorageRef),
    Files(StorageRef),
}

impl Arrival {
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Settings => Purpose::Settings,
            Self::AddStorage => Purpose::AddStorage,
            Self::Projects => Purpose::Projects,
            Self::Setup(_) => Purpose::Setup,
            Self::Storage(_) => Purpose::Storage,
            Self::Files(_) => Purpose::Files,
        }
    }

    /// From what is stored. `AddStorage` with the setup that was opened is an arrival at that setup.
    pub fn of(purpose: Purpose, target: Option<&str>) -> Result<Self, Invalid> {
        let named = |target: Option<&str>| {
            target.map(str::to_owned).ok_or_else(|| {
                Invalid::new(
                    "missing_target",
                    format!("The purpose `{}` needs an ID.", purpose.as_str()),
                )
            })
        };
        Ok(match (purpose, target) {
            (Purpose::Settings, _) => Self::Settings,
            (Purpose::Projects, _) => Self::Projects,
            (Purpose::AddStorage, None) => Self::AddStorage,
            (Purpose::AddStorage, Some(setup)) => Self::Setup(SetupId::parse(setup)?),
            (Purpose::Setup, target) => Self::Setup(SetupId::parse(&named(target)?)?),
            (Purpose::Storage, target) => Self::Storage(StorageRef::parse(&named(target)?)?),
            (Purpose::Files, target) => Self::Files(StorageRef::parse(&named(target)?)?),
        })
    }

    /// The ID of what it is about.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Settings | Self::AddStorage | Self::Projects => None,
            Self::Setup(setup) => Some(setup.as_str()),
            Self::Storage(storage) | Self::Files(storage) => Some(storage.as_str()),
        }
    }
}

/// How people come back to the product, and whether its page is around ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WayBack {
    /// Where the dialog sends the browser when it ends.
    pub return_url: Option<ReturnUrl>,
    /// Where a new link can be had: instead of one that was used or has expired, and after a session has ended.
    pub refresh_url: Option<ReturnUrl>,
    /// Whether the pages are shown in a frame of the product's.
    pub embed: bool,
}

impl WayBack {
    /// Where to send whoever cannot go on here.
    pub fn elsewhere(&self) -> Option<&ReturnUrl> {
        self.refresh_url.as_ref().or(self.return_url.as_ref())
    }
}

/// Where the product wants people back: an `https` (or `http`) address of at most 2000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnUrl(Url);

impl ReturnUrl {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Url::parse(value)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .filter(|url| url.as_str().len() <= 2000)
            .map(Self)
            .ok_or_else(|| {
                Invalid::new(
                    "invalid_return_url",
                    format!(
                        "`{}` is not a web address to return to: it looks like `https://app.example.com/settings`.",
                        shown(value)
                    ),
                )
            })
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the address is at one of these origins.
    pub fn is_at(&self, origins: &[Origin]) -> bool {
        origins.contains(&self.origin())
    }

    /// The origin of the page there.
    pub fn origin(&self) -> Origin {
        Origin::of(&self.0)
    }

    /// The address that says what came of the dialog: `status`, `setup_id`, `storage_id` after the
    /// product's own query, in place of what it has by these names.
    pub fn with(&self, end: &DialogEnd) -> String {
        let mut url = self.0.clone();
        let is_ours = |name: &str| matches!(name, "status" | "setup_id" | "storage_id");
        if url.query_pairs().any(|(name, _)| is_ours(&name)) {
            // Of two values a product may read the first.
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| !is_ours(name))
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(others);
        }
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("status", end.status());
            query.append_pair("setup_id", end.setup().as_str());
            if let DialogEnd::Completed { storage, .. } = end {
                query.append_pair("storage_id", storage.as_str());
            }
        }
        url.into()
    }
}

/// What came of the dialog that adds a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialogEnd {
    Completed { setup: SetupId, storage: StorageId },
    Closed { setup: SetupId },
}

impl DialogEnd {
    pub fn status(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "completed",
            Self::Closed { .. } => "closed",
        }
    }

    pub fn setup(&self) -> &SetupId {
        match self {
            Self::Completed { setup, .. } | Self::Closed { setup } => setup,
        }
    }
}

/// Somebody signed in to the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub workspace: WorkspaceId,
    pub role: Role,
    pub way_back: WayBack,
    pub subject: Option<Subject>,
    /// The link that it began with. `None`: it began with a token, or a release without this made it.
    pub link: Option<SignInLinkId>,
    /// What its link was made with.
    pub made_by: Option<LinkMaker>,
    pub created_at: OffsetDateTime,
    /// When it was last used, to the minute.
    pub seen_at: OffsetDateTime,
    /// When it ends whatever happens.
    pub expires_at: OffsetDateTime,
}

/// The session at an OpenID provider that a session here began from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSession {
    pub issuer: String,
    /// The provider's ID of the person (`sub`).
    pub subject: String,
    /// The provider's ID of its session (`sid`). `None`: it names none.
    pub session: Option<String>,
}

/// What an OpenID provider ends: one of its sessions, or all of a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerLogout {
    pub issuer: String,
    pub of: EndedAtIssuer,
}

/// Whose sessions an OpenID provider ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedAtIssuer {
    /// Those that began from the session with this ID (`sid`).
    Session(String),
    /// Those of the person with this ID (`sub`).
    Subject(String),
}

/// A link for the customer's AWS administrator: it shows one setup's documents and takes the role's
/// ARN, and has no other power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionLink {
    pub id: InstructionLinkId,
    pub workspace: WorkspaceId,
    pub setup: SetupId,
    /// `None`: an earlier release did not write it down.
    pub made_by: Option<Actor>,
    pub created_at: OffsetDateTime,
    /// When it was last opened, to the minute.
    pub last_used_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_urls_lead_to_web_pages_only() {
        assert!(ReturnUrl::parse("https://app.example.com/a?b=c#d").is_ok());
        for text in [
            "",
            "/relative",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://u:p@a/",
            "//a",
        ] {
            assert!(ReturnUrl::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_product_s_own_query_stays_and_the_end_of_the_dialog_is_added() {
        let url = ReturnUrl::parse("https://app.example.com/back?tenant=a%26b#here").unwrap();
        let setup = SetupId::generate();
        let storage = StorageId::generate();
        let closed = DialogEnd::Closed {
            setup: setup.clone(),
        };
        assert_eq!(
            url.with(&closed),
            format!(
                "https://app.example.com/back?tenant=a%26b&status=closed&setup_id={setup}#here"
            )
        );
        let completed = DialogEnd::Completed {
            setup: setup.clone(),
            storage: storage.clone(),
        };
        assert_eq!(
            url.with(&completed),
            format!(
                "https://app.example.com/back?tenant=a%26b&status=completed&setup_id={setup}&storage_id={storage}#here"
            )
        );
    }

    #[test]
    fn what_the_product_s_query_has_by_our_names_is_replaced() {
        let url =
            ReturnUrl::parse("https://app.example.com/back?status=mine&x=1&storage_id=2").unwrap();
        let setup = SetupId::generate();
        let closed = DialogEnd::Closed {
            setup: setup.clone(),
        };
        let wanted = format!("https://app.example.com/back?x=1&status=closed&setup_id={setup}");
        assert_eq!(url.with(&closed), wanted);
    }

    #[test]
    fn an_address_is_at_an_allowed_origin_by_scheme_host_and_port() {
        let origins = ["https://app.example.com", "http://localhost:3000"]
            .map(|origin| Origin::parse(origin).unwrap());
        let is_at = |url: &str| ReturnUrl::parse(url).unwrap().is_at(&origins);
        assert!(is_at("https://app.example.com/a") && is_at("https://app.example.com:443/a"));
        assert!(is_at("http://localhost:3000/"));
        for url in [
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "https://app.example.com.evil.example/",
            "https://evil.example/?https://app.example.com",
            "http://localhost/",
        ] {
            assert!(!is_at(url), "{url}");
        }
    }
}
