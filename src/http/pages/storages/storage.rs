//! A storage's own page: what it is, how it is, and what its checks found.

use crate::application::connections::view::ConnectionView;
use crate::application::error::{Kind, Result};
use crate::application::kept::page_tokens::PageRequest;
use crate::application::kept::store::{ProjectsOfStorage, Window};
use crate::application::storages::{StorageView, Which};
use crate::domain::check::{CheckReport, Outcome, StepName};
use crate::domain::connection::Credentials;
use crate::domain::ids::{ProjectId, StorageId, StorageRef};
use crate::domain::names::Name;
use crate::domain::policy_document::{DocumentName, DocumentParameters, Documents};
use crate::http::api::setups::documents as raw_documents;
use crate::http::assets;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::check::{CheckForm, events, wants_events};
use crate::http::pages::setups::documents;
use crate::http::pages::setups::documents::DocumentView;
use crate::http::pages::setups::report::{OutcomeView, ReportView};
use crate::http::pages::setups::setting_words::Apply;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::moment::{Moment, thousands};
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::pages::storages::StateWords;
use crate::http::pages::storages::history::{BARS, History, Tile, proves_nothing, tiles};
use crate::http::pages::storages::pending;
use crate::http::pages::storages::pending::PendingCard;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

/// How many checks a page of the history shows.
const CHECKS: u32 = 10;

pub fn configure(routes: &mut PageRoutes) {
    pending::configure(routes);
    delete::configure(routes);
    settings::configure(routes);
    routes
        .add(PageRoute::at("/settings/storages/{storage_id}", "storage_page").shows(show))
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/checks",
                "check_storage_now",
            )
            .shows(history)
            .changes(check),
        )
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/documents/{document_name}",
                "get_storage_document",
            )
            .shows(one_document),
        );
}

/// What a storage is, for everybody of the workspace.
struct Facts {
    /// As in addresses.
    id: String,
    is_built_in: bool,
    name: String,
    bucket: String,
    connection: ConnectionView,
    external_id: Option<String>,
    is_default: bool,
    is_verified: bool,
    /// Since when it is not used, because its role lets others in.
    quarantined: Option<Moment>,
    state: StateWords,
    projects: i64,
    /// Since when it has its access key.
    key_since: Option<Moment>,
    /// For how many days, where that is too long.
    old_key_days: Option<i64>,
    /// While it does not work as it should.
    affected: Option<ProjectsOfStorage>,
    /// What changed since it was healthy, in sentences. For admins.
    changed: Vec<String>,
    created: Option<Moment>,
}

impl Facts {
    /// The newest of the affected projects, each with its ID.
    fn affected_projects(&self) -> &[(ProjectId, Name)] {
        let affected = self.affected.as_ref();
        affected.map_or(&[], |projects| projects.newest.as_slice())
    }

    fn affected_number(&self) -> u64 {
        self.affected.as_ref().map_or(0, |projects| projects.count)
    }

    fn affected_words(&self) -> String {
        thousands(i64::try_from(self.affected_number()).unwrap_or(i64::MAX))
    }

    fn projects_words(&self) -> String {
        thousands(self.projects)
    }

    /// How many affected projects are not named.
    fn further_projects(&self) -> u64 {
        self.affected_number()
            .saturating_sub(self.affected_projects().len() as u64)
    }

    fn importing(&self) -> u64 {
        let affected = self.affected.as_ref();
        affected.map_or(0, |projects| projects.importing)
    }
}

impl From<&StorageView> for Facts {
    fn from(view: &StorageView) -> Self {
        let own = view.own();
        let connection = &view.connection;
        Self {
            id: view.reference().to_string(),
            is_built_in: own.is_none(),
            name: view.display_name().to_owned(),
            bucket: connection.bucket.to_string(),
            connection: connection.into(),
            external_id: connection
                .credentials
                .external_id()
                .map(ToString::to_string),
            is_default: view.is_default,
            is_verified: own.is_none_or(|s| s.is_verified()),
            quarantined: own.and_then(|s| s.quarantine.as_ref().map(|it| Moment(it.since))),
            state: StateWords::of(own),
            projects: own.map_or(0, |s| s.project_count),
            key_since: own.and_then(|s| s.access_key_set_at).map(Moment),
            old_key_days: view.old_key_days,
            affected: view.detail.affected.clone(),
            changed: match &view.detail.change {
                Some(change) => change.text.clone(),
                None => Vec::new(),
            },
            created: own.map(|s| Moment(s.created_at)),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/storage.html")]
struct StoragePage {
    chrome: Chrome,
    script: &'static str,
    is_admin: bool,
    storage: Facts,
    tiles: Vec<Tile>,
    /// For admins.
    history: History,
    /// Whether the last check failed and proved nothing, so that the state is as it was.
    proves_nothing: bool,
    /// How many files the last check of these settings found, in words.
    files_found: Option<String>,
    report: ReportView,
    outcome: OutcomeView,
    /// The change that waits for its check.
    pending: Option<PendingCard>,
    /// Those of the change, where one waits.
    documents: Vec<DocumentView>,
    /// The folders that their lifecycle rules empty, whole.
    expiring: Option<[String; 2]>,
}

/// The documents of a page, and the folders that their lifecycle rules empty.
#[derive(Default)]
struct Shown {
    documents: Vec<DocumentView>,
    expiring: Option<[String; 2]>,
}

impl Shown {
    fn of(rendered: &(Documents, DocumentParameters), base: &str) -> Result<Self> {
        let parameters = &rendered.1;
        let folders = parameters.lifecycle_folders.both();
        Ok(Self {
            documents: documents::views(&DocumentName::ALL, rendered, base)?,
            expiring: parameters
                .lifecycle
                .then(|| folders.map(|folder| format!("{}{folder}", parameters.prefix))),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowQuery {
    done: Option<String>,
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<ShowQuery>,
) -> Result<HttpResponse> {
    let view = services.storages.get(&visitor.member, &id.0).await?;
    let mut last = None;
    let mut checks = Vec::new();
    let mut shown = Shown::default();
    if let (Ok(admin), StorageRef::Own(own)) = (visitor.admin(), &id.0) {
        last = services.storages.last_check(&admin, own).await?;
        let window = Window {
            after: None,
            limit: BARS,
        };
        checks = services
            .storages
            .list_checks(&admin, &id.0, &window)
            .await?;
        let (which, base) = match &view.pending {
            Some(_) => (Which::Pending, "pending/documents"),
            None => (Which::InUse, "documents"),
        };
        let base = format!("/settings/storages/{own}/{base}");
        match services.storages.documents(&admin, own, which).await {
            Ok(rendered) => shown = Shown::of(&rendered, &base)?,
            // The page is about more than its documents: without them, it shows the rest.
            Err(error) if matches!(error.kind, Kind::Unavailable | Kind::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    render(
        &visitor,
        &view,
        (last.as_ref(), &checks),
        shown,
        query.0.done.as_deref(),
    )
}

fn render(
    visitor: &Visitor,
    view: &StorageView,
    (last, checks): (Option<&CheckReport>, &[CheckReport]),
    shown: Shown,
    done: Option<&str>,
) -> Result<HttpResponse> {
    let chrome = Chrome::of(visitor, Section::Settings).flash(done);
    let outcome = outcome(view, last);
    let apply = apply(view, &chrome);
    // With a change that waits, the report of what is in use is not about what would be changed.
    let offered = apply
        .as_ref()
        .filter(|_| outcome.is_current && view.pending.is_none());
    let history = History::of(checks);
    let files_found = last.filter(|_| outcome.is_current).and_then(files_found);
    html(&StoragePage {
        script: assets::SETUP_SCRIPT.path(),
        is_admin: visitor.is_admin(),
        storage: view.into(),
        tiles: tiles(view, last, &history),
        proves_nothing: proves_nothing(view, last),
        files_found,
        history,
        report: match last {
            Some(check) => ReportView::of(check, offered),
            None => ReportView::waiting(has_role(view)),
        },
        outcome,
        pending: view
            .pending
            .as_ref()
            .map(|pending| PendingCard::of(pending, apply.as_ref())),
        documents: shown.documents,
        expiring: shown.expiring,
        chrome,
    })
}

/// How many files the check found. It reads only the beginning of the listing.
fn files_found(check: &CheckReport) -> Option<String> {
    let listed = check.steps.get(StepName::ListBucket).listed_files?;
    Some(match i64::try_from(listed).unwrap_or(i64::MAX) {
        0 => "None".to_owned(),
        number => format!("At least {}", thousands(number)),
    })
}

/// How a better value of a setting, found by a check, is taken over. The built-in storage has no settings here.
fn apply(view: &StorageView, chrome: &Chrome) -> Option<Apply> {
    view.own().map(|storage| Apply {
        action: format!("/settings/storages/{}/settings", storage.id),
        csrf: chrome.csrf(),
        step: None,
    })
}

fn has_role(view: &StorageView) -> bool {
    matches!(view.connection.credentials, Credentials::Role { .. })
}

fn outcome(view: &StorageView, last: Option<&CheckReport>) -> OutcomeView {
    // A new storage has its setup's check, which counts from another number.
    let is_current = |check: &CheckReport| match view.own() {
        Some(storage) if check.target == storage.id.as_str() => check.revision == storage.revision,
        Some(storage) => storage.revision == 1,
        None => true,
    };
    OutcomeView {
        summary: last.map(Into::into),
        is_current: last.is_none_or(is_current),
        missing: Vec::new(),
        add: None,
        is_of_link: false,
        has_role: has_role(view),
        waiting: None,
        csrf: String::new(),
    }
}

/// The message about a check, by its code in `done`.
pub fn done(report: &CheckReport) -> &'static str {
    match report.outcome() {
        Outcome::Passed => "check_passed",
        Outcome::PassedWithWarnings => "check_warned",
        Outcome::Failed => "check_failed",
    }
}

/// Checks the connection now. The built-in storage's report is kept nowhere: the answer shows it.
async fn check(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    request: HttpRequest,
    form: Form<CheckForm>,
) -> Result<HttpResponse> {
    let wait = form.0.wait();
    let (admin, storage) = (visitor.admin.clone(), id.0.clone());
    if wants_events(&request) {
        let before = services.storages.get(admin.member(), &storage).await?;
        let chrome = Chrome::of(&visitor.visitor, Section::Settings);
        let apply = apply(&before, &chrome).filter(|_| before.pending.is_none());
        let for_check = services.clone();
        let run = {
            let (admin, storage) = (admin.clone(), storage.clone());
            move |listener| async move {
                for_check
                    .storages
                    .check(&admin, &storage, wait, Some(listener))
                    .await
            }
        };
        let then = move |report: CheckReport| async move {
            let view = services.storages.get(admin.member(), &storage).await?;
            Ok(outcome(&view, Some(&report)))
        };
        return events(run, then, apply, None).await;
    }
    let report = services
        .storages
        .check(&admin, &storage, wait, None)
        .await?;
    match storage {
        StorageRef::Own(id) => Ok(see_other(&format!(
            "/settings/storages/{id}?done={}",
            done(&report)
        ))),
        StorageRef::BuiltIn => {
            let view = services.storages.get(admin.member(), &storage).await?;
            render(
                &visitor.visitor,
                &view,
                (Some(&report), &[]),
                Shown::default(),
                Some(done(&report)),
            )
        }
    }
}

/// The checks so far.
#[derive(Template)]
#[template(path = "pages/storage_checks.html")]
struct ChecksPage {
    chrome: Chrome,
    id: String,
    name: String,
    checks: Vec<ReportView>,
    is_first_page: bool,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    page: Option<String>,
}

async fn history(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<HistoryQuery>,
) -> Result<HttpResponse> {
    let AdminVisitor { visitor, admin } = visitor;
    let view = services.storages.get(&visitor.member, &id.0).await?;
    let is_first_page = query.0.page.is_none();
    let request = PageRequest {
        size: CHECKS,
        token: query.0.page,
    };
    let place = format!("{}/storages/{}/checks", admin.workspace(), id.0);
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services
        .storages
        .list_checks(&admin, &id.0, &window)
        .await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |check| check.id.to_string())?;
    html(&ChecksPage {
        chrome: Chrome::of(&visitor, Section::Settings),
        id: id.0.to_string(),
        name: view.display_name().to_owned(),
        checks: page
            .items
            .iter()
            .map(|check| ReportView::of(check, None))
            .collect(),
        is_first_page,
        next: page.next_page_token,
    })
}

async fn one_document(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageId>,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    let storages = &services.storages;
    let (documents, parameters) = storages
        .documents(&visitor.admin, &id.0, Which::InUse)
        .await?;
    raw_documents::file(&path.1, &documents, &parameters.bucket)
}

mod delete;
mod settings;
#[cfg(test)]
mod tests;
