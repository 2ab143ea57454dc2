//! An earlier version of a file: its page, and its content.

use crate::application::bucket::query::ObjectDetails;
use crate::application::bucket::read::ReadConditions;
use crate::application::error::{Error, Kind, Result};
use crate::application::files::safe_content::attachment;
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::version::NULL_VERSION;
use crate::domain::ids::StorageRef;
use crate::http::api::files::keys::{is_one_range, version_id};
use crate::http::assets;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::file_content::{as_it_is, describe, with_body};
use crate::http::pages::files::file::download_name;
use crate::http::pages::files::place::{Crumb, Place, Trouble, shown, shown_or_empty};
use crate::http::pages::files::preview::{self, OfVersion, Preview};
use crate::http::pages::files::versions::{VersionAddress, Versions};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::moment::{Moment, size_in_words};
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

pub fn configure(routes: &mut PageRoutes) {
    let at = |below: &str, action| {
        PageRoute::at(
            &format!("/storages/{{storage_id}}/file/version{below}"),
            action,
        )
    };
    routes
        .add(at("", "file_version_page").shows(show))
        .add(at("/content", "read_file_version").shows(content));
}

/// Which version an address means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
    key: String,
    version_id: String,
    /// `yes` where its content shall be saved.
    download: Option<String>,
}

impl VersionQuery {
    pub fn parse(self) -> Result<(FileKey, String)> {
        let key = FileKey::parse(&self.key).map_err(|invalid| Error::field("key", invalid))?;
        let id = version_id("version_id", Some(self.version_id))?;
        let missing = || {
            let detail = "Say which version, by its ID.";
            Error::field("version_id", Invalid::new("invalid_version_id", detail))
        };
        Ok((key, id.ok_or_else(missing)?))
    }
}

/// An earlier version of a file, or why nothing can be said of it.
#[derive(Template)]
#[template(path = "pages/file_version.html")]
struct VersionPage {
    chrome: Chrome,
    style: &'static str,
    place: Place,
    is_admin: bool,
    crumbs: Vec<Crumb>,
    name: String,
    key: String,
    version_id: String,
    about: std::result::Result<About, Trouble>,
    /// Whether the file itself is there; otherwise it was deleted.
    has_current: bool,
    current: String,
    versions: String,
    download: String,
    restore: String,
}

/// What is known of a version.
struct About {
    size: String,
    content_type: Option<String>,
    stored: Option<Moment>,
    etag: Option<String>,
    storage_class: String,
    archived: Option<String>,
    preview: Preview,
}

impl About {
    fn of(details: ObjectDetails, preview: Preview) -> Self {
        let metadata = details.metadata;
        let storage_class = metadata.storage_class.unwrap_or_else(|| "STANDARD".into());
        Self {
            size: metadata
                .size
                .map_or_else(|| "unknown".to_owned(), size_in_words),
            content_type: metadata.content_type,
            stored: metadata.last_modified.map(Moment),
            etag: metadata.etag,
            archived: preview::archived(&details.archive, &storage_class),
            storage_class,
            preview,
        }
    }
}

impl VersionPage {
    fn of(
        place: Place,
        key: &FileKey,
        version_id: String,
        about: std::result::Result<About, Trouble>,
    ) -> Self {
        let written = key.to_string();
        let at = VersionAddress::of(&place, key, &version_id);
        let (download, restore) = (at.download(), at.restore());
        Self {
            chrome: Chrome::bare(),
            style: assets::FILES_STYLE.path(),
            is_admin: false,
            crumbs: place.crumbs(&key.folder()),
            name: shown_or_empty(key.name()),
            key: written.clone(),
            about,
            has_current: true,
            current: place.file_url(&written),
            versions: Versions::address(&place, &written),
            download,
            restore,
            version_id,
            place,
        }
    }

    fn shown_key(&self) -> String {
        shown(&self.key)
    }
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
) -> Result<HttpResponse> {
    let (key, version_id) = query.0.parse()?;
    let view = services.storages.get(&visitor.member, &id.0).await?;
    let place = Place::of(&view);
    let files = &services.files;
    let current = files.details(&visitor.member, &id.0, &key, None).await;
    if let Ok(current) = &current {
        let current = current.metadata.version_id.as_deref();
        if current.unwrap_or(NULL_VERSION) == version_id {
            return Ok(see_other(&place.file_url(&key.to_string())));
        }
    }
    let is_gone = matches!(&current, Err(error) if error.kind == Kind::NotFound);
    let known = files
        .details(&visitor.member, &id.0, &key, Some(&version_id))
        .await;
    let about = match known {
        Ok(details) => {
            let content = VersionAddress::of(&place, &key, &version_id).content();
            let version = OfVersion {
                id: &version_id,
                content: &content,
            };
            let made =
                preview::of_file(&services, &visitor, &id.0, &key, &details, Some(version)).await;
            Ok(About::of(details, made))
        }
        Err(error) => Err(Trouble::of(error, visitor.is_admin())),
    };
    let page = VersionPage {
        chrome: Chrome::of(&visitor, Section::Settings),
        is_admin: visitor.is_admin(),
        has_current: !is_gone,
        ..VersionPage::of(place, &key, version_id, about)
    };
    let mut response = html(&page)?;
    if let Err(trouble) = &page.about {
        trouble.mark(&mut response);
    }
    Ok(response)
}

/// The bytes of a version. Whatever they are, nothing in them runs.
async fn content(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<VersionQuery>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let is_saved = query.0.download.as_deref() == Some("yes");
    let (key, version_id) = query.0.parse()?;
    visitor.reads(&key);
    let range = request.headers().get(header::RANGE);
    let range = range.and_then(|value| value.to_str().ok());
    let conditions = ReadConditions {
        // Recordings are read in parts.
        range: range.filter(|range| is_one_range(range)).map(str::to_owned),
        version_id: Some(version_id),
        ..ReadConditions::default()
    };
    let content = services
        .files
        .content(&visitor.member, &id.0, &key, &conditions)
        .await?;
    let mut response = HttpResponse::build(match content.content_range {
        Some(_) => StatusCode::PARTIAL_CONTENT,
        None => StatusCode::OK,
    });
    describe(&mut response, &key, &content.metadata);
    if let Some(range) = content.content_range {
        response.insert_header((header::CONTENT_RANGE, range));
    }
    if is_saved {
        let disposition = attachment(&download_name(&key));
        response.insert_header((header::CONTENT_DISPOSITION, disposition));
    }
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
    use crate::application::bucket::query::{Archive, KeptHeaders};
    use crate::application::bucket::read::ObjectMetadata;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use time::macros::datetime;

    fn page(key: &str, preview: Preview) -> VersionPage {
        let metadata = ObjectMetadata {
            size: Some(1_440_000),
            etag: None,
            content_type: Some("text/<b>".into()),
            content_encoding: None,
            last_modified: Some(datetime!(2026-03-01 12:00 UTC)),
            version_id: Some("v1".into()),
            storage_class: None,
            metadata: Vec::new(),
        };
        let details = ObjectDetails {
            metadata,
            encryption: None,
            kms_key_id: None,
            checksums: Vec::new(),
            archive: Archive::default(),
            missing_metadata: 0,
            headers: KeptHeaders::default(),
        };
        let key = FileKey::parse(key).unwrap();
        let about = Ok(About::of(details, preview));
        VersionPage::of(place(), &key, "v<1>&2".into(), about)
    }

    #[test]
    fn a_version_says_that_it_is_not_the_current_one() {
        for key in ODD_KEYS {
            let nothing = Preview::Nothing("None.".into());
            let html = page(key, nothing).render().unwrap();
            assert!(
                !html.contains("<script>alert") && !html.contains("<b>"),
                "{key}"
            );
            assert!(html.contains("earlier version") && html.contains("v&#60;1&#62;&#38;2"));
            assert!(html.contains("version_id=v%3C1%3E%262&#38;download=yes"));
            assert!(!html.contains("version/restore"), "{key}");
        }
    }

    #[test]
    fn admins_may_restore_where_the_storage_is_written_to() {
        let of = |is_admin, writes, has_current| {
            let made = page(
                "/a.png",
                Preview::Picture {
                    url: "/x?a=1&b".into(),
                },
            );
            let mut made = VersionPage {
                is_admin,
                has_current,
                ..made
            };
            made.place.writes = writes;
            made.render().unwrap()
        };
        let html = of(true, true, false);
        assert!(html.contains("version/restore?") && html.contains("src=\"/x?a=1&#38;b\""));
        assert!(html.contains("was deleted"));
        assert!(!of(true, false, true).contains("version/restore"));
        assert!(!of(true, true, true).contains("was deleted"));
    }

    #[test]
    fn which_version_is_meant_is_said() {
        let parse = |key: &str, version_id: &str| {
            let query = VersionQuery {
                key: key.into(),
                version_id: version_id.into(),
                download: None,
            };
            query.parse()
        };
        assert!(parse("/a", "null").is_ok());
        for (key, version) in [("", "v1"), ("/a/../b", "v1"), ("/a", ""), ("/a", "v\n1")] {
            assert!(parse(key, version).is_err(), "{key} {version}");
        }
    }
}
