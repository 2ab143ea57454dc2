//! What every page has around its content.

use crate::http::assets;
use crate::http::brand::Brand;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::pages::shell::session::Visitor;
use crate::http::state::Site;
use std::sync::Arc;

/// The frame of a page.
pub struct Chrome {
    pub style: &'static str,
    pub script: &'static str,
    pub htmx: &'static str,
    pub icon: &'static str,
    /// The sprite that icons are taken from.
    pub icons: &'static str,
    pub brand: Arc<Brand>,
    pub section: Section,
    /// `None`: nobody is signed in.
    pub who: Option<Who>,
    /// What was just done.
    pub flash: Option<Flash>,
    /// The page is in a frame of the product's.
    pub embed: Option<Embed>,
    csrf: Option<Csrf>,
}

/// A message at the top of a page: its state (`good`, `warn`, `bad`) and its words.
#[derive(Debug, Clone, Copy)]
pub struct Flash {
    pub kind: &'static str,
    pub words: &'static str,
}

/// What a page in a frame needs for speaking with the page around it.
#[derive(Debug, Clone)]
pub struct Embed {
    pub script: &'static str,
    /// The only origin that messages go to. `None`: the link named no address to return to, so no message is sent.
    pub origin: Option<String>,
    /// What came of the dialog, as the message to send.
    pub end: Option<EndMessage>,
}

/// The end of the dialog, as a message.
#[derive(Debug, Clone)]
pub struct EndMessage {
    pub status: &'static str,
    pub setup: String,
    pub storage: Option<String>,
}

pub struct Who {
    pub workspace: String,
    pub is_admin: bool,
    /// Back to the product.
    pub return_url: Option<String>,
}

impl Who {
    /// What stands for the workspace where there is no room for its name.
    pub fn initial(&self) -> String {
        let mut letters = self.workspace.chars().filter(|c| c.is_alphanumeric());
        letters
            .next()
            .map_or_else(|| "·".to_owned(), |c| c.to_uppercase().to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Settings,
    Projects,
    /// Tokens, sessions, the audit log: for admins.
    People,
    None,
}

impl Section {
    pub fn is_settings(&self) -> bool {
        *self == Self::Settings
    }

    pub fn is_projects(&self) -> bool {
        *self == Self::Projects
    }

    pub fn is_people(&self) -> bool {
        *self == Self::People
    }
}

impl Chrome {
    pub fn of(visitor: &Visitor, section: Section) -> Self {
        Self {
            section,
            who: Some(Who {
                workspace: visitor.workspace_name.clone(),
                is_admin: visitor.is_admin(),
                return_url: visitor.return_url.clone(),
            }),
            csrf: Some(visitor.csrf.clone()),
            embed: visitor.session.way_back.embed.then(|| Embed {
                script: assets::EMBED_SCRIPT.path(),
                origin: visitor
                    .session
                    .way_back
                    .return_url
                    .as_ref()
                    .map(|url| url.origin().to_string()),
                end: None,
            }),
            brand: visitor.brand.clone(),
            ..Self::bare()
        }
    }

    /// For somebody who is not signed in.
    pub fn of_site(site: &Site) -> Self {
        Self {
            brand: site.brand.clone(),
            ..Self::bare()
        }
    }

    /// Without the operator's settings: for samples.
    pub fn bare() -> Self {
        Self {
            style: assets::STYLE.path(),
            script: assets::SCRIPT.path(),
            htmx: assets::HTMX.path(),
            icon: assets::ICON.path(),
            icons: assets::ICONS.path(),
            brand: Arc::default(),
            section: Section::None,
            who: None,
            flash: None,
            embed: None,
            csrf: None,
        }
    }

    /// A page whose forms carry a token although nobody is signed in.
    pub fn with_csrf(mut self, csrf: Csrf) -> Self {
        self.csrf = Some(csrf);
        self
    }

    /// Says what was just done, by the code that a redirect carries in `done`.
    pub fn flash(mut self, done: Option<&str>) -> Self {
        self.flash = done.and_then(|code| {
            let (_, words) = MESSAGES.iter().find(|(known, _)| *known == code)?;
            let kind = match code {
                "check_failed" | "change_failed" => "bad",
                "check_warned" | "check_needed" | "token_made_before" | "webhook_made_before" => {
                    "warn"
                }
                _ => "good",
            };
            Some(Flash { kind, words })
        });
        self
    }

    /// Says to the page around what came of the dialog.
    pub fn ends(mut self, end: Option<EndMessage>) -> Self {
        if let Some(embed) = &mut self.embed {
            embed.end = end;
        }
        self
    }

    /// The product's name.
    pub fn product(&self) -> &str {
        self.brand.name.as_str()
    }

    /// The token of a form: another text each time, so the size of the compressed page reveals nothing about it.
    pub fn csrf(&self) -> String {
        self.csrf
            .as_ref()
            .map(|csrf| csrf.masked())
            .unwrap_or_default()
    }
}

/// What a redirect may say was done.
const MESSAGES: &[(&str, &str)] = &[
    ("storage_added", "The storage was added."),
    (
        "storage_deleted",
        "The storage was deleted. Nothing was changed in the bucket.",
    ),
    ("storage_renamed", "The storage was renamed."),
    ("default_set", "The default storage was changed."),
    ("check_passed", "The connection was checked: it works."),
    (
        "check_warned",
        "The connection was checked: it works, with a warning.",
    ),
    (
        "check_failed",
        "The connection was checked: it does not work.",
    ),
    (
        "check_needed",
        "The storage was not added, because its check passed more than ten minutes ago. Check the connection again.",
    ),
    (
        "setup_closed",
        "The setup was closed. Its external ID will never be used again.",
    ),
    (
        "setup_kept",
        "The setup was kept. You can go on with it from this page.",
    ),
    ("project_created", "The project was created."),
    (
        "project_deleted",
        "The project was deleted. Its files stay in the storage.",
    ),
    ("file_uploaded", "The file was uploaded."),
    ("files_uploaded", "The files were uploaded."),
    ("file_moved", "The file was moved."),
    ("files_moved", "The files were moved."),
    ("file_copied", "The file was copied."),
    ("folder_created", "The folder is there."),
    (
        "version_restored",
        "The version was restored: a copy of it is the current version now.",
    ),
    ("file_deleted", "The file was deleted."),
    ("files_deleted", "The files were deleted."),
    ("link_revoked", "The link was revoked."),
    (
        "token_made_before",
        "This form was sent twice. The token exists once, and its secret was shown only by the first answer. If you do not have it, revoke the token and create another one.",
    ),
    (
        "token_revoked",
        "The token was revoked. Requests with it are refused within a second.",
    ),
    (
        "session_ended",
        "The session was ended. Requests in it are refused within a second.",
    ),
    (
        "webhook_made_before",
        "This form was sent twice, and was acted on once. The secret was shown only by the first answer. If you do not have it, rotate the secret of the webhook.",
    ),
    (
        "webhook_enabled",
        "The webhook was enabled. Events are sent to it from now on.",
    ),
    (
        "webhook_disabled",
        "The webhook was disabled. Events that happen from now on are not sent to it.",
    ),
    (
        "webhook_deleted",
        "The webhook was deleted. Nothing more is sent to it.",
    ),
    (
        "event_sent_again",
        "The event is sent again, with the same ID. Load this page again in a moment.",
    ),
    ("saved", "Saved."),
    (
        "change_waits",
        "The change was saved. The storage uses it as soon as it has passed its check.",
    ),
    (
        "change_used",
        "The change has passed its check: the storage uses it now.",
    ),
    (
        "change_failed",
        "The change was checked: it does not work. The storage goes on without it.",
    ),
    (
        "change_discarded",
        "The change was discarded. The storage stays as it is.",
    ),
];
