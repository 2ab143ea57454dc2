//! Admins upload files into a folder of a storage.

use crate::application::bucket::write::{NewObject, StoredHeaders, WriteConditions};
use crate::application::error::{Error, Kind, Reason, Result};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::file_headers;
use crate::http::pages::files::file_name::file_name;
use crate::http::pages::files::folder;
use crate::http::pages::files::folder_page::{Forms, Upload};
use crate::http::pages::files::folder_query::FolderQuery;
use crate::http::pages::files::form_fields::{next, text, unreadable};
use crate::http::pages::files::place::{address, shown};
use crate::http::pages::shell::answer::see_other;
use crate::http::pages::shell::form::{check_token, expected, same_site};
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::shell::words;
use crate::http::path::Id;
use crate::http::problem::status_of;
use crate::http::pump;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join;
use serde::Serialize;
use std::time::{Duration, Instant};

pub fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/storages/{storage_id}/files/upload", "upload_file").changes_files(upload),
    );
}

/// The fields of the upload form, as they come: each must be there before the file it is about.
#[derive(Default)]
struct Before {
    token: Option<String>,
    folder: String,
    replace: bool,
    /// Whether the page's script sends the form, one file at a time: it reads no page.
    by_script: bool,
    /// Of the next file, in bytes; known where the browser runs the page's script.
    size: Option<u64>,
}

/// What became of one file.
struct FileResult {
    name: String,
    error: Option<Error>,
}

/// What the page's script gets.
#[derive(Serialize)]
struct ScriptAnswer {
    stored: usize,
    /// Whether there is a file of this name already.
    exists: bool,
    code: Option<&'static str>,
    detail: Option<String>,
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
    let mut results = Vec::new();
    let to = Destination {
        admin: &admin,
        services: &services,
        id: &id.0,
        trail: &trail,
    };
    let read = store_all(&to, form, &mut before, &mut results, |token| {
        check_token(token, &csrf)
    })
    .await;
    let error = match read {
        Ok(()) if results.is_empty() => Some(Error::field(
            "file",
            Invalid::new("no_file", "Choose a file to upload."),
        )),
        Ok(()) => results.iter().find_map(|result| result.error.clone()),
        Err(error) if error.kind == Kind::Forbidden || error.kind == Kind::Internal => {
            return Err(error);
        }
        Err(error) => Some(error),
    };
    let stored = results.iter().filter(|r| r.error.is_none()).count();
    if before.by_script {
        return Ok(for_script(stored, error.map(Error::for_admins)));
    }
    let Some(error) = error.map(Error::for_admins) else {
        let done = match stored {
            1 => "file_uploaded",
            _ => "files_uploaded",
        };
        let place = format!("/storages/{}/files", id.0);
        let folder = before.folder;
        return Ok(see_other(&address(
            &place,
            &[("folder", &folder), ("done", done)],
        )));
    };
    let query = FolderQuery {
        folder: Some(before.folder),
        ..FolderQuery::default()
    };
    let upload = Upload {
        error: Some(of_all(&error, stored, results.len())),
        replace: before.replace,
        results: match results.len() {
            0 | 1 => Vec::new(),
            _ => results.into_iter().map(FileResult::in_words).collect(),
        },
    };
    let forms = Forms {
        upload,
        ..Forms::default()
    };
    let mut page = folder::page(&admin.visitor, &services, &id.0, query, forms).await?;
    *page.status_mut() = status_of(error.kind);
    Ok(page)
}

fn for_script(stored: usize, error: Option<Error>) -> HttpResponse {
    let status = error
        .as_ref()
        .map_or(StatusCode::OK, |error| status_of(error.kind));
    HttpResponse::build(status).json(ScriptAnswer {
        stored,
        exists: error.as_ref().is_some_and(is_there),
        code: error.as_ref().map(|error| error.code),
        detail: error.as_ref().map(in_words),
    })
}

impl FileResult {
    fn in_words(self) -> (String, Option<String>) {
        let why = self.error.map(Error::for_admins);
        (shown(&self.name), why.as_ref().map(in_words))
    }
}

/// What is said of the whole form: of one file what is wrong with it, of several how many were stored.
fn of_all(error: &Error, stored: usize, tried: usize) -> String {
    let all = match tried {
        0 | 1 => return in_words(error),
        tried if stored == 0 => format!("None of {tried} files was uploaded."),
        tried => format!("{stored} of {tried} files were uploaded."),
    };
    match error.kind {
        Kind::PreconditionFailed => format!(
            "{all} To replace those that are there already, tick “Replace” and upload them again."
        ),
        _ => all,
    }
}

fn is_there(error: &Error) -> bool {
    error.reason == Some(Reason::ConditionFailed)
}

fn in_words(error: &Error) -> String {
    if is_there(error) {
        return "There is a file of this name already. To replace it, tick “Replace” and upload again."
            .to_owned();
    }
    words::of_error(error)
}

/// Where the files of a form go.
struct Destination<'a> {
    admin: &'a AdminVisitor,
    services: &'a Services,
    id: &'a StorageRef,
    trail: &'a Trail,
}

/// Stores what the form holds. A file that cannot be stored does not keep the others from it, unless the
/// same would befall them.
async fn store_all(
    to: &Destination<'_>,
    mut form: Multipart,
    before: &mut Before,
    results: &mut Vec<FileResult>,
    check: impl Fn(Option<&str>) -> Result<()>,
) -> Result<()> {
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
            "answer" => before.by_script = text(left, &mut field).await? == "json",
            "size" => before.size = text(left, &mut field).await?.parse().ok(),
            "file" => {
                check(before.token.as_deref())?;
                let Some(name) = name_of(&field)? else {
                    spent += began.elapsed();
                    continue;
                };
                let stored = store(to, field, &name, before).await;
                let goes_on = stored.as_ref().err().is_none_or(is_of_one_file);
                let error = stored.err();
                results.push(FileResult {
                    name,
                    error: error.clone(),
                });
                match error {
                    Some(error) if !goes_on => return Err(error),
                    Some(_) | None => {}
                }
                spent = Duration::ZERO;
                continue;
            }
            _ => return Err(unreadable("a field that the form does not have")),
        }
        spent += began.elapsed();
    }
    check(before.token.as_deref())
}

/// Whether an error is about the file, and not about all files.
fn is_of_one_file(error: &Error) -> bool {
    matches!(
        error.kind,
        Kind::PreconditionFailed | Kind::Unprocessable | Kind::TooLarge
    )
}

/// The name of a file of the form; `None` where none was chosen.
fn name_of(field: &Field) -> Result<Option<String>> {
    let disposition = field.headers().get(header::CONTENT_DISPOSITION);
    let name = match disposition {
        Some(value) => file_name(value.as_bytes())?,
        None => None,
    };
    Ok(name.filter(|name| !name.is_empty()))
}

/// Stores one file.
async fn store(to: &Destination<'_>, field: Field, name: &str, before: &mut Before) -> Result<()> {
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
    let object = NewObject {
        content_type: type_of(sent_type, name),
        headers: StoredHeaders::default(),
        metadata: Vec::new(),
        conditions: WriteConditions {
            if_none_match: !before.replace,
            if_match: None,
        },
        acl: None,
    };
    let running = &to.services.running;
    let (body, reading) = pump::upload(field, before.size.take(), Vec::new(), running);
    let at = to.trail.file_count();
    to.trail.changes_file(&key).await?;
    let files = &to.services.files;
    let put = files.put(to.admin.admin.writer(), to.id, &key, object, body);
    let (stored, ()) = join(put, reading).await;
    to.trail.became([(at, stored.as_ref().err())]);
    stored.map(|_| ())
}

/// The type that a file is stored with: the browser's, or else by the name's ending.
pub(super) fn type_of(sent: Option<String>, name: &str) -> String {
    sent.filter(|sent| !sent.is_empty() && sent != "application/octet-stream")
        .unwrap_or_else(|| {
            let guess = mime_guess::from_path(name);
            guess
                .first_raw()
                .unwrap_or("application/octet-stream")
                .to_owned()
        })
}
