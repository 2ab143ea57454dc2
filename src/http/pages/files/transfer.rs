//! Admins rename, move and copy a file, and make a folder.

use crate::application::bucket::body::{Piece, UploadBody};
use crate::application::bucket::write::{NewObject, StoredHeaders, WriteConditions};
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::files::copy::CopyRequest;
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::people::audit::{FilePart, NamedFile};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::folder;
use crate::http::pages::files::folder_page::{Forms, NewFolder};
use crate::http::pages::files::folder_query::FolderQuery;
use crate::http::pages::files::place::{Crumb, KeyQuery, Place, address, shown};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::shell::words;
use crate::http::path::Id;
use crate::http::problem::status_of;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;
use tokio::sync::mpsc;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/storages/{storage_id}/file/move", "move_file")
                .shows(show)
                .changes_files(move_file),
        )
        .add(PageRoute::at("/storages/{storage_id}/file/copy", "copy_file").changes_files(copy))
        .add(
            PageRoute::at("/storages/{storage_id}/files/folder", "create_folder")
                .changes_files(create_folder),
        );
}

/// Asks where a file goes.
#[derive(Template)]
#[template(path = "pages/file_move.html")]
struct MovePage {
    chrome: Chrome,
    place: Place,
    crumbs: Vec<Crumb>,
    key: String,
    to: String,
    replace: bool,
    move_action: String,
    copy_action: String,
    back: String,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveForm {
    to: String,
    replace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderForm {
    folder: String,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Move,
    Copy,
}

impl Change {
    fn done(self) -> &'static str {
        match self {
            Self::Move => "file_moved",
            Self::Copy => "file_copied",
        }
    }
}

impl MovePage {
    fn of(place: Place, key: &FileKey) -> Self {
        let written = key.to_string();
        Self {
            chrome: Chrome::bare(),
            crumbs: place.crumbs(&key.folder()),
            key: shown(&written),
            move_action: place.of_file("file/move", &written),
            copy_action: place.of_file("file/copy", &written),
            back: place.file_url(&written),
            to: written,
            replace: false,
            error: None,
            place,
        }
    }
}

async fn show(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    html(&MovePage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        ..MovePage::of(Place::of(&view), &key)
    })
}

async fn move_file(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
    trail: Trail,
    form: Form<MoveForm>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    change(&admin, &services, &id.0, key, &trail, form.0, Change::Move).await
}

async fn copy(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
    trail: Trail,
    form: Form<MoveForm>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    change(&admin, &services, &id.0, key, &trail, form.0, Change::Copy).await
}

async fn change(
    admin: &AdminVisitor,
    services: &Services,
    id: &StorageRef,
    from: FileKey,
    trail: &Trail,
    form: MoveForm,
    change: Change,
) -> Result<HttpResponse> {
    let view = services.storages.get(&admin.visitor.member, id).await?;
    let place = Place::of(&view);
    let replace = form.replace.as_deref() == Some("yes");
    let changed = async {
        let to = FileKey::parse(&form.to).map_err(|invalid| Error::field("to", invalid))?;
        trail
            .changes([
                NamedFile::new(&from, FilePart::From),
                NamedFile::new(&to, FilePart::To),
            ])
            .await?;
        let request = CopyRequest {
            from: from.clone(),
            from_version: None,
            to: to.clone(),
            if_none_match: !replace,
        };
        match change {
            Change::Move => {
                services
                    .files
                    .rename(admin.admin.writer(), id, &request)
                    .await?
            }
            Change::Copy => {
                services
                    .files
                    .copy(admin.admin.writer(), id, &request)
                    .await?
            }
        };
        Ok::<FileKey, Error>(to)
    };
    let error = match changed.await {
        Ok(to) => {
            let path = format!("/storages/{id}/files");
            let folder = to.folder().to_string();
            let pairs = [("folder", folder.as_str()), ("done", change.done())];
            return Ok(see_other(&address(&path, &pairs)));
        }
        Err(error) if error.kind == Kind::Forbidden || error.kind == Kind::Internal => {
            return Err(error);
        }
        Err(error) => error.for_admins(),
    };
    let mut response = html(&MovePage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        to: form.to,
        replace,
        error: Some(in_words(&error)),
        ..MovePage::of(place, &from)
    })?;
    *response.status_mut() = status_of(error.kind);
    Ok(response)
}

fn in_words(error: &Error) -> String {
    // A move whose original was not deleted says more than that.
    if error.reason == Some(Reason::ConditionFailed) && !error.members.contains_key("copied") {
        return "There is a file with this key already, or the original has just changed. Choose another key, or tick “Replace”."
            .to_owned();
    }
    words::of_error(error)
}

async fn create_folder(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    form: Form<FolderForm>,
) -> Result<HttpResponse> {
    let within = Folder::parse(&form.0.folder).map_err(|i| Error::field("folder", i))?;
    let name = form.0.name;
    let error = match make_folder(&admin, &services, &id.0, &trail, &within, &name).await {
        Ok(made) => {
            let path = format!("/storages/{}/files", id.0);
            let made = made.to_string();
            let pairs = [("folder", made.as_str()), ("done", "folder_created")];
            return Ok(see_other(&address(&path, &pairs)));
        }
        Err(error) if error.kind == Kind::Forbidden || error.kind == Kind::Internal => {
            return Err(error);
        }
        Err(error) => error.for_admins(),
    };
    let query = FolderQuery {
        folder: Some(within.to_string()),
        ..FolderQuery::default()
    };
    let forms = Forms {
        new_folder: NewFolder {
            name,
            error: Some(in_words(&error)),
        },
        ..Forms::default()
    };
    let mut page = folder::page(&admin.visitor, &services, &id.0, query, forms).await?;
    *page.status_mut() = status_of(error.kind);
    Ok(page)
}

/// Stores the empty object by which S3's console makes a folder. Gives its key.
async fn make_folder(
    admin: &AdminVisitor,
    services: &Services,
    id: &StorageRef,
    trail: &Trail,
    within: &Folder,
    name: &str,
) -> Result<FileKey> {
    let refuse = |invalid| Error::field("name", invalid);
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() || name.contains('/') {
        let detail = "Enter the name of one folder, without a slash.";
        return Err(refuse(Invalid::new("invalid_name", detail)));
    }
    let key = FileKey::parse(&format!("{within}{name}/")).map_err(refuse)?;
    trail.changes_file(&key).await?;
    let object = NewObject {
        content_type: "application/x-directory".to_owned(),
        headers: StoredHeaders::default(),
        metadata: Vec::new(),
        conditions: WriteConditions {
            if_none_match: true,
            if_match: None,
        },
        acl: None,
    };
    let (sender, pieces) = mpsc::channel(1);
    let ended = sender.send(Piece::End).await;
    ended.map_err(|_| Error::bug("the end of an empty body was not taken"))?;
    let body = UploadBody::new(pieces, Some(0), Vec::new());
    let stored = services
        .files
        .put(admin.admin.writer(), id, &key, object, body);
    match stored.await {
        Ok(_) => Ok(key),
        Err(error) => {
            trail.became([(0, Some(&error))]);
            // The folder is there: that is what was asked for.
            if error.kind == Kind::PreconditionFailed {
                Ok(key)
            } else {
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};

    #[test]
    fn the_key_is_shown_and_carried() {
        for key in ODD_KEYS {
            let key = FileKey::parse(key).unwrap();
            let html = MovePage::of(place(), &key).render().unwrap();
            assert!(!html.contains("<script>alert"));
            let action = place().of_file("file/copy", &key.to_string());
            assert!(
                html.contains(&action.replace('&', "&#38;")),
                "{key}: {html}"
            );
        }
    }

    #[test]
    fn an_error_keeps_what_was_typed() {
        let page = MovePage {
            error: Some("There is a file.".into()),
            to: "/b <new>.txt".into(),
            ..MovePage::of(place(), &FileKey::parse("/a.txt").unwrap())
        };
        let html = page.render().unwrap();
        assert!(html.contains("id=\"to-error\"") && html.contains("/b &#60;new&#62;.txt"));
    }
}
