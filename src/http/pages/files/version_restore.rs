//! Admins restore an earlier version of a file: S3 copies it, and the copy is the current version.

use crate::application::error::{Error, Kind, Result};
use crate::application::files::copy::CopyRequest;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::place::{Crumb, Place, address, shown};
use crate::http::pages::files::version::VersionQuery;
use crate::http::pages::files::versions::VersionAddress;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Confirmed;
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

pub fn configure(routes: &mut PageRoutes) {
    let route = PageRoute::at(
        "/storages/{storage_id}/file/version/restore",
        "restore_file_version",
    );
    routes.add(route.shows(ask).changes_files(restore));
}

/// Asks whether a version shall be restored, or says why it was not.
#[derive(Template)]
#[template(path = "pages/file_restore.html")]
struct RestorePage {
    chrome: Chrome,
    place: Place,
    crumbs: Vec<Crumb>,
    key: String,
    version_id: String,
    action: String,
    back: String,
    error: Option<String>,
}

impl RestorePage {
    fn of(place: Place, key: &FileKey, version_id: String) -> Self {
        let at = VersionAddress::of(&place, key, &version_id);
        let (action, back) = (at.restore(), at.page());
        Self {
            chrome: Chrome::bare(),
            crumbs: place.crumbs(&key.folder()),
            key: shown(&key.to_string()),
            version_id,
            action,
            back,
            error: None,
            place,
        }
    }
}

async fn ask(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
) -> Result<HttpResponse> {
    let (key, version_id) = query.0.parse()?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    html(&RestorePage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        ..RestorePage::of(Place::of(&view), &key, version_id)
    })
}

async fn restore(
    admin: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
    trail: Trail,
    _: Confirmed,
) -> Result<HttpResponse> {
    let (key, version_id) = query.0.parse()?;
    let view = services.storages.get(&admin.visitor.member, &id.0).await?;
    trail.changes_file(&key).await?;
    let request = CopyRequest {
        from: key.clone(),
        from_version: Some(version_id.clone()),
        to: key.clone(),
        if_none_match: false,
    };
    let error = match services
        .files
        .copy(admin.admin.writer(), &id.0, &request)
        .await
    {
        Ok(_) => {
            let path = format!("/storages/{}/file", id.0);
            let written = key.to_string();
            let pairs = [("key", written.as_str()), ("done", "version_restored")];
            return Ok(see_other(&address(&path, &pairs)));
        }
        Err(error) if error.kind == Kind::Forbidden || error.kind == Kind::Internal => {
            return Err(error);
        }
        Err(error) => error.for_admins(),
    };
    let mut response = html(&refused(&admin, Place::of(&view), &key, version_id, &error))?;
    *response.status_mut() = status_of(error.kind);
    Ok(response)
}

fn refused(
    admin: &AdminVisitor,
    place: Place,
    key: &FileKey,
    version_id: String,
    error: &Error,
) -> RestorePage {
    RestorePage {
        chrome: Chrome::of(&admin.visitor, Section::Settings),
        error: Some(words::of_error(error)),
        ..RestorePage::of(place, key, version_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};

    #[test]
    fn what_is_restored_is_named_and_carried() {
        for key in ODD_KEYS {
            let key = FileKey::parse(key).unwrap();
            let page = RestorePage::of(place(), &key, "v<1>".into());
            let action = page.action.replace('&', "&#38;");
            let html = page.render().unwrap();
            assert!(!html.contains("<script>alert") && !html.contains("v<1>"));
            assert!(html.contains(&format!("action=\"{action}\"")), "{key}");
        }
    }

    #[test]
    fn a_refusal_is_shown_and_nothing_where_nothing_is_written() {
        let key = FileKey::parse("/a").unwrap();
        let page = RestorePage {
            error: Some("It is <archived>.".into()),
            ..RestorePage::of(place(), &key, "v1".into())
        };
        assert!(page.render().unwrap().contains("It is &#60;archived&#62;."));
        let mut reading = place();
        reading.writes = false;
        let html = RestorePage::of(reading, &key, "v1".into())
            .render()
            .unwrap();
        assert!(!html.contains("<form method=\"post\" action=\"/storages"));
    }
}
