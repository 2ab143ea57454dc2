//! What admins change in a storage: they upload and delete files.

use crate::application::bucket::body::{BodyFault, CHUNKS_AHEAD, UploadBody};
use crate::application::bucket::write::{NewObject, StoredHeaders, WriteConditions};
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::files::write::{FileToDelete, MOST_DELETED};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::people::audit::{FilePart, NamedFile};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::file_headers;
use crate::http::pages::files::file_name::file_name;
use crate::http::pages::files::folder;
use crate::http::pages::files::folder::{FolderQuery, Upload};
use crate::http::pages::files::place::{Place, address, shown};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::form::{FormFields, check_token, expected, same_site};
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::problem::status_of;
use crate::http::query::Query;
use crate::http::state::Services;
use crate::http::trail::Trail;
use crate::http::upload::pump;
use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::StreamExt;
use futures_util::future::join;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The longest field of the upload form beside the files, in bytes.
const LONGEST_FIELD: usize = 8 << 10;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/storages/{storage_id}/files/upload", "upload_file")
                .changes_files(upload),
        )
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

/// The fields of the upload form, as they come: each must be there before the file it is about.
#[derive(Default)]
struct Before {
    token: Option<String>,
    folder: String,
    replace: bool,
    /// Of the next file, in bytes; known where the browser runs the page's script.
    size: Option<u64>,
}

/// Takes the files of a form, each streamed into the bucket as it comes.
async fn upload(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    trail: Trail,
    request: HttpRequest,
    form: Multipart,
) -> Result<HttpResponse> {
    same_site(&request)?;
    let csrf = expected(&request)?;
    let mut before = Before::default();
    let to = Destination {
        admin: &admin,
        services: &services,
        id: &id.0,
        trail: &trail,
    };
    let stored = store_all(&to, form, &mut before, |token| check_token(token, &csrf)).await;
    let place = format!("/storages/{}/files", id.0);
    let error = match stored {
        Ok(0) => Error::field("file", Invalid::new("no_file", "Choose a file to upload.")),
        Ok(number) => {
            let done = if number == 1 {
                "file_uploaded"
            } else {
                "files_uploaded"
            };
            let folder = before.folder;
            return Ok(see_other(&address(
                &place,
                &[("folder", &folder), ("done", done)],
            )));
        }
        Err(error) if error.kind == Kind::Forbidden || error.kind == Kind::Internal => {
            return Err(error);
        }
        Err(error) => error.for_admins(),
    };
    let query = FolderQuery {
        folder: Some(before.folder),
        ..FolderQuery::default()
    };
    let upload = Upload {
        error: Some(in_words(&error)),
        replace: before.replace,
    };
    let mut page = folder::page(&admin.visitor, &services, &id.0, query, upload).await?;
    *page.status_mut() = status_of(error.kind);
    Ok(page)
}

fn in_words(error: &Error) -> String {
    if error.reason == Some(Reason::ConditionFailed) {
        return "There is a file of this name already. To replace it, tick “Replace” and upload again."
            .to_owned();
    }
    match &error.remedy {
        Some(remedy) => format!("{} {remedy}", error.detail),
        None => error.detail.clone(),
    }
}

/// Where the files of a form go.
struct Destination<'a> {
    admin: &'a AdminVisitor,
    services: &'a Services,
    id: &'a StorageRef,
    trail: &'a Trail,
}

/// Stores what the form holds, and says how many files they were.
async fn store_all(
    to: &Destination<'_>,
    mut form: Multipart,
    before: &mut Before,
    check: impl Fn(Option<&str>) -> Result<()>,
) -> Result<usize> {
    let mut stored = 0;
    let patience = to.services.running.request_timeout;
    // How long the fields have taken since the last file was stored.
    let mut spent = Duration::ZERO;
    loop {
        let began = Instant::now();
        let left = patience.saturating_sub(spent);
        let Some(field) = next(left, &mut form).await? else {
            break;
        };
        let mut field = field.map_err(unreadable)?;
        let left = left.saturating_sub(began.elapsed());
        match field.name().unwrap_or_default() {
            "csrf" => before.token = Some(text(left, &mut field).await?),
            "folder" => before.folder = text(left, &mut field).await?,
            "replace" => before.replace = text(left, &mut field).await? == "yes",
            "size" => before.size = text(left, &mut field).await?.parse().ok(),
            "file" => {
                check(before.token.as_deref())?;
                if store(to, field, before).await? {
                    stored += 1;
                    spent = Duration::ZERO;
                    continue;
                }
            }
            _ => return Err(unreadable("a field that the form does not have")),
        }
        spent += began.elapsed();
    }
    check(before.token.as_deref())?;
    Ok(stored)
}

/// Stores one file; false where none was chosen.
async fn store(to: &Destination<'_>, field: Field, before: &mut Before) -> Result<bool> {
    let disposition = field.headers().get(header::CONTENT_DISPOSITION);
    let name = match disposition {
        Some(value) => file_name(value.as_bytes())?.unwrap_or_default(),
        None => String::new(),
    };
    if name.is_empty() {
        return Ok(false);
    }
    let headers = field.headers().iter();
    file_headers::of_a_part(headers.map(|(name, value)| (name.as_str(), value.as_bytes())))?;
    let folder = Folder::parse(&before.folder).map_err(|i| Error::field("folder", i))?;
    let key = FileKey::parse(&format!("{folder}{name}")).map_err(|i| Error::field("file", i))?;
    // The text itself: a type that was parsed and written again has lost its form.
    let sent_type = field
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let content_type = sent_type
        .filter(|sent| !sent.is_empty() && sent != "application/octet-stream")
        .unwrap_or_else(|| {
            let guess = mime_guess::from_path(&name);
            guess
                .first_raw()
                .unwrap_or("application/octet-stream")
                .to_owned()
        });
    let object = NewObject {
        content_type,
        headers: StoredHeaders::default(),
        metadata: Vec::new(),
        conditions: WriteConditions {
            if_none_match: !before.replace,
            if_match: None,
        },
        acl: None,
    };
    let (sender, pieces) = mpsc::channel(CHUNKS_AHEAD);
    let body = UploadBody::new(pieces, before.size.take(), Vec::new());
    let at = to.trail.file_count();
    to.trail.changes_file(&key).await?;
    let files = &to.services.files;
    let put = files.put(&to.admin.admin, to.id, &key, object, body);
    let patience = to.services.running.request_timeout;
    let (stored, ()) = join(put, pump(field, sender, patience)).await;
    to.trail.became([(at, stored.as_ref().err())]);
    stored?;
    Ok(true)
}

type NextField = Option<std::result::Result<Field, actix_multipart::MultipartError>>;

async fn next(patience: Duration, form: &mut Multipart) -> Result<NextField> {
    tokio::time::timeout(patience, form.next())
        .await
        .map_err(|_| BodyFault::Stalled.into())
}

async fn text(patience: Duration, field: &mut Field) -> Result<String> {
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = field.next().await {
            bytes.extend_from_slice(&chunk.map_err(unreadable)?);
            if bytes.len() > LONGEST_FIELD {
                return Err(unreadable("a field is too long"));
            }
        }
        String::from_utf8(bytes).map_err(unreadable)
    };
    match tokio::time::timeout(patience, reading).await {
        Ok(text) => text,
        Err(_) => Err(BodyFault::Stalled.into()),
    }
}

fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Malformed,
        "not_a_form",
        "The form could not be read to its end. Files before the break may have been stored.",
    )
    .remedy("Look at the folder, then upload again.")
    .internal(cause)
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
            error: keys
                .is_empty()
                .then(|| "No file was chosen. Tick the files to delete first.".to_owned()),
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
    let page = DeleteFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
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
            services.files.delete(&admin.admin, &id.0, one).await?;
            Vec::new()
        }
        _ => {
            services
                .files
                .delete_many(&admin.admin, &id.0, files)
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
    let mut page = DeleteFilesPage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
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
        assert!(html.contains("No file was chosen"));
    }
}
