//! The page of a folder, as it is shown.

use crate::application::files::read::{FileEntry, FolderEntry, FolderPage};
use crate::domain::files::file_key::Folder;
use crate::http::assets;
use crate::http::pages::files::filter::{Choice, FileType};
use crate::http::pages::files::folder_query::{FolderQuery, Order};
use crate::http::pages::files::place::{Crumb, Place, Trouble, address, shown, shown_or_empty};
use crate::http::pages::files::thumbnail;
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::moment::{Moment, size_in_words, thousands};
use askama::Template;
use time::OffsetDateTime;

/// What was listed for a page, or why nothing was.
pub struct Listed {
    pub found: Option<FolderPage>,
    pub trouble: Option<Trouble>,
    /// The token of the next page.
    pub next: Option<String>,
    pub now: OffsetDateTime,
}

pub struct OrderLink {
    words: &'static str,
    url: String,
    is_current: bool,
}

/// A page of a folder.
#[derive(Template)]
#[template(path = "pages/files.html")]
pub struct FilesPage {
    pub chrome: Chrome,
    script: &'static str,
    style: &'static str,
    pub place: Place,
    pub is_admin: bool,
    /// As it is written, with both slashes.
    folder: String,
    title: String,
    crumbs: Vec<Crumb>,
    pub trouble: Option<Trouble>,
    folders: Vec<FolderRow>,
    files: Vec<FolderFileRow>,
    /// The size of an object with the prefix's own key.
    prefix_object: Option<String>,
    /// Empty where the page has not every file of the folder: an order of some would be none.
    orders: Vec<OrderLink>,
    find: String,
    at: String,
    filters: [(&'static str, &'static str, Vec<Choice>); 3],
    is_filtered: bool,
    /// Whether anything was searched, skipped or filtered.
    is_narrowed: bool,
    order: &'static str,
    /// How many there are, as far as that is known.
    summary: String,
    /// Where the first page is, for the others.
    first: Option<String>,
    next: Option<String>,
    /// A project from all that is below this folder.
    project: String,
    pub upload: Upload,
    pub new_folder: NewFolder,
}

/// The forms below a folder, as they were typed.
#[derive(Default)]
pub struct Forms {
    pub upload: Upload,
    pub new_folder: NewFolder,
}

/// The form that makes a folder.
#[derive(Default)]
pub struct NewFolder {
    pub name: String,
    pub error: Option<String>,
}

/// The form that stores files in the folder.
#[derive(Default)]
pub struct Upload {
    pub error: Option<String>,
    /// What had been ticked.
    pub replace: bool,
    /// What became of each file, where there were several: its name, and why it was not stored.
    pub results: Vec<(String, Option<String>)>,
}

pub struct FolderRow {
    name: String,
    /// `None`: no folder can be asked for by this name.
    url: Option<String>,
}

pub struct FolderFileRow {
    name: String,
    icon: &'static str,
    /// The address of the picture that is shown instead of the icon.
    thumbnail: Option<String>,
    /// With the leading slash, as it is.
    key: String,
    uri: String,
    /// `None`: no link can reach it.
    url: Option<String>,
    /// Whether a form can carry the key: browsers change line breaks.
    can_be_chosen: bool,
    bytes: i64,
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
            icon: FileType::of(&entry.name).icon(),
            thumbnail: thumbnail::of_entry(&entry, place),
            uri: place.s3_uri(&entry.key),
            url: entry.usable.then(|| place.file_url(&entry.key)),
            can_be_chosen: entry.usable && !entry.key.contains(['\r', '\n']),
            key: entry.key,
            bytes: entry.size,
            size: size_in_words(entry.size),
            modified: entry.last_modified.map(Moment),
            storage_class: entry.storage_class.filter(|class| class != "STANDARD"),
        }
    }
}

impl FilesPage {
    fn shown_folder(&self) -> String {
        shown(&self.folder)
    }

    fn shown_uri(&self) -> String {
        shown(&self.place.s3_uri(&self.folder))
    }

    fn may_write(&self) -> bool {
        self.is_admin && self.place.writes
    }

    pub fn of(place: Place, folder: Folder, query: &FolderQuery, listed: Listed) -> Self {
        let found = listed.found;
        let prefix_object = found
            .as_ref()
            .and_then(|page| page.prefix_object)
            .map(size_in_words);
        let (mut folders, mut files) =
            found.map_or((Vec::new(), Vec::new()), |page| (page.folders, page.files));
        let is_whole = listed.next.is_none() && query.page.is_none() && query.at().is_empty();
        let filter = query.filter();
        let listed_files = files.len();
        if filter.is_on() {
            files.retain(|file| filter.takes(file, listed.now));
            folders.clear();
        }
        if is_whole {
            query.order.sort(&mut files);
        }
        let written = folder.to_string();
        let named = if written == "/" { "" } else { &written };
        let path = format!("/storages/{}/files", place.id);
        let order = query.order.code();
        let url = |page: &str, order: &str, at: &str| {
            let mut pairs = vec![("folder", named), ("find", query.find()), ("at", at)];
            pairs.extend([("page", page), ("order", order)]);
            pairs.extend(filter.pairs());
            address(&path, &pairs)
        };
        let sorted = |orders: &[(Order, &'static str, &'static str)]| {
            orders
                .iter()
                .map(|(one, code, words)| OrderLink {
                    words,
                    url: url("", code, ""),
                    is_current: *one == query.order,
                })
                .collect()
        };
        let count = Counted {
            files: files.len(),
            folders: folders.len(),
            listed_files,
            is_filtered: filter.is_on(),
            is_whole,
        };
        Self {
            chrome: Chrome::bare(),
            script: assets::FILES_SCRIPT.path(),
            style: assets::FILES_STYLE.path(),
            is_admin: false,
            title: match folder.path() {
                "" => place.name.clone(),
                _ => shown_or_empty(folder.name()),
            },
            crumbs: place.crumbs(&folder),
            trouble: listed.trouble,
            prefix_object,
            orders: if is_whole && listed_files > 1 {
                sorted(&Order::ALL)
            } else {
                Vec::new()
            },
            find: query.find().to_owned(),
            at: query.at().to_owned(),
            filters: filter.lists(),
            is_filtered: filter.is_on(),
            is_narrowed: filter.is_on() || !query.find().is_empty() || !query.at().is_empty(),
            order,
            summary: count.words(),
            folders: folders.iter().map(|f| FolderRow::of(f, &place)).collect(),
            files: files
                .into_iter()
                .map(|f| FolderFileRow::of(f, &place))
                .collect(),
            first: (query.page.is_some() || !query.at().is_empty()).then(|| url("", order, "")),
            next: listed.next.map(|next| url(&next, order, "")),
            project: address(
                "/projects/new",
                &[("storage_id", &place.id), ("folder", &written)],
            ),
            upload: Upload::default(),
            new_folder: NewFolder::default(),
            folder: written,
            place,
        }
    }
}

/// How many a page shows.
struct Counted {
    files: usize,
    folders: usize,
    /// Before the filters.
    listed_files: usize,
    is_filtered: bool,
    /// Whether the page has everything that was asked for.
    is_whole: bool,
}

impl Counted {
    fn words(&self) -> String {
        let many = |number: usize, one: &str| match number {
            1 => format!("1 {one}"),
            number => format!(
                "{} {one}s",
                thousands(i64::try_from(number).unwrap_or(i64::MAX))
            ),
        };
        match (self.is_filtered, self.is_whole) {
            (true, true) => format!(
                "{} of {} shown. Folders are hidden while a filter is on.",
                self.files,
                many(self.listed_files, "file")
            ),
            (true, false) => format!(
                "{} of the {} on this page shown. Filters look at this page only, because S3 finds files by name alone.",
                self.files,
                many(self.listed_files, "file")
            ),
            (false, is_whole) => {
                let here = match (self.folders, self.files) {
                    (0, files) => many(files, "file"),
                    (folders, 0) => many(folders, "folder"),
                    (folders, files) => {
                        format!("{}, {}", many(folders, "folder"), many(files, "file"))
                    }
                };
                match is_whole {
                    true => here,
                    false => format!("{here} on this page, in the order of their keys"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::error;
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

    fn listed(found: Option<FolderPage>, trouble: Option<Trouble>, next: Option<&str>) -> Listed {
        Listed {
            found,
            trouble,
            next: next.map(str::to_owned),
            now: datetime!(2026-03-02 12:00 UTC),
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
            ..FilesPage::of(place(), folder, &query, listed(page, trouble, next))
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
    fn an_order_is_offered_where_it_is_one_of_all_files() {
        let query = || FolderQuery {
            order: Order::Size,
            ..FolderQuery::default()
        };
        let page = || found(vec![file("/a/x", 1), file("/a/y", 2)], Vec::new());
        let html = render("/a/", query(), Some(page()), None, None);
        assert!(html.contains("order=name") && html.contains("2 files"));
        assert!(html.find("<bdi>y<").unwrap() < html.find("<bdi>x<").unwrap());
        // With more pages, the largest of these would be taken for the largest of all.
        let html = render("/a/", query(), Some(page()), None, Some("ne=xt"));
        assert!(!html.contains("order=name") && html.contains("2 files on this page"));
        assert!(html.find("<bdi>x<").unwrap() < html.find("<bdi>y<").unwrap());
        assert!(html.contains("page=ne%3Dxt&#38;order=size"));
    }

    #[test]
    fn pages_keep_search_and_filters() {
        let query = FolderQuery {
            page: Some("tok/en".into()),
            find: Some("sc&n".into()),
            kind: FileType::Pictures,
            ..FolderQuery::default()
        };
        let page = found(
            vec![file("/a/sc&n.png", 1), file("/a/sc&n.csv", 1)],
            Vec::new(),
        );
        let html = render("/a/", query, Some(page), None, Some("next"));
        assert!(html.contains("?folder=%2Fa%2F&#38;find=sc%26n&#38;kind=pictures\""));
        assert!(html.contains("find=sc%26n&#38;page=next&#38;kind=pictures"));
        assert!(
            html.contains("1 of the 2 files on this page shown"),
            "{html}"
        );
        assert!(!html.contains("sc&#38;n.csv"));
    }

    #[test]
    fn each_file_of_an_upload_has_its_result() {
        let upload = Upload {
            error: Some("1 of 2 files was not stored.".into()),
            results: vec![
                ("a.txt".into(), None),
                ("<b>.txt".into(), Some("There is one already.".into())),
            ],
            replace: false,
        };
        let page = FilesPage {
            is_admin: true,
            upload,
            ..FilesPage::of(
                place(),
                Folder::root(),
                &FolderQuery::default(),
                listed(Some(found(Vec::new(), Vec::new())), None, None),
            )
        };
        let html = page.render().unwrap();
        assert!(html.contains("&#60;b&#62;.txt") && html.contains("There is one already."));
        assert!(html.contains("Uploaded"));
    }

    #[test]
    fn a_folder_that_was_not_made_keeps_its_name() {
        let page = FilesPage {
            is_admin: true,
            new_folder: NewFolder {
                name: "a/<b>".into(),
                error: Some("Without a slash.".into()),
            },
            ..FilesPage::of(
                place(),
                Folder::root(),
                &FolderQuery::default(),
                listed(Some(found(Vec::new(), Vec::new())), None, None),
            )
        };
        let html = page.render().unwrap();
        assert!(html.contains("value=\"a/&#60;b&#62;\"") && html.contains("Without a slash."));
        assert!(html.contains("id=\"folder-name-error\""));
    }

    #[test]
    fn trouble_is_told_with_the_way_to_the_storage() {
        let error = error::Error::new(
            error::Kind::Upstream,
            "role_refused",
            "The role <refused> us.",
        );
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
            listed(Some(found(vec![file("/x", 1)], Vec::new())), None, None),
        );
        let html = page.render().unwrap();
        assert!(!html.contains("type=\"file\"") && !html.contains("confirm-"));
        assert!(html.contains("Create a project") && html.contains("/files/archive\""));
    }
}
