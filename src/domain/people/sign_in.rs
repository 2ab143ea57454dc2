//! How people come to the pages: sign-in links, sessions, and the link for the AWS administrator.

use crate::domain::Invalid;
use crate::domain::ids::{InstructionLinkId, SessionId, SetupId, SignInLinkId, WorkspaceId};
use crate::domain::invalid::shown;
use crate::domain::people::audit::Actor;
use crate::domain::people::workspace::Role;
use time::OffsetDateTime;
use url::Url;

/// A link that signs somebody in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    pub id: SignInLinkId,
    pub workspace: WorkspaceId,
    pub role: Role,
    pub purpose: Purpose,
    pub return_url: Option<ReturnUrl>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// What somebody is sent to the pages for, and so where they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Settings,
    AddStorage,
    Projects,
}

impl Purpose {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "settings" => Ok(Self::Settings),
            "add_storage" => Ok(Self::AddStorage),
            "projects" => Ok(Self::Projects),
            other => Err(Invalid::new(
                "unknown_purpose",
                format!(
                    "`{}` is not a purpose: use `settings`, `add_storage` or `projects`.",
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
        }
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
}

/// Somebody signed in to the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub workspace: WorkspaceId,
    pub role: Role,
    pub return_url: Option<ReturnUrl>,
    pub created_at: OffsetDateTime,
    /// When it was last used, to the minute.
    pub seen_at: OffsetDateTime,
    /// When it ends whatever happens.
    pub expires_at: OffsetDateTime,
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
}
