//! Projects: the list, a new one, one of them.

mod new;
mod new_form;
mod project;

use crate::application::error::Result;
use crate::application::storages::StorageView;
use crate::domain::ids::StorageRef;
use crate::domain::project::{Project, ProjectStatus};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::shown;
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::{Moment, size_in_words, thousands};
use crate::http::pages::shell::session::Visitor;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use std::collections::HashMap;

/// How many projects a page shows.
const PAGE: u32 = 25;

pub fn configure(routes: &mut PageRoutes) {
    new::configure(routes);
    routes.add(
        PageRoute::at("/projects", "create_project")
            .shows(list)
            .changes(new::create),
    );
    project::configure(routes);
}

/// The projects of a workspace, newest first.
#[derive(Template)]
#[template(path = "pages/projects.html")]
struct ProjectsPage {
    chrome: Chrome,
    is_first_page: bool,
    projects: Vec<ProjectRow>,
    next: Option<String>,
}

struct ProjectRow {
    id: String,
    name: String,
    status: StatusWords,
    progress: Option<String>,
    files: String,
    size: String,
    storage: String,
    created: Moment,
}

/// A status as icon and word.
struct StatusWords {
    kind: &'static str,
    word: &'static str,
}

impl StatusWords {
    fn of(status: ProjectStatus) -> Self {
        let (kind, word) = match status {
            ProjectStatus::Importing => ("busy", "Importing"),
            ProjectStatus::Ready => ("good", "Ready"),
            ProjectStatus::Failed => ("bad", "Failed"),
        };
        Self { kind, word }
    }
}

/// How far an import is: `1200 of 5000 files`.
fn progress_in_words(project: &Project) -> Option<String> {
    if project.status != ProjectStatus::Importing {
        return None;
    }
    let done = thousands(project.progress.done);
    Some(match project.progress.total {
        Some(total) => format!("{done} of {} files", thousands(total)),
        None => format!("{done} files so far"),
    })
}

impl ProjectRow {
    fn of(project: &Project, storages: &HashMap<StorageRef, String>) -> Self {
        let storage = storages.get(&project.storage);
        Self {
            id: project.id.to_string(),
            name: shown(project.name.as_str()),
            status: StatusWords::of(project.status),
            progress: progress_in_words(project),
            files: thousands(project.file_count),
            size: size_in_words(project.total_size),
            storage: storage.cloned().unwrap_or_default(),
            created: Moment(project.created_at),
        }
    }
}

async fn list(
    visitor: Visitor,
    services: Data<Services>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let is_first_page = query.0.is_first_page();
    let place = format!("{}/pages/projects", visitor.member.workspace);
    let request = query.0.request(PAGE);
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.projects.list_all(&visitor.member, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |project| project.id.to_string())?;
    let storages = names(&visitor, &services, &page.items).await?;
    html(&ProjectsPage {
        chrome: Chrome::of(&visitor, Section::Projects).flash(query.0.done.as_deref()),
        is_first_page,
        projects: page
            .items
            .iter()
            .map(|p| ProjectRow::of(p, &storages))
            .collect(),
        next: page.next_page_token,
    })
}

/// The names of the storages that these projects are in.
async fn names(
    visitor: &Visitor,
    services: &Services,
    projects: &[Project],
) -> Result<HashMap<StorageRef, String>> {
    let mut names = HashMap::new();
    for project in projects {
        let storage = &project.storage;
        if names.contains_key(storage) {
            continue;
        }
        let name = match storage {
            StorageRef::BuiltIn => StorageView::BUILT_IN_NAME.to_owned(),
            own => services
                .storages
                .get(&visitor.member, own)
                .await?
                .display_name()
                .to_owned(),
        };
        names.insert(storage.clone(), name);
    }
    Ok(names)
}

#[cfg(test)]
pub(super) mod samples {
    use crate::domain::ids::{ProjectId, StorageId, StorageRef, WorkspaceId};
    use crate::domain::names::Name;
    use crate::domain::project::{ImportFailure, Progress, Project, ProjectStatus, Skipped};
    use crate::domain::working_folders::WorkingFolders;
    use time::macros::datetime;

    pub fn project(name: &str, status: ProjectStatus) -> Project {
        Project {
            id: ProjectId::generate(),
            workspace: WorkspaceId::generate(),
            name: Name::parse(name).unwrap(),
            storage: StorageRef::Own(StorageId::generate()),
            status,
            progress: Progress {
                done: 1200,
                total: (status == ProjectStatus::Importing).then_some(5000),
            },
            file_count: 1200,
            total_size: 1_440_000,
            archived_count: 2,
            skipped_count: 3,
            skipped: Some(Skipped {
                missing: 2,
                archived: 0,
                no_file_key: 1,
                working_folder: 0,
            }),
            working_folders: WorkingFolders::default(),
            failure: (status == ProjectStatus::Failed).then(|| ImportFailure {
                code: "missing_files".into(),
                detail: "2 files <are> missing.".into(),
                cause: None,
                remedy: None,
            }),
            created_at: datetime!(2026-03-01 12:00 UTC),
            on_behalf_of: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::project;
    use super::*;

    fn render(projects: &[Project], next: Option<&str>, is_first_page: bool) -> String {
        let storages = projects
            .iter()
            .map(|p| (p.storage.clone(), "Acme <b>".to_owned()))
            .collect();
        ProjectsPage {
            chrome: Chrome::bare(),
            is_first_page,
            projects: projects
                .iter()
                .map(|p| ProjectRow::of(p, &storages))
                .collect(),
            next: next.map(str::to_owned),
        }
        .render()
        .unwrap()
    }

    #[test]
    fn every_status_is_told() {
        let html = render(
            &[
                project("<script>x</script>", ProjectStatus::Importing),
                project("קטלוג", ProjectStatus::Ready),
                project(&"n".repeat(200), ProjectStatus::Failed),
            ],
            Some("next"),
            true,
        );
        for words in [
            "Importing",
            "1,200 of 5,000 files",
            "Ready",
            "Failed",
            "1.4 MB",
            "קטלוג",
        ] {
            assert!(html.contains(words), "{words}");
        }
        assert!(!html.contains("<script>x") && !html.contains("Acme <b>"));
        assert!(html.contains("?page=next"));
    }

    #[test]
    fn none_is_explained() {
        let html = render(&[], None, true);
        assert!(html.contains("No projects yet") && html.contains("href=\"/projects/new\""));
        assert!(!html.contains("<table"));
    }
}
