//! One project.

use crate::application::error::{Error, Result};
use crate::application::files::sign::{ReadMethod, SignRequest};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::ProjectId;
use crate::domain::project::{
    ImportFailure, Project, ProjectFile, ProjectStatus, SkipReason, Skipped,
};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::{
    KeyQuery, LIFE, Place, SignedLinkPage, Trouble, address, download_name, is_picture, only,
    origin, shown,
};
use crate::http::pages::projects::{StatusWords, progress_in_words};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::{Moment, size_in_words, thousands};
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use std::time::Duration;

/// How many files a page shows.
const PAGE: u32 = 50;
/// How long the page waits to learn whether its files are still there. Without an answer it says nothing of it.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::at("/projects/{project_id}", "project_page").shows(show))
        .add(PageRoute::at("/projects/{project_id}/progress", "project_progress").shows(progress))
        .add(
            PageRoute::at("/projects/{project_id}/download", "download_project_file")
                .shows(download),
        )
        .add(PageRoute::at("/projects/{project_id}/picture", "project_picture").shows(picture))
        .add(PageRoute::at("/projects/{project_id}/link", "sign_project_files").asks(link))
        .add(
            PageRoute::at("/projects/{project_id}/delete", "delete_project")
                .shows(confirm)
                .changes(delete),
        );
}

/// A project, and a page of its files.
#[derive(Template)]
#[template(path = "pages/project.html")]
struct ProjectPage {
    chrome: Chrome,
    is_admin: bool,
    facts: ProjectFacts,
    place: Place,
    progress: ProgressPart,
    trouble: Option<Trouble>,
    files: Vec<ProjectFileRow>,
    is_first_page: bool,
    next: Option<String>,
}

impl ProjectPage {
    /// How many of the files on this page the storage does not have any more.
    fn lost(&self) -> usize {
        self.files.iter().filter(|file| file.is_lost).count()
    }

    fn address(&self) -> String {
        format!("/projects/{}", self.facts.id)
    }
}

struct ProjectFacts {
    id: String,
    name: String,
    status: StatusWords,
    files: String,
    size: String,
    skipped: i64,
    /// Why they were left out, where it is known.
    left_out: Option<String>,
    archived: i64,
    created: Moment,
    failure: Option<ImportFailure>,
}

/// How far an import is: a part of the page that asks again by itself while it goes on.
#[derive(Template)]
#[template(path = "pages/project_progress.html")]
struct ProgressPart {
    id: String,
    words: Option<String>,
    done: i64,
    total: Option<i64>,
}

struct ProjectFileRow {
    name: String,
    key: String,
    /// Where the name does not say it.
    shown_key: Option<String>,
    size: String,
    is_archived: bool,
    /// Whether the storage does not have it any more.
    is_lost: bool,
    page: String,
    download: String,
    link: String,
    /// The picture's address, where it is one.
    picture: Option<String>,
}

impl ProjectFacts {
    fn of(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: shown(project.name.as_str()),
            status: StatusWords::of(project.status),
            files: thousands(project.file_count),
            size: size_in_words(project.total_size),
            skipped: project.skipped_count,
            left_out: project.skipped.and_then(left_out),
            archived: project.archived_count,
            created: Moment(project.created_at),
            failure: project.failure.clone(),
        }
    }
}

/// Why files were left out, in words. `None` where none were.
fn left_out(skipped: Skipped) -> Option<String> {
    let words = |(reason, count): (SkipReason, i64)| {
        let count = thousands(count);
        match reason {
            SkipReason::Missing => format!("{count} not in the storage"),
            SkipReason::Archived => format!("{count} archived"),
            SkipReason::NoFileKey => format!("{count} without a valid file key"),
            SkipReason::WorkingFolder => format!("{count} in working folders"),
        }
    };
    let all: Vec<String> = skipped.reasons().into_iter().map(words).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

impl ProgressPart {
    fn of(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            words: progress_in_words(project),
            done: project.progress.done,
            total: project.progress.total,
        }
    }
}

impl ProjectFileRow {
    fn of(file: &ProjectFile, project: &ProjectId, place: &Place) -> Self {
        let key = file.file_key.to_string();
        let of = |what: &str| address(&format!("/projects/{project}/{what}"), &[("key", &key)]);
        Self {
            name: shown(&file.name),
            shown_key: (format!("/{}", file.name) != key).then(|| shown(&key)),
            size: size_in_words(file.size),
            is_archived: file.is_archived(),
            is_lost: false,
            page: place.file_url(&key),
            download: of("download"),
            link: of("link"),
            picture: is_picture(&file.file_key).then(|| of("picture")),
            key,
        }
    }
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let project = services.projects.get(&visitor.member, &id.0).await?;
    let place = Place::of(
        &services
            .storages
            .get(&visitor.member, &project.storage)
            .await?,
    );
    let is_first_page = query.0.is_first_page();
    let token_place = format!("{}/pages/projects/{}", visitor.member.workspace, id.0);
    let request = query.0.request(PAGE);
    let window = services.page_tokens.window(&token_place, &request)?;
    let after = window.after.map(|after| after.parse()).transpose();
    let after = after.map_err(Error::bug)?;
    let files = services
        .projects
        .list_files(&visitor.member, &id.0, after, window.limit)
        .await?;
    let page = services
        .page_tokens
        .page(&token_place, &request, files, |f| f.position.to_string())?;
    // Shows whether the storage can be used now, and where pictures come from.
    let (trouble, origin) = match page.items.first() {
        None => (None, None),
        Some(file) => match sign(&services, &visitor, &id.0, &file.file_key, None).await {
            Ok(url) => (None, origin(&url.url)),
            Err(error) => (Some(Trouble::of(error, visitor.is_admin())), None),
        },
    };
    let mut rows: Vec<_> = page
        .items
        .iter()
        .map(|file| ProjectFileRow::of(file, &project.id, &place))
        .collect();
    if trouble.is_none() && !rows.is_empty() {
        let projects = &services.projects;
        let looked = projects.are_absent(&visitor.member, &project, &page.items, PATIENCE);
        match looked.await {
            Ok(absent) => {
                for (row, is_lost) in rows.iter_mut().zip(absent) {
                    row.is_lost = is_lost;
                }
            }
            // Nothing is said of what is not known.
            Err(error) => {
                tracing::debug!(code = error.code, "the project's files were not looked up")
            }
        }
    }
    let mut response = html(&ProjectPage {
        chrome: Chrome::of(&visitor, Section::Projects).flash(query.0.done.as_deref()),
        is_admin: visitor.is_admin(),
        facts: ProjectFacts::of(&project),
        progress: ProgressPart::of(&project),
        trouble,
        files: rows,
        is_first_page,
        next: page.next_page_token,
        place,
    })?;
    response.extensions_mut().insert(AlsoAllowed {
        pictures: origin.into_iter().collect(),
        fetches: Vec::new(),
        forms: Vec::new(),
    });
    Ok(response)
}

/// How far the import is. At its end the page reloads and shows the files.
async fn progress(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<ProjectId>,
) -> Result<HttpResponse> {
    let project = services.projects.get(&visitor.member, &id.0).await?;
    let mut response = html(&ProgressPart::of(&project))?;
    if project.status != ProjectStatus::Importing {
        use actix_web::http::header::{HeaderName, HeaderValue};
        response.headers_mut().insert(
            HeaderName::from_static("hx-refresh"),
            HeaderValue::from_static("true"),
        );
    }
    Ok(response)
}

async fn sign(
    services: &Services,
    visitor: &Visitor,
    project: &ProjectId,
    key: &FileKey,
    download_name: Option<String>,
) -> Result<crate::application::bucket::sign::SignedUrl> {
    let request = SignRequest {
        keys: vec![key.clone()],
        expires_in: Some(LIFE.min(services.files.longest_url_life)),
        content_type: None,
        download_name,
        method: ReadMethod::Get,
        range: None,
        alike: false,
    };
    let member = &visitor.member;
    only(services.projects.sign(member, project, &request).await?)
}

async fn download(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<KeyQuery>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    visitor.reads_by_url(&key);
    let name = Some(download_name(&key));
    let signed = sign(&services, &visitor, &id.0, &key, name).await?;
    Ok(see_other(&signed.url))
}

/// Leads to a picture, for a preview that somebody opens.
async fn picture(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<KeyQuery>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    visitor.reads_by_url(&key);
    let signed = sign(&services, &visitor, &id.0, &key, None).await?;
    Ok(see_other(&signed.url))
}

async fn link(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<ProjectId>,
    query: Query<KeyQuery>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    visitor.reads_by_url(&key);
    let request = SignRequest {
        keys: vec![key.clone()],
        expires_in: None,
        content_type: None,
        download_name: None,
        method: ReadMethod::Get,
        range: None,
        alike: false,
    };
    let urls = services
        .projects
        .sign(&visitor.member, &id.0, &request)
        .await?;
    let chrome = Chrome::of(&visitor, Section::Projects);
    let back = format!("/projects/{}", id.0);
    let name = shown(key.name());
    html(&SignedLinkPage::new(chrome, name, only(urls)?, back))
}

/// Asks whether the project shall be deleted.
#[derive(Template)]
#[template(path = "pages/project_delete.html")]
struct DeleteProjectPage {
    chrome: Chrome,
    facts: ProjectFacts,
}

async fn confirm(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<ProjectId>,
) -> Result<HttpResponse> {
    let visitor = &admin.visitor;
    let project = services.projects.get(&visitor.member, &id.0).await?;
    html(&DeleteProjectPage {
        chrome: Chrome::of(visitor, Section::Projects),
        facts: ProjectFacts::of(&project),
    })
}

async fn delete(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<ProjectId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    services.projects.delete(&admin.admin, &id.0).await?;
    Ok(see_other("/projects?done=project_deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::error::Kind;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use crate::http::pages::projects::samples::project;

    fn file(key: &str) -> ProjectFile {
        let file_key = FileKey::parse(key).unwrap();
        ProjectFile {
            position: 0,
            name: file_key.name().to_owned(),
            file_key,
            size: 5,
            etag: None,
            storage_class: None,
            metadata: Vec::new(),
        }
    }

    fn render(status: ProjectStatus, keys: &[&str], trouble: Option<Trouble>) -> String {
        let project = project("<b>Cats</b>", status);
        ProjectPage {
            chrome: Chrome::bare(),
            is_admin: true,
            facts: ProjectFacts::of(&project),
            progress: ProgressPart::of(&project),
            trouble,
            files: keys
                .iter()
                .map(|key| ProjectFileRow::of(&file(key), &project.id, &place()))
                .collect(),
            is_first_page: true,
            next: Some("next".into()),
            place: place(),
        }
        .render()
        .unwrap()
    }

    #[test]
    fn files_are_shown_and_pictures_wait_to_be_asked_for() {
        let html = render(ProjectStatus::Ready, ODD_KEYS, None);
        assert!(!html.contains("<script>alert") && !html.contains("<b>Cats"));
        assert_eq!(html.matches("loading=\"lazy\"").count(), 2);
        assert!(html.contains("/picture?key=%2F%C3%BC"));
        assert!(html.contains("/delete\"") && html.contains("3 files were left out"));
        assert!(html.contains(": 2 not in the storage, 1 without a valid file key)"));
        assert!(
            !html.contains("hx-get"),
            "a finished import is not asked about"
        );
    }

    #[test]
    fn a_lost_file_is_told_and_offers_nothing() {
        let project = project("Cats", ProjectStatus::Ready);
        let mut row = ProjectFileRow::of(&file("/gone.png"), &project.id, &place());
        row.is_lost = true;
        let html = ProjectPage {
            chrome: Chrome::bare(),
            is_admin: false,
            facts: ProjectFacts::of(&project),
            progress: ProgressPart::of(&project),
            trouble: None,
            files: vec![row],
            is_first_page: true,
            next: None,
            place: place(),
        }
        .render()
        .unwrap();
        assert!(
            html.contains("1 file is not in the storage any more"),
            "{html}"
        );
        assert!(!html.contains("/download?") && !html.contains("loading=\"lazy\""));
    }

    #[test]
    fn an_import_is_followed() {
        let html = render(ProjectStatus::Importing, &[], None);
        assert!(html.contains("/progress\"") && html.contains("hx-trigger=\"every 2s\""));
        assert!(html.contains("<progress") && html.contains("max=\"5000\" value=\"1200\""));
        let html = render(ProjectStatus::Failed, &[], None);
        assert!(html.contains("2 files &#60;are&#62; missing.") && html.contains("missing_files"));
    }

    #[test]
    fn a_storage_that_cannot_be_used_is_told() {
        let error = Error::new(Kind::Conflict, "check_required", "It was <changed>.");
        let html = render(
            ProjectStatus::Ready,
            &["/a.png"],
            Some(Trouble::of(error, true)),
        );
        assert!(html.contains("It was &#60;changed&#62;."));
        assert!(html.contains("/settings/storages/sto_"));
        assert!(
            !html.contains("loading=\"lazy\""),
            "no previews that cannot be had"
        );
    }

    #[test]
    fn deleting_says_what_stays() {
        let html = DeleteProjectPage {
            chrome: Chrome::bare(),
            facts: ProjectFacts::of(&project("<i>", ProjectStatus::Ready)),
        }
        .render()
        .unwrap();
        assert!(html.contains("stay in the storage") && !html.contains("<i>"));
    }
}
