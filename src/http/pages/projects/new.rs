//! A new project.

use crate::application::error::{Error, Kind, Result};
use crate::application::kept::idempotency::{BegunRequest, IdempotencyKey, Keep, Once};
use crate::application::kept::store::Window;
use crate::application::kept::vault::sha256;
use crate::application::projects::FileSource;
use crate::application::storages::{StorageView, is_absent};
use crate::domain::ids::StorageRef;
use crate::domain::policy_document::LifecycleFolders;
use crate::domain::project::Project;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::shown;
use crate::http::pages::projects::new_form::{
    FilesFrom, NewProjectErrors, NewProjectForm, written,
};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::FormFields;
use crate::http::pages::shell::session::Visitor;
use crate::http::problem::status_of;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

/// How many storages the choice offers; those beyond are reached from their files.
const MOST_STORAGES: u32 = 100;
/// How many missing keys the page lists.
const MOST_SHOWN: usize = 200;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/projects/new", "new_project_page")
                .shows(show)
                .asks(show_chosen),
        )
        .add(PageRoute::at("/projects/new/pick", "pick_project_files").asks(pick));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuery {
    storage_id: Option<String>,
    folder: Option<String>,
    key: Option<String>,
}

struct StorageOption {
    id: String,
    words: String,
    is_chosen: bool,
}

/// Files that are not there.
struct Missing {
    count: usize,
    shown: Vec<String>,
    /// Whether a project without them would have any files.
    can_skip: bool,
}

/// The form of a new project.
#[derive(Template)]
#[template(path = "pages/project_new.html")]
struct NewProjectPage {
    chrome: Chrome,
    storages: Vec<StorageOption>,
    has_more_storages: bool,
    typed: NewProjectForm,
    errors: NewProjectErrors,
    missing: Option<Missing>,
    /// What a folder's project leaves out, unless it is asked for.
    folders: LifecycleFolders,
}

impl NewProjectPage {
    fn is_from_keys(&self) -> bool {
        self.typed.from == FilesFrom::Keys
    }

    fn is_from_folder(&self) -> bool {
        self.typed.from == FilesFrom::Folder
    }

    fn is_from_manifest(&self) -> bool {
        self.typed.from == FilesFrom::Manifest
    }
}

impl Missing {
    fn of(error: &Error, wanted: Option<usize>) -> Option<Self> {
        let keys = error.members.get("missing_files")?.as_array()?;
        let counted = error
            .members
            .get("file_count")
            .and_then(|count| count.as_u64());
        let wanted = wanted.or(counted.and_then(|count| usize::try_from(count).ok()));
        Some(Self {
            count: keys.len(),
            shown: keys
                .iter()
                .filter_map(|key| key.as_str())
                .take(MOST_SHOWN)
                .map(shown)
                .collect(),
            can_skip: wanted.is_none_or(|wanted| keys.len() < wanted),
        })
    }

    fn unlisted(&self) -> usize {
        self.count - self.shown.len()
    }
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    query: Query<NewQuery>,
) -> Result<HttpResponse> {
    let NewQuery {
        storage_id,
        folder,
        key,
    } = query.0;
    let typed = NewProjectForm {
        storage: storage_id.unwrap_or_default(),
        from: match folder {
            Some(_) => FilesFrom::Folder,
            None => FilesFrom::Keys,
        },
        folder: folder.unwrap_or_default(),
        keys: written(key.as_deref()),
        ..NewProjectForm::new()
    };
    page(
        &visitor,
        &services,
        typed,
        NewProjectErrors::default(),
        None,
    )
    .await
}

/// The form with the keys that were ticked in a folder.
async fn show_chosen(
    visitor: Visitor,
    services: Data<Services>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let typed = NewProjectForm {
        storage: fields.text("storage_id").to_owned(),
        keys: written(fields.all("key")),
        ..NewProjectForm::new()
    };
    page(
        &visitor,
        &services,
        typed,
        NewProjectErrors::default(),
        None,
    )
    .await
}

/// Goes where the files of the chosen storage can be ticked.
async fn pick(_: Visitor, fields: FormFields) -> Result<HttpResponse> {
    let storage = StorageRef::parse(fields.text("storage_id"))
        .map_err(|invalid| Error::field("storage_id", invalid))?;
    Ok(see_other(&format!("/storages/{storage}/files")))
}

async fn page(
    visitor: &Visitor,
    services: &Services,
    mut typed: NewProjectForm,
    errors: NewProjectErrors,
    missing: Option<Missing>,
) -> Result<HttpResponse> {
    if typed.storage.is_empty() {
        let default = services.storages.default_of(&visitor.member.workspace);
        typed.storage = default.await?.to_string();
    }
    let window = Window {
        after: None,
        limit: MOST_STORAGES + 1,
    };
    let mut own = services.storages.list(&visitor.member, &window).await?;
    let has_more_storages = own.len() > MOST_STORAGES as usize;
    own.truncate(MOST_STORAGES as usize);
    let chosen = StorageRef::parse(&typed.storage).ok();
    let mut views: Vec<StorageView> = services
        .storages
        .built_in_if_any(&visitor.member)
        .await?
        .into_iter()
        .chain(own)
        .collect();
    if let Some(chosen) = &chosen
        && !views.iter().any(|view| view.reference() == *chosen)
    {
        match services.storages.get(&visitor.member, chosen).await {
            Ok(view) => views.push(view),
            // The form shows that none is chosen.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    html(&NewProjectPage {
        chrome: Chrome::of(visitor, Section::Projects),
        storages: views.iter().map(|view| option(view, &chosen)).collect(),
        has_more_storages,
        typed,
        errors,
        missing,
        folders: services.setups.connections.lifecycle_folders.clone(),
    })
}

fn option(view: &StorageView, chosen: &Option<StorageRef>) -> StorageOption {
    let default = if view.is_default { " (default)" } else { "" };
    let reference = view.reference();
    StorageOption {
        words: format!(
            "{}{default}: {}/{}",
            view.display_name(),
            view.connection.bucket,
            view.connection.settings.prefix
        ),
        is_chosen: chosen.as_ref() == Some(&reference),
        id: reference.to_string(),
    }
}

/// Makes the project, once for each form. One that was sent twice waits for the first one's project.
pub(super) async fn create(
    visitor: Visitor,
    services: Data<Services>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let typed = NewProjectForm::of(&fields);
    let new = match typed.parse() {
        Ok(new) => new,
        Err(errors) => {
            let status = status_of(Kind::Unprocessable);
            return shown_again(&visitor, &services, typed, *errors, None, status).await;
        }
    };
    let wanted = match &new.files {
        FileSource::Listed(files) => Some(files.len()),
        FileSource::Pasted(_) | FileSource::Folder(_) | FileSource::Manifest(_) => None,
    };
    let once = Once {
        scope: format!("{} POST /projects", visitor.member.workspace),
        key: IdempotencyKey::parse(typed.token.as_bytes())
            .map_err(|invalid| Error::field("token", invalid))?,
        fingerprint: sha256(format!("{:?}", fields.0).as_bytes()),
    };
    let held = match services.idempotency.begin_or_wait(once).await {
        Ok(BegunRequest::First(held)) => held,
        Ok(BegunRequest::Done(path)) => return Ok(see_other(&String::from_utf8_lossy(&path))),
        Err(error) => return again(&visitor, &services, typed, &error, None).await,
    };
    let page_of = |project: &Project| format!("/projects/{}?done=project_created", project.id);
    let render = |project: &Project| Ok(page_of(project).into_bytes());
    let keep = Keep::new(Some(&held), &render);
    match services.projects.create(&visitor.member, new, keep).await {
        Ok(project) => Ok(see_other(&page_of(&project))),
        Err(error) => {
            held.give_back(&error).await;
            if error.kind == Kind::Internal {
                return Err(error);
            }
            again(&visitor, &services, typed, &error, wanted).await
        }
    }
}

/// The form again, with what was typed and what is wrong with it.
async fn again(
    visitor: &Visitor,
    services: &Services,
    typed: NewProjectForm,
    error: &Error,
    wanted: Option<usize>,
) -> Result<HttpResponse> {
    let missing = Missing::of(error, wanted);
    let mut errors = NewProjectErrors::of(error);
    if missing.is_some() {
        errors.whole = None;
    }
    if status_of(error.kind).is_server_error() {
        tracing::warn!(
            code = error.code,
            cause = error.internal,
            "{}",
            error.detail
        );
    }
    let status = status_of(error.kind);
    shown_again(visitor, services, typed, errors, missing, status).await
}

async fn shown_again(
    visitor: &Visitor,
    services: &Services,
    mut typed: NewProjectForm,
    errors: NewProjectErrors,
    missing: Option<Missing>,
    status: StatusCode,
) -> Result<HttpResponse> {
    typed.skip_missing = false;
    let mut response = page(visitor, services, typed, errors, missing).await?;
    *response.status_mut() = status;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::error::FieldError;
    use crate::application::projects::manifest::duplicate;
    use crate::domain::Invalid;

    fn render(typed: NewProjectForm, errors: NewProjectErrors, missing: Option<Missing>) -> String {
        NewProjectPage {
            chrome: Chrome::bare(),
            storages: vec![StorageOption {
                id: "built-in".into(),
                words: "Built-in <storage>".into(),
                is_chosen: true,
            }],
            has_more_storages: true,
            typed,
            errors,
            missing,
            folders: LifecycleFolders::default(),
        }
        .render()
        .unwrap()
    }

    #[test]
    fn the_working_folders_of_a_folder_are_a_choice() {
        let choice = "name=\"include_working_folders\" value=\"true\"";
        let bare = render(NewProjectForm::new(), NewProjectErrors::default(), None);
        assert!(bare.contains(&format!("{choice}>")));
        assert!(bare.contains("/temp/") && bare.contains("/export/"));
        let typed = NewProjectForm {
            with_working_folders: true,
            ..NewProjectForm::new()
        };
        let again = render(typed, NewProjectErrors::default(), None);
        assert!(again.contains(&format!("{choice} checked>")));
    }

    #[test]
    fn what_was_typed_is_kept_and_errors_are_beside_their_fields() {
        let typed = NewProjectForm {
            name: "<b>Cats</b>".into(),
            keys: "</textarea><script>x".into(),
            include: "[".into(),
            ..NewProjectForm::new()
        };
        let error = Error::invalid(vec![
            FieldError::new("name", Invalid::new("x", "A bad <name>.")),
            FieldError::of_item("files", 2, Some("file_key"), duplicate("`files[0]`"))
                .same_as(Some(0)),
            FieldError::of_item("include", 0, None, Invalid::new("x", "No glob.")),
        ]);
        let html = render(typed, NewProjectErrors::of(&error), None);
        assert!(
            !html.contains("<script>x") && !html.contains("<b>Cats") && !html.contains("<name>")
        );
        assert!(
            html.contains("Key 3: This file key is there already: key 1."),
            "{html}"
        );
        assert!(html.contains("Line 1: No glob."));
        assert!(
            html.contains("id=\"name-error\"") && html.contains("aria-describedby=\"name-error\"")
        );
        assert!(html.contains("aria-invalid=\"true\""));
    }

    #[test]
    fn missing_files_are_listed_before_anything_is_made() {
        let keys: Vec<String> = (0..500).map(|n| format!("/<gone>/{n}")).collect();
        let error = Error::new(
            Kind::Unprocessable,
            "missing_files",
            "500 files are missing.",
        )
        .member("missing_files", keys);
        let missing = Missing::of(&error, Some(600)).unwrap();
        let html = render(
            NewProjectForm::new(),
            NewProjectErrors::default(),
            Some(missing),
        );
        assert!(html.contains("500 files are not in the storage"));
        assert!(html.contains("and 300 more") && !html.contains("<gone>"));
        assert!(html.contains("Create without them"));
        let all = Missing::of(&error, Some(500)).unwrap();
        let html = render(
            NewProjectForm::new(),
            NewProjectErrors::default(),
            Some(all),
        );
        assert!(!html.contains("Create without them"));
        assert!(Missing::of(&Error::bug("x"), None).is_none());
    }
}
