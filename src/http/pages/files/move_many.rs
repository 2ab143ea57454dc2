//! Admins move several files into another folder.

use crate::application::error::{Error, Reason, Result};
use crate::application::files::copy::CopyRequest;
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::people::audit::{FilePart, NamedFile};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::place::{Place, address, shown};
use crate::http::pages::files::used_by::UsedBy;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::FormFields;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::shell::words;
use crate::http::path::Id;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeSet;

/// How many files one form moves at most. Each is a copy and a deletion, and the form waits for all of them.
const MOST_MOVED: usize = 100;
/// How many of them are moved at the same time.
const AT_ONCE: usize = 4;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at(
                "/storages/{storage_id}/files/confirm-move",
                "confirm_move_files",
            )
            .asks(confirm),
        )
        .add(
            PageRoute::at("/storages/{storage_id}/files/move", "move_files")
                .changes_files(move_files),
        );
}

/// Asks where these files go, or says which could not be moved.
#[derive(Template)]
#[template(path = "pages/files_move.html")]
struct MoveFilesPage {
    chrome: Chrome,
    place: Place,
    keys: Vec<MoveRow>,
    action: String,
    back: String,
    /// The folder that they were chosen in: a refused form leads back to it.
    folder: String,
    /// The folder that they go to, as it was typed.
    to: String,
    replace: bool,
    /// How many files were moved, where others were not.
    moved: Option<usize>,
    used_by: UsedBy,
    /// What is wrong with the folder.
    error: Option<String>,
}

struct MoveRow {
    key: String,
    shown: String,
    error: Option<String>,
}

impl MoveRow {
    fn of(key: &FileKey) -> Self {
        let key = key.to_string();
        Self {
            shown: shown(&key),
            key,
            error: None,
        }
    }
}

impl MoveFilesPage {
    fn of(place: Place, keys: &[FileKey], folder: &Folder) -> Self {
        let folder = folder.to_string();
        Self {
            chrome: Chrome::bare(),
            action: format!("/storages/{}/files/move", place.id),
            back: place.folder_url(&folder),
            keys: keys.iter().map(MoveRow::of).collect(),
            to: folder.clone(),
            folder,
            replace: false,
            moved: None,
            used_by: UsedBy::default(),
            error: None,
            place,
        }
    }

    /// The page, as a refusal.
    fn refused(&self) -> Result<HttpResponse> {
        let mut response = html(self)?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(response)
    }
}

/// The files that a form means, and the folder that they were chosen in.
fn chosen(fields: &FormFields) -> Result<(Vec<FileKey>, Folder)> {
    if fields.all("key").count() > MOST_MOVED {
        let detail = format!("At most {MOST_MOVED} files are moved at once.");
        return Err(Error::field("key", Invalid::new("too_many_keys", detail)));
    }
    let keys = fields
        .all("key")
        .map(|key| FileKey::parse(key).map_err(|invalid| Error::field("key", invalid)))
        .collect::<Result<Vec<_>>>()?;
    let folder = Folder::parse(fields.text("folder")).map_err(|i| Error::field("folder", i))?;
    Ok((keys, folder))
}

/// Where each file goes: into the folder, under its own name.
fn targets(keys: &[FileKey], to: &str) -> Result<(Folder, Vec<FileKey>)> {
    let refuse = |invalid| Error::field("to", invalid);
    let to = Folder::parse(to).map_err(refuse)?;
    let mut names = BTreeSet::new();
    let mut targets = Vec::with_capacity(keys.len());
    for key in keys {
        let name = key.name();
        if name.contains('/') || !names.insert(name) {
            let detail =
                "Two of these files have the same name, or one has none. Move them one by one.";
            return Err(refuse(Invalid::new("invalid_name", detail)));
        }
        targets.push(FileKey::parse(&format!("{to}{name}")).map_err(refuse)?);
    }
    Ok((to, targets))
}

async fn confirm(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let (keys, folder) = chosen(&fields)?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    let used_by = UsedBy::find(&services, &admin.visitor, &id.0, &keys).await?;
    let page = MoveFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        used_by,
        ..MoveFilesPage::of(Place::of(&view), &keys, &folder)
    };
    match page.keys.is_empty() {
        true => page.refused(),
        false => html(&page),
    }
}

async fn move_files(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    fields: FormFields,
) -> Result<HttpResponse> {
    let (keys, folder) = chosen(&fields)?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    let place = Place::of(&view);
    let typed = fields.text("to");
    let replace = fields.text("replace") == "yes";
    let (to, targets) = match targets(&keys, typed) {
        Ok(wanted) if !keys.is_empty() => wanted,
        answer => {
            let used_by = UsedBy::find(&services, &admin.visitor, &id.0, &keys).await?;
            let page = MoveFilesPage {
                chrome: Chrome::of(&admin.visitor, Section::Settings),
                to: typed.to_owned(),
                replace,
                used_by,
                error: answer.err().map(|error| words::of_error(&error)),
                ..MoveFilesPage::of(place, &keys, &folder)
            };
            return page.refused();
        }
    };
    let named = keys.iter().zip(&targets).flat_map(|(from, to)| {
        [
            NamedFile::new(from, FilePart::From),
            NamedFile::new(to, FilePart::To),
        ]
    });
    trail.changes(named).await?;

    let (files, writer, id) = (&services.files, admin.admin.writer(), &id.0);
    let moves = keys.iter().zip(targets).map(|(from, to)| {
        let request = CopyRequest {
            from: from.clone(),
            from_version: None,
            to,
            if_none_match: !replace,
        };
        async move { files.rename(writer, id, &request).await.err() }
    });
    let errors: Vec<Option<Error>> = stream::iter(moves).buffered(AT_ONCE).collect().await;
    // Each file is named twice: where it was, and where it goes.
    let became = errors.iter().enumerate().flat_map(|(at, error)| {
        let error = error.as_ref();
        [(2 * at, error), (2 * at + 1, error)]
    });
    trail.became(became);

    let mut left = Vec::new();
    let mut reasons = Vec::new();
    for (key, error) in keys.iter().zip(errors) {
        if let Some(error) = error {
            left.push(key.clone());
            reasons.push(match key.folder() == to {
                true => "The file is in this folder already.".to_owned(),
                false => in_words(&error.for_admins()),
            });
        }
    }
    if left.is_empty() {
        let path = format!("/storages/{}/files", place.id);
        let to = to.to_string();
        let done = if keys.len() == 1 {
            "file_moved"
        } else {
            "files_moved"
        };
        let pairs = [("folder", to.as_str()), ("done", done)];
        return Ok(see_other(&address(&path, &pairs)));
    }
    let used_by = UsedBy::find(&services, &admin.visitor, id, &left).await?;
    let mut page = MoveFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        to: to.to_string(),
        replace,
        moved: Some(keys.len() - left.len()),
        used_by,
        ..MoveFilesPage::of(place, &left, &folder)
    };
    for (row, reason) in page.keys.iter_mut().zip(reasons) {
        row.error = Some(reason);
    }
    page.refused()
}

/// Why one file was not moved.
fn in_words(error: &Error) -> String {
    // A move whose original was not deleted says more than that.
    if error.reason == Some(Reason::ConditionFailed) && !error.members.contains_key("copied") {
        return "There is a file with this name in the folder already, or the original has just changed."
            .to_owned();
    }
    words::of_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use crate::http::pages::files::used_by::samples::used_by;

    fn keys(texts: &[&str]) -> Vec<FileKey> {
        texts.iter().map(|k| FileKey::parse(k).unwrap()).collect()
    }

    #[test]
    fn each_file_keeps_its_name() {
        let (to, found) = targets(&keys(&["/a/x 1.txt", "/b/y"]), "new/2026").unwrap();
        assert_eq!(to.to_string(), "/new/2026/");
        assert_eq!(found, keys(&["/new/2026/x 1.txt", "/new/2026/y"]));
        let (_, found) = targets(&keys(&["/a/x"]), "/").unwrap();
        assert_eq!(found, keys(&["/x"]));
        // Neither would be where it is expected.
        for refused in [&["/a/x", "/b/x"][..], &["/a/"]] {
            assert!(targets(&keys(refused), "/to/").is_err(), "{refused:?}");
        }
        assert!(targets(&keys(&["/a/x"]), "/to/../up").is_err());
    }

    #[test]
    fn what_is_to_be_moved_is_named_and_carried() {
        let odd = keys(ODD_KEYS);
        let page = MoveFilesPage {
            used_by: used_by(2),
            ..MoveFilesPage::of(place(), &odd, &Folder::parse("/in box/").unwrap())
        };
        let html = page.render().unwrap();
        assert!(html.contains("Move 13 files") && !html.contains("<script>alert"));
        assert_eq!(html.matches("name=\"key\"").count(), odd.len());
        assert!(html.contains("name=\"to\" value=\"/in box/\""));
        assert!(html.contains("2 projects use some of these files."));
        let none = MoveFilesPage::of(place(), &[], &Folder::root());
        let html = none.render().unwrap();
        assert!(html.contains("No file was selected") && !html.contains("name=\"to\""));
    }

    #[test]
    fn what_was_not_moved_says_why() {
        let mut page = MoveFilesPage {
            moved: Some(3),
            replace: true,
            error: Some("`x` is no <folder>.".into()),
            ..MoveFilesPage::of(place(), &keys(&["/a"]), &Folder::root())
        };
        page.keys[0].error = Some("There is a <file>.".into());
        let html = page.render().unwrap();
        assert!(html.contains("1 file was not moved") && html.contains("3 files were moved."));
        assert!(html.contains("There is a &#60;file&#62;.") && html.contains(" checked"));
        assert!(
            html.contains("aria-describedby=\"to-error\"") && html.contains("no &#60;folder&#62;")
        );
    }
}
