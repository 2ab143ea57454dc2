//! The list of storages.

mod history;
pub mod pending;
pub mod storage;

use crate::application::connections::input::ConnectionInput;
use crate::application::error::Result;
use crate::application::kept::idempotency::Keep;
use crate::application::setups::SetupView;
use crate::application::storages::StorageView;
use crate::domain::cause::meanings::meaning;
use crate::domain::check::Outcome;
use crate::domain::ids::{SessionId, StorageRef};
use crate::domain::people::audit::Actor;
use crate::domain::setup::SetupStatus;
use crate::domain::storage::{HealthState, Storage};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::{Moment, thousands};
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::pages::shell::words::{curly, ending};
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

/// How many storages a page shows.
const PAGE: u32 = 25;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::at("/settings/storages", "storages_page").shows(list))
        .add(PageRoute::at("/settings/storages/add", "open_storage_setup").changes(add))
        .add(PageRoute::at("/settings/storages/{storage_id}/check", "check_storage").changes(check))
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/default",
                "set_default_storage",
            )
            .changes(set_default),
        );
}

/// The list of a workspace's storages.
#[derive(Template)]
#[template(path = "pages/storages.html")]
pub struct StoragesPage {
    chrome: Chrome,
    is_admin: bool,
    is_first_page: bool,
    built_in: Option<Row>,
    storages: Vec<Row>,
    setups: Vec<SetupRow>,
    next: Option<String>,
}

struct Row {
    id: String,
    name: String,
    bucket: String,
    prefix: String,
    region: String,
    access: &'static str,
    is_default: bool,
    state: StateWords,
    /// Whether a change waits for its check.
    has_pending: bool,
    checked: Option<Moment>,
    projects: String,
}

impl Row {
    fn is_built_in(&self) -> bool {
        self.id == StorageRef::BUILT_IN
    }
}

/// How a storage is, as icon and word, and since when.
struct StateWords {
    kind: &'static str,
    word: &'static str,
    since: Option<Moment>,
    /// What decided it, in a sentence: what the code of the health or of the quarantine means.
    reason: Option<String>,
}

impl StateWords {
    /// What keeps the storage from being used comes before its health. `None`: the built-in storage, which
    /// has no record.
    fn of(own: Option<&Storage>) -> Self {
        let Some(storage) = own else {
            return Self {
                kind: "none",
                word: "Not checked",
                since: None,
                reason: None,
            };
        };
        let health = match storage.health.state {
            HealthState::Healthy => ("good", "Healthy"),
            HealthState::Degraded => ("warn", "Warning"),
            HealthState::Broken => ("bad", "Broken"),
            HealthState::Unknown => ("none", "Not known"),
        };
        let ((kind, word), code) = match &storage.quarantine {
            Some(quarantine) => (("bad", "Quarantined"), Some(quarantine.code.clone())),
            None if !storage.is_verified() => (("warn", "Needs a check"), None),
            None => (health, storage.health.condition().code),
        };
        let quarantined = storage.quarantine.as_ref().map(|it| it.since);
        Self {
            kind,
            word,
            since: Some(Moment(quarantined.unwrap_or(storage.health.since))),
            reason: code.and_then(|code| meaning(&code)).map(curly),
        }
    }
}

struct SetupRow {
    id: String,
    name: String,
    /// Bucket and prefix, where the name is another.
    place: Option<String>,
    step: StepWords,
    /// Who opened it, as far as that is known.
    by: Option<String>,
    began: Moment,
    expires: Moment,
}

/// Where a setup is, as icon and words.
struct StepWords {
    kind: &'static str,
    word: &'static str,
}

impl From<StorageView> for Row {
    fn from(view: StorageView) -> Self {
        let own = view.own();
        Self {
            id: view.reference().to_string(),
            name: view.display_name().to_owned(),
            bucket: view.connection.bucket.to_string(),
            prefix: view.connection.settings.prefix.to_string(),
            region: view
                .connection
                .settings
                .region
                .map(|region| region.to_string())
                .unwrap_or_default(),
            access: match view.connection.settings.access.writes() {
                true => "Read and write",
                false => "Read",
            },
            is_default: view.is_default,
            state: StateWords::of(own),
            has_pending: view.pending.is_some(),
            checked: own
                .and_then(|s| s.health.last_check.as_ref()?.ended_at())
                .map(Moment),
            projects: thousands(own.map_or(0, |s| s.project_count)),
        }
    }
}

impl StepWords {
    /// Where a setup is, by what it has. `has_link`: a link for the AWS administrator works.
    fn of(view: &SetupView, has_link: bool) -> Self {
        let draft = &view.setup.draft;
        let last = view.last_check.as_ref().filter(|_| view.check_is_current());
        let wait = view.present_wait();
        let (kind, word) = match last {
            Some(check) if check.outcome().is_pass() && view.check_is_fresh => {
                ("good", "Ready to add")
            }
            Some(check) if check.outcome().is_pass() => ("none", "Check again to add it"),
            Some(_) => ("bad", "Check failed"),
            None if draft.bucket.is_none() => ("none", "Choose a bucket"),
            None if wait.is_some_and(|wait| wait.appeared_at.is_some()) => ("accent", "Role found"),
            None if wait.is_some() && !has_link => ("none", "Waiting for the role"),
            None if wait.is_some() => ("accent", "Waiting for the administrator"),
            None if view.setup.connection().is_ok() => ("none", "Ready to check"),
            None if has_link => ("accent", "Waiting for the administrator"),
            None => ("none", "Set up access"),
        };
        Self { kind, word }
    }
}

/// Who opened a setup: people have no names here, only their sessions and tokens.
fn author(by: &Actor, own: &SessionId) -> Option<String> {
    match by {
        Actor::Session(id) if id == own => Some("you".to_owned()),
        Actor::Session(id) => Some(format!("session {}", ending(id.as_str()))),
        Actor::Token(id) => Some(format!("API token {}", ending(id.as_str()))),
        Actor::Key(id) => Some(format!("product key {}", ending(id.as_str()))),
        Actor::Operator => Some("the operator".to_owned()),
        Actor::Service | Actor::Anonymous | Actor::InstructionLink(_) => None,
    }
}

impl SetupRow {
    /// The setups that can be resumed.
    fn of(view: &SetupView, has_link: bool, own: &SessionId) -> Option<Self> {
        let draft = &view.setup.draft;
        let bucket = draft.bucket.as_ref();
        let place = bucket.map(|bucket| match draft.settings.prefix.as_str() {
            "" => bucket.to_string(),
            prefix => format!("{bucket}/{prefix}"),
        });
        (view.status == SetupStatus::Open).then(|| Self {
            id: view.setup.id.to_string(),
            name: match (&draft.display_name, &place) {
                (Some(name), _) => name.to_string(),
                (None, Some(place)) => place.clone(),
                (None, None) => "Untitled setup".to_owned(),
            },
            place: place.filter(|_| draft.display_name.is_some()),
            step: StepWords::of(view, has_link),
            by: view
                .setup
                .created_by
                .as_ref()
                .and_then(|by| author(by, own)),
            began: Moment(view.setup.created_at),
            expires: Moment(view.setup.expires_at),
        })
    }
}

async fn list(
    visitor: Visitor,
    services: Data<Services>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let is_first_page = query.0.is_first_page();
    let request = query.0.request(PAGE);
    let place = format!("{}/storages", visitor.member.workspace);
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.storages.list(&visitor.member, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |view| view.reference().to_string())?;
    let built_in = match is_first_page {
        true => services
            .storages
            .built_in_if_any(&visitor.member)
            .await?
            .map(Row::from),
        false => None,
    };
    let mut setups = Vec::new();
    if let Some(admin) = visitor.member.clone().into_admin()
        && is_first_page
    {
        for view in services.setups.list_open(&admin).await? {
            let instructions = &services.dialog.instructions;
            let link = instructions.of(&admin, &view.setup.id).await?;
            setups.extend(SetupRow::of(&view, link.is_some(), &visitor.session.id));
        }
    }
    html(&StoragesPage {
        chrome: Chrome::of(&visitor, Section::Settings).flash(query.0.done.as_deref()),
        is_admin: visitor.is_admin(),
        is_first_page,
        built_in,
        storages: page.items.into_iter().map(Row::from).collect(),
        setups,
        next: page.next_page_token,
    })
}

async fn add(admin: AdminVisitor, services: Data<Services>, _: Confirmed) -> Result<HttpResponse> {
    let view = services
        .setups
        .open(&admin.admin, ConnectionInput::default(), Keep::nothing())
        .await?;
    let id = &view.setup.id;
    services
        .setups
        .dialog_is_open(&admin.admin, id, true)
        .await?;
    Ok(see_other(&setups::beginning(id)))
}

async fn check(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let report = services
        .storages
        .check(&admin.admin, &id.0, std::time::Duration::ZERO, None)
        .await?;
    let done = storage::done(&report);
    // What to change is on the storage's own page.
    Ok(match (&id.0, report.outcome()) {
        (StorageRef::Own(id), Outcome::Failed) => {
            see_other(&format!("/settings/storages/{id}?done={done}"))
        }
        _ => see_other(&format!("/settings/storages?done={done}")),
    })
}

async fn set_default(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.storages.set_default(&admin.admin, &id.0).await?;
    Ok(see_other("/settings/storages?done=default_set"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    const HOSTILE: &str = "<script>alert('1')</script>";

    fn row(id: &str, is_default: bool) -> Row {
        let then = (id != StorageRef::BUILT_IN).then_some(Moment(OffsetDateTime::UNIX_EPOCH));
        Row {
            id: id.into(),
            name: format!("بيانات {HOSTILE}"),
            bucket: "b".repeat(63),
            prefix: "a <b>/".into(),
            region: "eu-west-1".to_owned(),
            access: "Read and write",
            is_default,
            has_pending: is_default,
            state: StateWords {
                kind: "bad",
                word: if is_default {
                    "Needs a check"
                } else {
                    "Quarantined"
                },
                since: then,
                reason: then.map(|_| curly("The role's key isn't <there>.")),
            },
            checked: then,
            projects: thousands(1_234),
        }
    }

    fn page(is_admin: bool, built_in: Option<Row>, storages: Vec<Row>, setups: usize) -> String {
        let page = StoragesPage {
            chrome: Chrome::bare().flash(Some("check_failed")),
            is_admin,
            is_first_page: true,
            built_in,
            storages,
            setups: (0..setups)
                .map(|n| SetupRow {
                    id: format!("set_{n}"),
                    name: HOSTILE.into(),
                    place: Some("acme-data/a <b>/".into()),
                    step: StepWords {
                        kind: "accent",
                        word: "Waiting for the administrator",
                    },
                    by: Some(HOSTILE.into()),
                    began: Moment(OffsetDateTime::UNIX_EPOCH),
                    expires: Moment(OffsetDateTime::UNIX_EPOCH),
                })
                .collect(),
            next: Some("a/+token".into()),
        };
        let html = page.render().unwrap();
        assert!(
            !html.contains("<script>alert") && !html.contains("<b>"),
            "{html}"
        );
        assert!(!html.contains("style="));
        html
    }

    #[test]
    fn an_admin_does_everything_from_the_list_and_a_member_looks() {
        let rows = || (0..25).map(|n| row(&format!("sto_{n}"), n == 3)).collect();
        let admin = page(true, Some(row("built-in", false)), rows(), 2);
        for control in [
            "Check now",
            "Set as default",
            "Edit storage",
            "Check history",
            "Waiting for the administrator",
            "begun <time",
            "Show the documents",
            "/settings/storages/sto_7/delete",
            "/storages/sto_7/files",
            "2 setups in progress",
            "page=a%2F%2Btoken",
        ] {
            assert!(admin.contains(control), "{control}");
        }
        assert!(!admin.contains("/settings/storages/built-in/delete"));
        // The default one cannot become it.
        assert!(!admin.contains("action=\"/settings/storages/sto_3/default\""));
        assert!(admin.contains("action=\"/settings/storages/built-in/default\""));
        assert!(admin.contains("a change waits for its check"));
        assert!(admin.contains("Needs a check") && admin.contains("checked <time"));
        assert!(admin.contains("Quarantined"));
        assert!(admin.contains("<div class=\"sub\">The role’s key isn’t &#60;there&#62;."));
        assert!(admin.contains("notice-bad"), "a failed check is no success");
        let member = page(false, Some(row("built-in", true)), rows(), 0);
        for control in ["Check now", "<form", "/delete", "in progress", "documents"] {
            assert!(!member.contains(control), "{control}");
        }
        assert!(member.contains("/storages/sto_7/files"));
    }

    #[test]
    fn an_empty_list_says_what_this_is_for_with_and_without_a_built_in_storage() {
        for built_in in [None, Some(row("built-in", true))] {
            let html = page(true, built_in, Vec::new(), 1);
            assert!(
                html.contains("Connect a bucket of your own")
                    && html.contains("1 setup in progress")
            );
        }
        let html = page(false, None, Vec::new(), 0);
        assert!(html.contains("An admin of the workspace can add one."));
    }
}
