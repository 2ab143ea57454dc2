//! One file.

use crate::application::bucket::query::ObjectDetails;
use crate::application::bucket::sign::{SignedUrl, SignedUrls};
use crate::application::error::{Error, Result};
use crate::application::files::sign::{ReadMethod, SignRequest};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::version::NULL_VERSION;
use crate::domain::ids::StorageRef;
use crate::http::assets;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::link::SignedLinkPage;
use crate::http::pages::files::place::{Crumb, KeyQuery, Place, Trouble, shown, shown_or_empty};
use crate::http::pages::files::preview;
use crate::http::pages::files::preview::{LIFE, Preview};
use crate::http::pages::files::snippet::{self, Snippet};
use crate::http::pages::files::used_by::UsedBy;
use crate::http::pages::files::versions::Versions;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::moment::{Moment, size_in_words};
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;
use std::time::Duration;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(PageRoute::at("/storages/{storage_id}/file", "file_page").shows(show))
        .add(PageRoute::at("/storages/{storage_id}/file/download", "download_file").shows(download))
        .add(PageRoute::at("/storages/{storage_id}/file/link", "sign_files").asks(link));
}

/// A file, or why nothing can be said of it.
#[derive(Template)]
#[template(path = "pages/file.html")]
struct FilePage {
    chrome: Chrome,
    style: &'static str,
    place: Place,
    is_admin: bool,
    crumbs: Vec<Crumb>,
    name: String,
    /// As it is, with the leading slash.
    key: String,
    uri: String,
    about: std::result::Result<About, Trouble>,
    download: String,
    link: String,
    delete: String,
    project: String,
    lives: Vec<Life>,
    /// Where it is renamed, moved or copied.
    transfer: String,
    used_by: UsedBy,
    versions: Versions,
    snippets: Vec<Snippet>,
}

/// What is known of a file.
struct About {
    size: String,
    bytes: i64,
    content_type: Option<String>,
    modified: Option<Moment>,
    etag: Option<String>,
    version: Option<String>,
    storage_class: String,
    archived: Option<String>,
    encryption: Option<String>,
    kms_key: Option<String>,
    checksums: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    metadata: Vec<(String, String)>,
    missing_metadata: u32,
    preview: Preview,
}

/// How long a link may live.
struct Life {
    seconds: u64,
    words: &'static str,
}

impl About {
    fn of(details: ObjectDetails, preview: Preview) -> Self {
        let ObjectDetails {
            metadata,
            encryption,
            kms_key_id,
            checksums,
            archive,
            headers,
            missing_metadata,
        } = details;
        let storage_class = metadata.storage_class.unwrap_or_else(|| "STANDARD".into());
        Self {
            size: metadata
                .size
                .map_or_else(|| "unknown".to_owned(), size_in_words),
            bytes: metadata.size.unwrap_or_default(),
            content_type: metadata.content_type,
            modified: metadata.last_modified.map(Moment),
            etag: metadata.etag,
            version: metadata
                .version_id
                .filter(|version| version != NULL_VERSION),
            archived: preview::archived(&archive, &storage_class),
            encryption,
            kms_key: kms_key_id,
            checksums,
            storage_class,
            headers: [
                ("Content encoding", metadata.content_encoding),
                ("Content disposition", headers.content_disposition),
                ("Content language", headers.content_language),
                ("Cache control", headers.cache_control),
                ("Expires", headers.expires),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
            metadata: metadata.metadata,
            missing_metadata,
            preview,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileQuery {
    key: String,
    /// `yes` where its versions shall be listed.
    versions: Option<String>,
    /// What was done before.
    done: Option<String>,
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FileQuery>,
) -> Result<HttpResponse> {
    let FileQuery {
        key,
        versions,
        done,
    } = query.0;
    let key = KeyQuery { key }.parse()?;
    let view = services.storages.get(&visitor.member, &id.0).await?;
    let place = Place::of(&view);
    let is_asked = versions.as_deref() == Some("yes");
    let versions = match view.connection.settings.grants().versions {
        false => Versions::NotGranted,
        true if is_asked => Versions::list(&services, &visitor, &place, &id.0, &key).await,
        true => Versions::unasked(&place, &key.to_string()),
    };
    let known = services
        .files
        .details(&visitor.member, &id.0, &key, None)
        .await;
    let about = match known {
        Ok(details) => {
            let preview = preview::of_file(&services, &visitor, &id.0, &key, &details, None).await;
            Ok(About::of(details, preview))
        }
        Err(error) => Err(Trouble::of(error, visitor.is_admin())),
    };
    let used_by = UsedBy::find(&services, &visitor, &id.0, std::slice::from_ref(&key)).await?;
    let page = FilePage {
        chrome: Chrome::of(&visitor, Section::Settings).flash(done.as_deref()),
        used_by,
        versions,
        is_admin: visitor.is_admin(),
        snippets: snippet::of_file(
            &services.site.url(""),
            &place.id,
            &key.to_string(),
            &download_name(&key),
        ),
        ..FilePage::of(place, &key, about, services.files.longest_url_life)
    };
    let mut response = html(&page)?;
    match &page.about {
        Err(trouble) => trouble.mark(&mut response),
        Ok(about) => {
            let pictures = about.preview.url().and_then(preview::origin);
            response.extensions_mut().insert(AlsoAllowed {
                pictures: pictures.into_iter().collect(),
                fetches: Vec::new(),
                forms: Vec::new(),
            });
        }
    }
    Ok(response)
}

impl FilePage {
    fn shown_key(&self) -> String {
        shown(&self.key)
    }

    fn shown_uri(&self) -> String {
        shown(&self.uri)
    }

    fn of(
        place: Place,
        key: &FileKey,
        about: std::result::Result<About, Trouble>,
        longest: Duration,
    ) -> Self {
        let written = key.to_string();
        Self {
            chrome: Chrome::bare(),
            style: assets::FILES_STYLE.path(),
            is_admin: false,
            crumbs: place.crumbs(&key.folder()),
            name: shown_or_empty(key.name()),
            uri: place.s3_uri(&written),
            about,
            download: place.of_file("file/download", &written),
            link: place.of_file("file/link", &written),
            delete: place.of_file("files/confirm-delete", &written),
            project: crate::http::pages::files::place::address(
                "/projects/new",
                &[("storage_id", &place.id), ("key", &written)],
            ),
            lives: lives(longest),
            transfer: place.of_file("file/move", &written),
            used_by: UsedBy::default(),
            versions: Versions::unasked(&place, &written),
            snippets: Vec::new(),
            key: written,
            place,
        }
    }
}

fn lives(longest: Duration) -> Vec<Life> {
    [
        (15 * 60, "15 minutes"),
        (60 * 60, "1 hour"),
        (12 * 60 * 60, "12 hours"),
        (7 * 24 * 60 * 60, "7 days"),
    ]
    .into_iter()
    .filter(|(seconds, _)| *seconds <= longest.as_secs())
    .map(|(seconds, words)| Life { seconds, words })
    .collect()
}

/// Leads to the file itself, by a link that was signed just now.
async fn download(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    visitor.reads_by_url(&key);
    let request = SignRequest {
        download_name: Some(download_name(&key)),
        expires_in: Some(LIFE.min(services.files.longest_url_life)),
        ..plain(key)
    };
    let urls = services
        .files
        .sign_get(&visitor.member, &id.0, &request)
        .await?;
    Ok(see_other(&only(urls)?.url))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLinkForm {
    /// In seconds.
    expires_in: Option<u64>,
}

async fn link(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<KeyQuery>,
    form: Form<FileLinkForm>,
) -> Result<HttpResponse> {
    let key = query.0.parse()?;
    let place = Place::of(&services.storages.get(&visitor.member, &id.0).await?);
    visitor.reads_by_url(&key);
    let (name, back) = (shown(key.name()), place.file_url(&key.to_string()));
    let request = SignRequest {
        expires_in: form.0.expires_in.map(Duration::from_secs),
        ..plain(key)
    };
    let urls = services
        .files
        .sign_get(&visitor.member, &id.0, &request)
        .await?;
    let chrome = Chrome::of(&visitor, Section::Settings);
    html(&SignedLinkPage::new(chrome, name, only(urls)?, back))
}

fn plain(key: FileKey) -> SignRequest {
    SignRequest {
        keys: vec![key],
        expires_in: None,
        content_type: None,
        download_name: None,
        method: ReadMethod::Get,
        range: None,
        alike: false,
    }
}

/// What a downloaded file is called: the end of its key, without what a header cannot carry.
pub fn download_name(key: &FileKey) -> String {
    let name = key.name();
    let end = name
        .char_indices()
        .nth(200)
        .map_or(name.len(), |(at, _)| at);
    name[..end].chars().filter(|c| !c.is_control()).collect()
}

/// The one URL that was asked for.
pub fn only(urls: SignedUrls) -> Result<SignedUrl> {
    urls.into_first()
        .ok_or_else(|| Error::bug("no URL was signed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::bucket::query::{Archive, KeptHeaders, Restore};
    use crate::application::bucket::read::ObjectMetadata;
    use crate::application::error::Kind;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use time::macros::datetime;

    fn details() -> ObjectDetails {
        let metadata = ObjectMetadata {
            size: Some(1_440_000),
            etag: Some("\"abc\"".into()),
            content_type: Some("image/png".into()),
            content_encoding: None,
            last_modified: Some(datetime!(2026-03-01 12:00 UTC)),
            version_id: Some("v1".into()),
            storage_class: None,
            metadata: vec![("owner".into(), "<b>Ann</b>".into())],
        };
        ObjectDetails {
            metadata,
            encryption: Some("aws:kms".into()),
            kms_key_id: Some("arn:aws:kms:eu-west-1:111122223333:key/1".into()),
            checksums: vec![(
                "sha256",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into(),
            )],
            archive: Archive::default(),
            missing_metadata: 0,
            headers: KeptHeaders {
                cache_control: Some("max-age=5".into()),
                ..KeptHeaders::default()
            },
        }
    }

    fn render(key: &str, is_admin: bool, preview: Preview) -> String {
        let key = FileKey::parse(key).unwrap();
        let about = Ok(About::of(details(), preview));
        FilePage {
            is_admin,
            ..FilePage::of(place(), &key, about, Duration::from_secs(3600))
        }
        .render()
        .unwrap()
    }

    #[test]
    fn facts_and_previews_are_shown_as_text() {
        for key in ODD_KEYS {
            let html = render(
                key,
                true,
                Preview::Text {
                    text: "<script>alert(2)</script>".into(),
                    is_laid_out: false,
                    is_cut: true,
                    damaged: Some("UTF-8"),
                    table: None,
                    rendered: None,
                },
            );
            assert!(
                !html.contains("<script>alert") && !html.contains("<b>Ann"),
                "{key}"
            );
            assert!(html.contains("first 64 KiB"));
            assert!(html.contains("1.4 MB") && html.contains("STANDARD"));
            assert!(html.contains("aws:kms") && html.contains("47DEQpj8HBSa"));
            assert!(html.contains("max-age=5"));
            assert!(!html.contains("archived"));
            assert!(html.contains("confirm-delete?key="));
        }
        let html = render(
            "/x.png",
            false,
            Preview::Picture {
                url: "https://b/x?a=1&b=2".into(),
            },
        );
        assert!(html.contains("src=\"https://b/x?a=1&#38;b=2\"") && html.contains("alt="));
        assert!(!html.contains("confirm-delete") && !html.contains("12 hours"));
        assert!(html.contains("1 hour"));
        let html = render(
            "/x.pdf",
            false,
            Preview::Pdf {
                url: "https://b/x?a=1&b=2".into(),
            },
        );
        assert!(html.contains("href=\"https://b/x?a=1&#38;b=2\"") && html.contains("Open the PDF"));
    }

    #[test]
    fn archived_files_say_so_until_they_are_restored() {
        let shown = |archived: bool, restore: Option<Restore>| {
            let mut details = details();
            details.metadata.storage_class = Some("DEEP_ARCHIVE".into());
            details.archive = Archive { archived, restore };
            let key = FileKey::parse("/old.tif").unwrap();
            let about = Ok(About::of(details, Preview::Nothing("None.".into())));
            let page = FilePage::of(place(), &key, about, Duration::from_secs(60));
            page.render().unwrap()
        };
        assert!(shown(true, None).contains("must be restored"));
        assert!(shown(true, Some(Restore::InProgress)).contains("is being restored"));
        let restored = shown(false, Some(Restore::Until(None)));
        assert!(!restored.contains("archived (") && restored.contains("DEEP_ARCHIVE"));
    }

    #[test]
    fn a_missing_file_has_a_page_that_leads_back() {
        let key = FileKey::parse("/a/<gone>.txt").unwrap();
        let error = Error::new(
            Kind::NotFound,
            "file_not_found",
            "There is no file with this key.",
        );
        let page = FilePage::of(
            place(),
            &key,
            Err(Trouble::of(error, true)),
            Duration::from_secs(60),
        );
        let html = page.render().unwrap();
        assert!(html.contains("There is no file with this key."));
        assert!(html.contains("files?folder=%2Fa%2F") && !html.contains("<gone>"));
        assert!(!html.contains("Download"));
    }

    #[test]
    fn names_of_downloads() {
        let name = |key: &str| download_name(&FileKey::parse(key).unwrap());
        assert_eq!(name("/a/b c.txt"), "b c.txt");
        assert_eq!(name("/a/b\r\nc"), "bc");
        assert_eq!(name(&format!("/{}", "ü".repeat(500))).chars().count(), 200);
    }
}
