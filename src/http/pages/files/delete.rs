//! Admins delete files of a storage.

use crate::application::error::{Error, Result};
use crate::application::files::write::{FileToDelete, MOST_DELETED};
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
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at(
                "/storages/{storage_id}/files/confirm-delete",
                "confirm_delete_files",
            )
            .asks(confirm),
        )
        .add(
            PageRoute::at("/storages/{storage_id}/files/delete", "delete_files")
                .changes_files(delete),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteQuery {
    /// Named here where it is one: a form's field would lose a line break.
    key: Option<String>,
}

/// Asks whether these files shall be deleted, or says which could not be.
#[derive(Template)]
#[template(path = "pages/files_delete.html")]
struct DeleteFilesPage {
    chrome: Chrome,
    place: Place,
    keys: Vec<DeleteRow>,
    action: String,
    /// Whether the keys are fields of the form.
    in_form: bool,
    back: String,
    /// How many files were deleted, where others were not.
    deleted: Option<usize>,
    used_by: UsedBy,
    error: Option<String>,
}

struct DeleteRow {
    key: String,
    shown: String,
    error: Option<String>,
}

impl DeleteRow {
    fn of(key: &FileKey) -> Self {
        let key = key.to_string();
        Self {
            shown: shown(&key),
            key,
            error: None,
        }
    }
}

/// The files that a form means, and the folder to go back to.
fn files_to_delete(query: DeleteQuery, fields: &FormFields) -> Result<(Vec<FileKey>, Folder)> {
    let texts: Vec<&str> = match &query.key {
        Some(key) => vec![key],
        None => fields.all("key").collect(),
    };
    if texts.len() > MOST_DELETED {
        let detail = format!("At most {MOST_DELETED} files are deleted at once.");
        return Err(Error::field("key", Invalid::new("too_many_keys", detail)));
    }
    let keys = texts
        .into_iter()
        .map(|key| FileKey::parse(key).map_err(|invalid| Error::field("key", invalid)))
        .collect::<Result<Vec<_>>>()?;
    let folder = match keys.first() {
        Some(key) => key.folder(),
        None => Folder::parse(fields.text("folder")).map_err(|i| Error::field("folder", i))?,
    };
    Ok((keys, folder))
}

impl DeleteFilesPage {
    fn of(place: Place, keys: &[FileKey], folder: &Folder, by_query: bool) -> Self {
        let first = keys.first().map(ToString::to_string).unwrap_or_default();
        Self {
            chrome: Chrome::bare(),
            action: match by_query {
                true => place.of_file("files/delete", &first),
                false => format!("/storages/{}/files/delete", place.id),
            },
            in_form: !by_query,
            back: place.folder_url(&folder.to_string()),
            keys: keys.iter().map(DeleteRow::of).collect(),
            deleted: None,
            used_by: UsedBy::default(),
            error: keys
                .is_empty()
                .then(|| "No file was selected. Select the files to delete first.".to_owned()),
            place,
        }
    }
}

async fn confirm(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DeleteQuery>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let by_query = query.0.key.is_some();
    let (keys, folder) = files_to_delete(query.0, &fields)?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    let used_by = UsedBy::find(&services, &admin.visitor, &id.0, &keys).await?;
    let page = DeleteFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        used_by,
        ..DeleteFilesPage::of(Place::of(&view), &keys, &folder, by_query)
    };
    let mut response = html(&page)?;
    if page.error.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

async fn delete(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<DeleteQuery>,
    trail: Trail,
    fields: FormFields,
) -> Result<HttpResponse> {
    let by_query = query.0.key.is_some();
    let (keys, folder) = files_to_delete(query.0, &fields)?;
    let named = keys.iter().map(|key| NamedFile::new(key, FilePart::File));
    trail.changes(named).await?;
    let place = Place::of(&services.storages.get(&admin.visitor.member, &id.0).await?);
    let files: Vec<FileToDelete> = keys
        .iter()
        .map(|key| FileToDelete {
            key: key.clone(),
            version_id: None,
        })
        .collect();
    let outcomes = match files.as_slice() {
        // Its failure is shown in full.
        [one] => {
            services
                .files
                .delete(admin.admin.writer(), &id.0, one)
                .await?;
            Vec::new()
        }
        _ => {
            services
                .files
                .delete_many(admin.admin.writer(), &id.0, files)
                .await?
        }
    };
    let became = outcomes.iter().map(|outcome| outcome.error.as_ref());
    trail.became(became.enumerate());
    let failed: Vec<_> = outcomes.iter().filter(|o| o.error.is_some()).collect();
    if failed.is_empty() && !keys.is_empty() {
        let done = if keys.len() == 1 {
            "file_deleted"
        } else {
            "files_deleted"
        };
        let path = format!("/storages/{}/files", place.id);
        let folder = folder.to_string();
        return Ok(see_other(&address(
            &path,
            &[("folder", &folder), ("done", done)],
        )));
    }
    let left: Vec<FileKey> = failed.iter().map(|o| o.file.key.clone()).collect();
    let used_by = UsedBy::find(&services, &admin.visitor, &id.0, &left).await?;
    let mut page = DeleteFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        used_by,
        deleted: Some(keys.len() - left.len()),
        ..DeleteFilesPage::of(place, &left, &folder, by_query)
    };
    for (row, outcome) in page.keys.iter_mut().zip(&failed) {
        let error = outcome.error.clone().map(Error::for_admins);
        row.error = error.map(|error| error.detail.clone());
    }
    let mut response = html(&page)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use crate::http::pages::files::used_by::samples::used_by;

    #[test]
    fn what_is_to_be_deleted_is_named_and_carried() {
        let keys: Vec<FileKey> = ODD_KEYS
            .iter()
            .map(|k| FileKey::parse(k).unwrap())
            .collect();
        let html = DeleteFilesPage::of(place(), &keys, &Folder::root(), false)
            .render()
            .unwrap();
        assert!(html.contains("13 files") && !html.contains("<script>alert"));
        assert_eq!(html.matches("name=\"key\"").count(), keys.len());
        let html = DeleteFilesPage::of(place(), &keys[10..11], &Folder::root(), true)
            .render()
            .unwrap();
        assert!(html.contains("files/delete?key=%2Fline%0Abreak") && html.contains("line␊break"));
        assert!(!html.contains("name=\"key\""));
        let html = DeleteFilesPage::of(place(), &[], &Folder::root(), false)
            .render()
            .unwrap();
        assert!(html.contains("No file was selected"));
    }

    #[test]
    fn projects_that_use_the_files_are_named() {
        let html = |keys: &[&str], count| {
            let keys: Vec<FileKey> = keys.iter().map(|k| FileKey::parse(k).unwrap()).collect();
            DeleteFilesPage {
                used_by: used_by(count),
                ..DeleteFilesPage::of(place(), &keys, &Folder::root(), false)
            }
            .render()
            .unwrap()
        };
        let one = html(&["/a"], 1);
        assert!(one.contains("1 project uses this file."));
        assert!(one.contains("href=\"/projects/prj_1\"") && !one.contains("Cats <b>"));
        let many = html(&["/a", "/b"], 21);
        assert!(many.contains("21 projects use some of these files.") && many.contains("20 more"));
    }
}
