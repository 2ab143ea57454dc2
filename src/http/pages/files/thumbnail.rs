//! The small pictures of a folder's list: the files themselves, where they are small enough to be read for that.

use crate::application::bucket::read::ReadConditions;
use crate::application::error::{Error, Kind, Reason, Result};
use crate::application::files::read::FileEntry;
use crate::application::files::safe_content::Serving;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::api::files::read::is_one_tag;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::file_content::{CACHING, as_it_is, describe, with_body};
use crate::http::pages::files::place::{KeyQuery, Place};
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

/// The largest file that is shown small, in bytes. Browsers fetch it whole, when it is scrolled into view.
const LARGEST: i64 = 2 << 20;

/// What is shown. Never SVG, in which scripts can run.
const TYPES: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];

/// The storage classes from which a read costs no retrieval and changes nothing (Amazon S3 pricing; S3 user guide,
/// "Understanding and managing Amazon S3 storage classes").
const READ_FREELY: [&str; 3] = ["STANDARD", "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE"];

pub fn configure(routes: &mut PageRoutes) {
    let route = PageRoute::at("/storages/{storage_id}/file/thumbnail", "file_thumbnail");
    routes.add(route.shows(show));
}

/// The address of a file's small picture; `None` where it has none.
pub fn of_entry(entry: &FileEntry, place: &Place) -> Option<String> {
    let key = FileKey::parse(&entry.key).ok()?;
    let class = entry.storage_class.as_deref();
    let fits = (1..=LARGEST).contains(&entry.size)
        && class.is_none_or(|class| READ_FREELY.contains(&class))
        && is_shown(&Serving::of(&key, None, None));
    fits.then(|| place.of_file("file/thumbnail", &entry.key))
}

fn is_shown(serving: &Serving) -> bool {
    let essence = serving.content_type.split(';').next().unwrap_or_default();
    serving.is_shown() && TYPES.contains(&essence.trim().to_ascii_lowercase().as_str())
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    visitor.reads(&key);
    let known = request.headers().get(header::IF_NONE_MATCH);
    let known = known.and_then(|value| value.to_str().ok());
    let conditions = ReadConditions {
        if_none_match: known.filter(|tag| is_one_tag(tag)).map(str::to_owned),
        ..ReadConditions::default()
    };
    let content = services
        .files
        .content(&visitor.member, &id.0, &key, &conditions)
        .await;
    let content = match content {
        Err(error) if error.reason == Some(Reason::NotModified) => {
            let mut response = HttpResponse::NotModified();
            response.insert_header((header::CACHE_CONTROL, CACHING));
            if let Some(tag) = conditions.if_none_match {
                response.insert_header((header::ETAG, tag));
            }
            return Ok(response.finish());
        }
        answer => answer?,
    };
    let largest = LARGEST.unsigned_abs();
    let is_small = content.content_length.is_some_and(|l| l <= largest);
    let stored_type = content.metadata.content_type.as_deref();
    if !is_small || !is_shown(&Serving::of_stored(&key, stored_type)) {
        return Err(Error::new(
            Kind::NotFound,
            "not_found",
            "This file is not shown as a small picture.",
        ));
    }
    let mut response = HttpResponse::Ok();
    describe(&mut response, &key, &content.metadata);
    Ok(as_it_is(with_body(
        &mut response,
        content.content_length,
        content.body,
        content.cut,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::place;

    fn shown(key: &str, size: i64, class: Option<&str>) -> bool {
        let entry = FileEntry {
            key: key.to_owned(),
            name: key.to_owned(),
            size,
            last_modified: None,
            etag: None,
            storage_class: class.map(str::to_owned),
            usable: true,
        };
        of_entry(&entry, &place()).is_some()
    }

    #[test]
    fn small_pictures_that_are_read_freely_are_shown() {
        for key in ["/a.png", "/a.JPG", "/a.jpeg", "/a.gif", "/a b/c.webp"] {
            assert!(
                shown(key, 1, None) && shown(key, LARGEST, Some("STANDARD")),
                "{key}"
            );
        }
        for key in [
            "/a.svg",
            "/a.svgz",
            "/a.tiff",
            "/a.html",
            "/a.pdf",
            "/a",
            "/../a.png",
        ] {
            assert!(!shown(key, 1, None), "{key}");
        }
        assert!(!shown("/a.png", 0, None) && !shown("/a.png", LARGEST + 1, None));
        for class in [
            "GLACIER",
            "DEEP_ARCHIVE",
            "GLACIER_IR",
            "STANDARD_IA",
            "INTELLIGENT_TIERING",
        ] {
            assert!(!shown("/a.png", 1, Some(class)), "{class}");
        }
    }
}
