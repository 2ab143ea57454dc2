//! A folder of a storage.

use crate::application::bucket::read::ListFrom;
use crate::application::error::{Error, Result};
use crate::application::files::read::{FileEntry, FolderEntry, FolderPage};
use crate::domain::files::file_key::Folder;
use crate::domain::ids::StorageRef;
use crate::http::assets;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::place::{Crumb, Place, Trouble, address, shown, shown_or_empty};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::moment::{Moment, size_in_words};
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

/// How many files and folders a page shows.
const PAGE: u32 = 100;

pub fn configure(routes: &mut PageRoutes) {
    routes.add(PageRoute::at("/storages/{storage_id}/files", "files_page").shows(show));
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FolderQuery {
    pub folder: Option<String>,
    pub page: Option<String>,
    #[serde(default)]
    pub order: Order,
    pub done: Option<String>,
}

/// The order of one page. S3 itself lists by key and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    Key,
    Name,
    Size,
    Modified,
}

impl Order {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Key, "", "S3’s order, by key"),
        (Self::Name, "name", "Name"),
        (Self::Size, "size", "Largest first"),
        (Self::Modified, "modified", "Newest first"),
    ];

    fn sort(self, files: &mut [FileEntry]) {
        match self {
            Self::Key => {}
            Self::Name => files.sort_by_cached_key(|file| file.name.to_lowercase()),
            Self::Size => files.sort_by_key(|file| std::cmp::Reverse(file.size)),
            Self::Modified => files.sort_by_key(|file| std::cmp::Reverse(file.last_modified)),
        }
    }
}

struct OrderLink {
    words: &'static str,
    url: String,
    is_current: bool,
}

/// A page of a folder.
#[derive(Template)]
#[template(path = "pages/files.html")]
struct FilesPage {
    chrome: Chrome,
    script: &'static str,
    place: Place,
    is_admin: bool,
    /// As it is written, with both slashes.
    folder: String,
    title: String,
    crumbs: Vec<Crumb>,
    trouble: Option<Trouble>,
    folders: Vec<FolderRow>,
    files: Vec<FolderFileRow>,
    /// The size of an object with the prefix's own key.
    prefix_object: Option<String>,
    orders: Vec<OrderLink>,
    /// Where the first page is, for the others.
    first: Option<String>,
    next: Option<String>,
    /// A project from all that is below this folder.
    project: String,
    upload: Upload,
}

/// The form that stores files in the folder.
#[derive(Default)]
pub struct Upload {
    pub error: Option<String>,
    /// What had been ticked.
    pub replace: bool,
}

struct FolderRow {
    name: String,
    /// `None`: no folder can be asked for by this name.
    url: Option<String>,
}

struct FolderFileRow {
    name: String,
    /// With the leading slash, as it is.
    key: String,
    uri: String,
    /// `None`: no link can reach it.
    url: Option<String>,
    /// Whether a form can carry the key: browsers change line breaks.
    can_be_chosen: bool,
    size: String,
    modified: Option<Moment>,
    /// Where it is not the standard one.
    storage_class: Option<String>,
}

impl FolderRow {
    fn of(entry: &FolderEntry, place: &Place) -> Self {
        Self {
            name: shown_or_empty(&entry.name),
            url: entry.usable.then(|| place.folder_url(&entry.key)),
        }
    }
}

impl FolderFileRow {
    fn of(entry: FileEntry, place: &Place) -> Self {
        Self {
            name: shown_or_empty(&entry.name),
            uri: place.s3_uri(&entry.key),
            url: entry.usable.then(|| place.file_url(&entry.key)),
            can_be_chosen: entry.usable && !entry.key.contains(['\r', '\n']),
            key: entry.key,
            size: size_in_words(entry.size),
            modified: entry.last_modified.map(Moment),
            storage_class: entry.storage_class.filter(|class| class != "STANDARD"),
        }
    }
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FolderQuery>,
) -> Result<HttpResponse> {
    page(&visitor, &services, &id.0, query.0, Upload::default()).await
}

/// The page of a folder. A storage that cannot be read now has one too, which says why.
pub async fn page(
    visitor: &Visitor,
    services: &Services,
    id: &StorageRef,
    query: FolderQuery,
    upload: Upload,
) -> Result<HttpResponse> {
    let place = Place::of(&services.storages.get(&visitor.member, id).await?);
    let folder = Folder::parse(query.folder.as_deref().unwrap_or_default())
        .map_err(|invalid| Error::field("folder", invalid))?;
    let token_place = format!(
        "{}/storages/{id}/pages/files{folder}",
        visitor.member.workspace
    );
    let from = match services
        .page_tokens
        .open(&token_place, query.page.as_deref())?
    {
        Some(token) => ListFrom::Continuation(token),
        None => ListFrom::Beginning,
    };
    let listed = services
        .files
        .list(&visitor.member, id, folder.clone(), false, PAGE, from)
        .await;
    let (found, trouble) = match listed {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(Trouble::of(error, visitor.is_admin()))),
    };
    let next = match found.as_ref().and_then(|page| page.continuation.as_deref()) {
        Some(token) => Some(services.page_tokens.seal(&token_place, token)?),
        None => None,
    };
    let page = FilesPage {
        chrome: Chrome::of(visitor, Section::Settings).flash(query.done.as_deref()),
        is_admin: visitor.is_admin(),
        upload,
        ..FilesPage::of(place, folder, &query, found, trouble, next.as_deref())
    };
    let mut response = html(&page)?;
    if let Some(trouble) = &page.trouble {
        trouble.mark(&mut response);
    }
    Ok(response)
}

impl FilesPage {
    fn shown_folder(&self) -> String {
        shown(&self.folder)
    }

    fn shown_uri(&self) -> String {
        shown(&self.place.s3_uri(&self.folder))
    }

    fn of(
        place: Place,
        folder: Folder,
        query: &FolderQuery,
        found: Option<FolderPage>,
        trouble: Option<Trouble>,
        next: Option<&str>,
    ) -> Self {
        let prefix_object = found
            .as_ref()
            .and_then(|page| page.prefix_object)
            .map(size_in_words);
        let (folders, mut files) =
            found.map_or((Vec::new(), Vec::new()), |page| (page.folders, page.files));
        query.order.sort(&mut files);
        let written = folder.to_string();
        let named = if written == "/" { "" } else { &written };
        let path = format!("/storages/{}/files", place.id);
        let page = query.page.as_deref().unwrap_or_default();
        let url = |page: &str, order: &str| {
            address(
                &path,
                &[("folder", named), ("page", page), ("order", order)],
            )
        };
        let present = Order::ALL.iter().find(|(order, ..)| *order == query.order);
        let order = present.map_or("", |(_, code, _)| code);
        Self {
            chrome: Chrome::bare(),
            script: assets::FILES_SCRIPT.path(),
            is_admin: false,
            title: match folder.path() {
                "" => place.name.clone(),
                _ => shown_or_empty(folder.name()),
            },
            crumbs: place.crumbs(&folder),
            trouble,
            prefix_object,
            folders: folders.iter().map(|f| FolderRow::of(f, &place)).collect(),
            files: files
                .into_iter()
                .map(|f| FolderFileRow::of(f, &place))
                .collect(),
            orders: Order::ALL
                .iter()
                .map(|(order, code, words)| OrderLink {
                    words,
                    url: url(page, code),
                    is_current: *order == query.order,
                })
                .collect(),
            first: query.page.is_some().then(|| url("", order)),
            next: next.map(|next| url(next, order)),
            project: address(
                "/projects/new",
                &[("storage_id", &place.id), ("folder", &written)],
            ),
            upload: Upload::default(),
            folder: written,
            place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::error::Kind;
    use crate::http::pages::files::place::samples::{ODD_KEYS, place};
    use time::macros::datetime;

    fn file(key: &str, size: i64) -> FileEntry {
        FileEntry {
            key: key.to_owned(),
            name: key.rsplit('/').next().unwrap().to_owned(),
            size,
            last_modified: Some(datetime!(2026-03-01 12:00 UTC)),
            etag: None,
            storage_class: Some("STANDARD".into()),
            usable: true,
        }
    }

    fn found(files: Vec<FileEntry>, folders: Vec<FolderEntry>) -> FolderPage {
        FolderPage {
            folder: Folder::root(),
            folders,
            files,
            prefix_object: None,
            continuation: None,
        }
    }

    fn render(
        folder: &str,
        query: FolderQuery,
        page: Option<FolderPage>,
        trouble: Option<Trouble>,
        next: Option<&str>,
    ) -> String {
        let folder = Folder::parse(folder).unwrap();
        FilesPage {
            is_admin: true,
            ..FilesPage::of(place(), folder, &query, page, trouble, next)
        }
        .render()
        .unwrap()
    }

    #[test]
    fn odd_keys_are_shown_escaped_and_linked() {
        let files = ODD_KEYS.iter().map(|key| file(key, 1)).collect();
        let folders = vec![
            FolderEntry {
                key: "//".into(),
                name: String::new(),
                usable: true,
            },
            FolderEntry {
                key: "/../".into(),
                name: "..".into(),
                usable: false,
            },
        ];
        let html = render(
            "",
            FolderQuery::default(),
            Some(found(files, folders)),
            None,
            None,
        );
        assert!(!html.contains("<script>alert") && !html.contains("<b>bucket"));
        for key in ODD_KEYS {
            let url = place().file_url(key).replace('&', "&#38;");
            assert!(html.contains(&url), "{key}: {url}");
        }
        assert!(html.contains("/files?folder=%2F%2F\"") && html.contains("(empty name)"));
        assert!(!html.contains("folder=%2F..%2F"));
        assert!(html.contains("cannot be opened"));
        // The line break has no box to tick.
        let boxes = html.matches("name=\"key\"").count();
        assert_eq!(boxes, ODD_KEYS.len() - 1);
    }

    #[test]
    fn an_empty_storage_and_an_empty_folder_say_so() {
        let empty = || Some(found(Vec::new(), Vec::new()));
        let html = render("", FolderQuery::default(), empty(), None, None);
        assert!(html.contains("nothing in this storage yet"), "{html}");
        let html = render("/a/", FolderQuery::default(), empty(), None, None);
        assert!(html.contains("This folder is empty"));
    }

    #[test]
    fn pages_and_orders_keep_each_other() {
        let query = FolderQuery {
            page: Some("tok/en".into()),
            order: Order::Size,
            ..FolderQuery::default()
        };
        let page = found(vec![file("/a/x", 1), file("/a/y", 2)], Vec::new());
        let html = render("/a/", query, Some(page), None, Some("ne=xt"));
        assert!(html.contains("?folder=%2Fa%2F&#38;order=size\""));
        assert!(html.contains("page=ne%3Dxt&#38;order=size"));
        assert!(html.contains("page=tok%2Fen&#38;order=name"));
        assert!(html.find(">y<").unwrap() < html.find(">x<").unwrap());
    }

    #[test]
    fn trouble_is_told_with_the_way_to_the_storage() {
        let error = Error::new(Kind::Upstream, "role_refused", "The role <refused> us.");
        let html = render(
            "/a/",
            FolderQuery::default(),
            None,
            Some(Trouble::of(error, true)),
            None,
        );
        assert!(html.contains("The role &#60;refused&#62; us."));
        assert!(html.contains("/settings/storages/sto_019a1f0e7c1b7d439a520c8c2f6f6b1e"));
        assert!(!html.contains("This folder is empty"));
    }

    #[test]
    fn members_see_nothing_to_change() {
        let page = FilesPage::of(
            place(),
            Folder::root(),
            &FolderQuery::default(),
            Some(found(vec![file("/x", 1)], Vec::new())),
            None,
            None,
        );
        let html = page.render().unwrap();
        assert!(!html.contains("type=\"file\"") && !html.contains("confirm-delete"));
        assert!(html.contains("Create a project"));
    }
}
